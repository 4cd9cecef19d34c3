"""Reports of sums: JSON, CSV and text, in Chinese and English (docs/report.md)."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel

from node.domain.catalogue import Catalogue
from node.domain.sum_findings import SumFinding, SumReport
from node.domain.sum_rules import STATISTICS
from node.errors import InputError
from node.files import write_atomically
from node.reports.sums_text import render
from node.reports.sums_wording import band_text, notes, outcome_text
from node.reports.verification import JSON_FILE, TEXT_FILE, item_json, print_plain, read_json
from node.reports.wording import LANGUAGES
from node.tabular.csv_writer import csv_lines

__all__ = ["load_json", "render", "to_json", "write"]

FORMAT = "heqiao-sums/1"
CSV_FILE = "sums.csv"
CSV_HEADER = (
    "item", "item_zh", "item_en", "peer", "outcome", "outcome_zh", "outcome_en", "reason", "asked", "count",
    "total", "mean", "deviation", "unit", "mode", "epsilon", "band", "band_zh", "band_en", "band_count",
    "as_of_from", "as_of_to",
)  # fmt: skip


def to_json(report: SumReport, catalogue: Catalogue) -> dict[str, Any]:
    """The report as plain JSON values; `findings` is the last key, one object per item and province."""
    known = {item.code: item for item in catalogue.items}
    return {
        "format": FORMAT,
        "job": report.job,
        "state": report.state,
        "requester": report.requester,
        "requester_name": report.requester_name,
        "purpose": STATISTICS,
        "legal_basis": report.legal_basis,
        "catalogue_version": report.catalogue_version,
        "catalogue_digest": report.catalogue_digest,
        "created_at": report.created_at.isoformat(),
        "finished_at": report.finished_at.isoformat() if report.finished_at else None,
        "due_at": report.due_at.isoformat(),
        "items": list(report.items),
        "item_facts": [item_json(known[code]) for code in report.items if code in known],
        "people": report.people,
        "peers": [asdict(peer) for peer in report.peers],
        "notes": {lang: list(notes(report, catalogue, lang)) for lang in LANGUAGES},
        "findings": [_finding_json(found) for found in report.findings],
    }


def write(report: SumReport, catalogue: Catalogue, folder: Path) -> None:
    """Write report.json, sums.csv and summary.txt, each of them whole or not at all.

    Raises UnavailableError.
    """
    write_atomically(folder / CSV_FILE, csv_lines(_csv_rows(report, catalogue), mark=True))
    text = print_plain(lambda lang: render(report, catalogue, lang))
    write_atomically(folder / TEXT_FILE, [text.encode()])
    # Last, so that whoever waits for report.json finds the others in place.
    plain = json.dumps(to_json(report, catalogue), ensure_ascii=False, indent=1)
    write_atomically(folder / JSON_FILE, [plain.encode() + b"\n"])


def load_json(path: Path) -> SumReport:
    """The report of a report.json; raises InputError naming the file and the key."""
    report = read_json(path, _Head, SumReport, "heqiao sum")
    peers, seen = {peer.peer for peer in report.peers}, set[tuple[str, str]]()
    for index, found in enumerate(report.findings):
        key = (found.item, found.peer)
        if found.item not in report.items or found.peer not in peers or key in seen:
            problem = "names an item or peer that the report does not have, or one a second time"
            raise InputError(f"{path}: findings.{index}: {problem}", "ask for the report again")
        seen.add(key)
    return report


def is_sums(path: Path) -> bool:
    """Whether a file is a report of sums; False for whatever else it may be."""
    try:
        plain = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(plain, dict) and plain.get("format") == FORMAT


class _Head(BaseModel):
    format: Literal["heqiao-sums/1"]


def _finding_json(found: SumFinding) -> dict[str, Any]:
    plain = asdict(found)
    plain["outcome"] = found.outcome.value
    plain["as_of"] = [day.isoformat() for day in found.as_of] if found.as_of else None
    return {**plain, "mean": found.mean, "deviation": found.deviation}


def _csv_rows(report: SumReport, catalogue: Catalogue) -> Iterator[tuple[object, ...]]:
    """One line for each item and province, and one for each cell of its histogram."""
    known = {item.code: item for item in catalogue.items}
    yield CSV_HEADER
    for found in report.findings:
        item = known.get(found.item)
        names = (item.name_zh, item.name_en) if item else ("", "")
        words = tuple("" if found.count is not None else outcome_text(found, lang) for lang in LANGUAGES)
        line = (found.item, *names, found.peer, found.outcome.value, *words, found.reason, found.asked)
        figures = (found.count, found.total, found.mean, found.deviation)
        unit = item.unit_en if item else ""
        noise = (unit, found.mode, found.epsilon if found.mode == "dp" else "")
        days = tuple(day.isoformat() for day in found.as_of) if found.as_of else ("", "")
        yield (*line, *("" if one is None else one for one in figures), *noise, "", "", "", "", *days)
        for index, cell in enumerate(found.bands):
            labels = (band_text(item, index, lang) for lang in LANGUAGES)
            shown = "suppressed" if cell is None else cell
            yield (*line, "", "", "", "", *noise, index, *labels, shown, *days)
