"""Reports: figures, JSON, CSV and text, in Chinese and English (design.md section 4).

A report states facts, dates, coverage and clocks; it never decides. Its three files are documented
in docs/report.md.
"""

import io
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError
from rich.console import Console, RenderableType

from node.domain.catalogue import Catalogue, Item
from node.domain.findings import Finding, Report
from node.errors import InputError
from node.files import write_atomically
from node.reports.coverage import Coverage, ItemSummary, Summary, summarise
from node.reports.verification_text import render
from node.reports.wording import LANGUAGES, notes, outcome_text, value_text
from node.tabular.csv_writer import csv_lines

__all__ = [
    "Coverage",
    "ItemSummary",
    "Summary",
    "load_json",
    "render",
    "summarise",
    "to_json",
    "write",
]

FORMAT = "heqiao-report/1"
JSON_FILE, CSV_FILE, TEXT_FILE = "report.json", "findings.csv", "summary.txt"
CSV_HEADER = (
    "subject", "item", "item_zh", "item_en", "peer", "outcome", "outcome_zh", "value", "value_zh",
    "value_en", "as_of", "reason",
)  # fmt: skip
TEXT_WIDTH = 120  # columns of summary.txt
T = TypeVar("T")


def to_json(report: Report, catalogue: Catalogue) -> dict[str, Any]:
    """The report as plain JSON values; `findings` is the last key, one object per answer."""
    summary = summarise(report)
    known = {item.code: item for item in catalogue.items}
    peers = [asdict(peer) for peer in report.peers]
    return {
        "format": FORMAT,
        "job": report.job,
        "state": report.state,
        "requester": report.requester,
        "requester_name": report.requester_name,
        "purpose": report.purpose,
        "legal_basis": report.legal_basis,
        "catalogue_version": report.catalogue_version,
        "catalogue_digest": report.catalogue_digest,
        "created_at": report.created_at.isoformat(),
        "finished_at": _iso(report.finished_at),
        "due_at": report.due_at.isoformat(),
        "items": list(report.items),
        "item_facts": [item_json(known[code]) for code in report.items if code in known],
        "subjects": list(report.subjects),
        "peers": peers,
        "summary": _summary_json(summary),
        "notes": {lang: list(notes(report, catalogue, lang)) for lang in LANGUAGES},
        "findings": [_finding_json(finding) for finding in report.findings],
    }


def write(report: Report, catalogue: Catalogue, folder: Path) -> None:
    """Write report.json, findings.csv and summary.txt, each of them whole or not at all.

    The CSV starts with a byte order mark, so that spreadsheet programs read it as UTF-8, and no cell
    is taken for a formula. Raises UnavailableError.
    """
    write_atomically(folder / CSV_FILE, csv_lines(_csv_rows(report, catalogue), mark=True))
    write_atomically(folder / TEXT_FILE, [print_plain(lambda lang: render(report, catalogue, lang)).encode()])
    # Last, so that whoever waits for report.json finds the others in place.
    write_atomically(folder / JSON_FILE, _json_chunks(to_json(report, catalogue)))


def load_json(path: Path) -> Report:
    """The report of a report.json; raises InputError naming the file and the key."""
    report = read_json(path, _Head, Report, "heqiao verify")
    _check_references(path, report)
    return report


def read_json(path: Path, head: type[BaseModel], kind: type[T], command: str) -> T:
    """A file that a command has written, checked against its head and its form. Raises InputError."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}", "check the path") from None
    try:
        head.model_validate_json(content, strict=True)
        return TypeAdapter(kind).validate_json(content, strict=True)
    except ValidationError as invalid:
        first = invalid.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(map(str, first["loc"])) or "the file"
        hint = f"a report is a {JSON_FILE} that {command} has written"
        raise InputError(f"{path}: {place}: {first['msg']}", hint) from None


class _Head(BaseModel):
    format: Literal["heqiao-report/1"]


def _check_references(path: Path, report: Report) -> None:
    # A wrong count is worse than a refusal: every answer must be of this report, and only once.
    items, subjects = set(report.items), set(report.subjects)
    peers = {peer.peer for peer in report.peers}
    seen: set[tuple[str, str, str]] = set()
    for index, finding in enumerate(report.findings):
        key = (finding.subject, finding.item, finding.peer)
        if finding.subject not in subjects or finding.item not in items or finding.peer not in peers:
            problem = "names a subject, item or peer that the report does not have"
        elif key in seen:
            problem = "answers what an earlier one has answered"
        else:
            seen.add(key)
            continue
        raise InputError(f"{path}: findings.{index}: {problem}", "ask for the report again")


def _summary_json(summary: Summary) -> dict[str, Any]:
    return {
        "subjects": summary.subjects,
        "people": summary.people,
        "people_by_peer": dict(summary.people_by_peer),
        "name_mismatches": summary.name_mismatches,
        "not_mandated": summary.not_mandated,
        "answers": summary.answers,
        "unanswered": summary.unanswered,
        "items": [
            {
                "item": line.item,
                "people": line.people,
                "total": line.total,
                "histogram": {str(value): count for value, count in line.histogram.items()},
                "by_peer": dict(line.by_peer),
                "outcomes": {outcome.value: count for outcome, count in line.outcomes.items()},
                "as_of": [day.isoformat() for day in line.as_of] if line.as_of else None,
                "coverage": {peer: _coverage_json(coverage) for peer, coverage in line.coverage.items()},
            }
            for line in summary.items
        ],
    }


def _coverage_json(coverage: Coverage) -> dict[str, Any]:
    missing = {outcome.value: count for outcome, count in coverage.missing.items()}
    return {"state": coverage.state, "answered": coverage.answered, "missing": missing}


def item_json(item: Item) -> dict[str, Any]:
    """The attributes of an item."""
    return {**asdict(item), "level": item.level.name.lower(), "bands": list(item.bands)}


def _finding_json(finding: Finding) -> dict[str, Any]:
    return {
        "subject": finding.subject,
        "item": finding.item,
        "peer": finding.peer,
        "outcome": finding.outcome.value,
        "value": finding.value,
        "as_of": _iso(finding.as_of),
        "reason": finding.reason,
    }


def _json_chunks(document: dict[str, Any]) -> Iterator[bytes]:
    # One finding a line: a county's report has hundreds of thousands, and must stay readable.
    head = {key: value for key, value in document.items() if key != "findings"}
    yield json.dumps(head, ensure_ascii=False, indent=1)[:-2].encode() + b',\n "findings": ['
    separator = "\n  "
    for finding in document["findings"]:
        yield (separator + json.dumps(finding, ensure_ascii=False)).encode()
        separator = ",\n  "
    yield b"\n ]\n}\n"


def _csv_rows(report: Report, catalogue: Catalogue) -> Iterator[tuple[object, ...]]:
    known = {item.code: item for item in catalogue.items}
    yield CSV_HEADER
    for finding in report.findings:
        item = known.get(finding.item)
        yield (
            finding.subject,
            finding.item,
            item.name_zh if item else "",
            item.name_en if item else "",
            finding.peer,
            finding.outcome.value,
            outcome_text(finding.outcome, "zh"),
            "" if finding.value is None else finding.value,
            value_text(item, finding.value, "zh"),
            value_text(item, finding.value, "en"),
            _iso(finding.as_of) or "",
            finding.reason,
        )


def print_plain(tables: Callable[[str], RenderableType]) -> str:
    """The tables of a report in all languages, as a text file holds them."""
    console = Console(file=io.StringIO(), width=TEXT_WIDTH, color_system=None, force_terminal=False)
    with console.capture() as capture:
        for lang in LANGUAGES:
            console.print(tables(lang))
            console.print()
    return "\n".join(line.rstrip() for line in capture.get().splitlines()) + "\n"


def _iso(moment: date | datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
