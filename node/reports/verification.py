"""A verification as a document in Chinese or English, and as a record (design.md section 4). Pure.

A report states facts, dates, coverage and clocks; it never decides. docs/report.md describes the files.
"""

from array import array
from collections.abc import Mapping, Sequence
from operator import add, or_
from typing import Any

import numpy as np

from matcher.types import Level
from node.domain.catalogue import Catalogue, Item
from node.domain.findings import Finding, Findings, Outcome, Report
from node.reports import columns as columns_form
from node.reports.answer_json import answer_json
from node.reports.common import columns, facts, head_json, known_items, peer_json, peers_table
from node.reports.coverage import Coverage, ItemSummary, Summary, summarise
from node.reports.declared import declared_json, declared_rows, declared_sections
from node.reports.document import (
    Column,
    Document,
    Group,
    Joined,
    Kind,
    Listing,
    Paragraph,
    Record,
    Row,
    Table,
)
from node.reports.notes import verification_notes
from node.reports.rechecks import recheck_json, recheck_problem, recheck_sections
from node.reports.wording import (
    LANGUAGES,
    answer_text,
    band_text,
    choose,
    code_text,
    item_text,
    outcome_text,
    purpose_text,
    state_text,
    value_text,
    word,
)

_FACTS = ("job", "requester", "purpose", "matter", "legal_basis", "created", "finished", "due", "catalogue")
_PEERS = ("peer", "state", "plan", "people", "seconds", "up", "down", "points")
_LISTING = (
    Column("subject"),
    Column("item"),
    Column("item_zh"),
    Column("item_en"),
    Column("peer"),
    Column("outcome"),
    Column("outcome_zh"),
    Column("value", Kind.NUMBER),
    Column("value_zh"),
    Column("value_en"),
    Column("as_of", Kind.DAY),
    Column("reason"),
    Column("reused_from"),
    Column("reused_on", Kind.DAY),
)
_TOTALS = (
    "核对 {subjects:,} 人；至少一项有记录 {people:,} 人（各省合并去重；分省：{peers}）；"
    "姓名不符 {name_mismatches:,} 人；无授权 {not_mandated:,} 人；"
    "答复 {answers:,} 条，未答复 {unanswered:,} 条。",
    "{subjects:,} people verified; {people:,} with at least one item "
    "(distinct over all provinces; per province: {peers}); "
    "{name_mismatches:,} with a name that differs; {not_mandated:,} without mandate; "
    "{answers:,} answers, {unanswered:,} unanswered.",
)


def document(report: Report, catalogue: Catalogue, lang: str) -> Document:
    """Findings per item, totals, peers. Raises InputError for `lang`."""
    summary = summarise(report)
    purpose = purpose_text(report.purpose, lang)
    return Document(
        lang=lang,
        title=word("title", lang),
        job=report.job,
        facts=facts(report, _FACTS, lang, purpose=purpose),
        sections=(
            *recheck_sections(report, catalogue, lang),
            *declared_sections(report, catalogue, lang),
            _items_table(report, summary, catalogue, lang),
            Paragraph(_totals(summary, lang)),
            peers_table(report, _PEERS, lang, summary.people_by_peer),
        ),
        notes_title=word("notes", lang),
        notes=verification_notes(report, catalogue, lang),
    )


def record(report: Report, catalogue: Catalogue) -> Record:
    """All that report.json and findings.csv hold."""
    more = {
        "subjects": list(report.subjects),
        "peers": [peer_json(peer) for peer in report.peers],
        **_how_asked(report),
        "summary": _summary_json(summarise(report)),
        "notes": {lang: list(verification_notes(report, catalogue, lang)) for lang in LANGUAGES},
        **declared_json(report, catalogue),
        **recheck_json(report),
    }
    found = Findings.of(report.findings)
    places = (found.subject, found.answer)
    known = known_items(catalogue)
    rows: list[Row] = [_listing_row(said, known.get(said.item)) for said in found.answers]
    is_large = len(found) > columns_form.MOST_OBJECTS
    objects: Sequence[Mapping[str, Any]] = columns_form.FindingColumns.of(report) if is_large else Joined(
        [{"subject": ref} for ref in found.refs], list(map(answer_json, found.answers)), *places, or_
    )  # fmt: skip
    firsts: list[Row] = [(ref,) for ref in found.refs]
    subject, answer = found.subject, found.answer
    declared = declared_rows(report, catalogue)
    if declared:  # behind the answers
        subject = array("I", [*subject, *range(len(firsts), len(firsts) + len(declared))])
        answer = array("I", [*answer, *range(len(rows), len(rows) + len(declared))])
        firsts += [first for first, _ in declared]
        rows += [rest for _, rest in declared]
    return Record(
        facts={**head_json(report, report.purpose, catalogue), **more},
        findings=objects,
        format=columns_form.FORMAT if is_large else "",
        listing=Listing(_LISTING, Joined(firsts, rows, subject, answer, add)),
    )


def problem(report: Report) -> str:
    """What is wrong with a report that was read from a file: a place and a sentence, or nothing.

    A wrong count is worse than a refusal: every answer must be of this report, and only once.
    """
    items, subjects = set(report.items), set(report.subjects)
    peers = {peer.peer for peer in report.peers}
    found = Findings.of(report.findings)
    strange = np.array([ref not in subjects for ref in found.refs], dtype=bool)
    wrong = np.array([said.item not in items or said.peer not in peers for said in found.answers], dtype=bool)
    questions = {question: place for place, question in enumerate({(a.item, a.peer) for a in found.answers})}
    question_of = np.array([questions[said.item, said.peer] for said in found.answers], dtype=np.int64)
    if not len(found):
        return recheck_problem(report)
    subject, answer = np.frombuffer(found.subject, np.uintc), np.frombuffer(found.answer, np.uintc)
    keys = subject.astype(np.int64) * len(questions) + question_of[answer]
    repeated = np.ones(len(keys), dtype=bool)
    repeated[np.unique(keys, return_index=True)[1]] = False
    unknown = strange[subject] | wrong[answer]
    bad = np.flatnonzero(unknown | repeated)
    if not len(bad):
        return recheck_problem(report)
    if unknown[bad[0]]:
        return f"findings.{bad[0]}: names a subject, item or peer that the report does not have"
    return f"findings.{bad[0]}: answers what an earlier one has answered"


# ---- the document


def _items_table(report: Report, summary: Summary, catalogue: Catalogue, lang: str) -> Table:
    known = known_items(catalogue)
    groups = []
    for line in summary.items:
        item = known.get(line.item)
        # Amounts under the item and not beside it: bands are long, and a terminal has 80 columns.
        first = "\n  ".join((item_text(item, line.item, lang), *_amounts(item, line, lang)))
        row = (first, line.people, _provinces(report, line, lang), _remarks(line, lang), line.as_of)
        groups.append(Group((row,)))
    text, number, days = Kind.TEXT, Kind.NUMBER, Kind.DAYS
    shown = columns(lang, item=text, people=number, provinces=text, remarks=text, as_of=days)
    return Table(word("findings", lang), shown, tuple(groups))


def _amounts(item: Item | None, line: ItemSummary, lang: str) -> tuple[str, ...]:
    if item is None:
        return ()
    if item.level is Level.COUNT:
        return (value_text(item, line.total, lang),)
    if item.level is Level.BAND:
        return tuple(f"{band_text(item, band, lang)}: {count:,}" for band, count in line.histogram.items())
    if item.level is Level.CODE:
        return tuple(f"{code_text(item, place, lang)}: {count:,}" for place, count in line.histogram.items())
    return (value_text(item, 1, lang),) if item.level is Level.THRESHOLD else ()


def _provinces(report: Report, line: ItemSummary, lang: str) -> str:
    # A peer that gave no answer is shown with the cause, never with a zero.
    lines = []
    for peer in report.peers:
        state = line.coverage[peer.peer].state
        count = f"{line.by_peer[peer.peer]:,}"
        if state == "answered":
            lines.append(f"{peer.peer}: {count}")
        elif state == "partly":
            lines.append(f"{peer.peer}: {count} ({state_text(state, lang)})")
        else:
            lines.append(f"{peer.peer}: {state_text(state, lang)}")
    return "\n".join(lines)


def _remarks(line: ItemSummary, lang: str) -> str | None:
    counted = (Outcome.NAME_MISMATCH, Outcome.STALE, Outcome.NOT_MANDATED)
    lines = [
        f"{outcome_text(outcome, lang)}: {line.outcomes[outcome]:,}"
        for outcome in counted
        if outcome in line.outcomes
    ]
    if line.converted:
        lines.append(f"{word('converted', lang)}: {line.converted:,}")
    if line.reused:
        lines.append(f"{word('reused_count', lang)}: {line.reused:,}")
    for outcome in (Outcome.NOT_CONNECTED, Outcome.NOT_COMPARABLE):
        away = line.peers_with(outcome.lower())
        if away:
            lines.append(f"{outcome_text(outcome, lang)}: {', '.join(away)}")
    return "\n".join(lines) or None


def _totals(summary: Summary, lang: str) -> str:
    return choose(_TOTALS, lang).format(
        subjects=summary.subjects,
        people=summary.people,
        peers=", ".join(f"{peer} {count:,}" for peer, count in summary.people_by_peer.items()),
        name_mismatches=summary.name_mismatches,
        not_mandated=summary.not_mandated,
        answers=summary.answers,
        unanswered=summary.unanswered,
    )


# ---- the record


def _summary_json(summary: Summary) -> dict[str, Any]:
    return {
        "subjects": summary.subjects,
        "people": summary.people,
        "people_by_peer": dict(summary.people_by_peer),
        "name_mismatches": summary.name_mismatches,
        "not_mandated": summary.not_mandated,
        "answers": summary.answers,
        "unanswered": summary.unanswered,
        "items": [_item_summary_json(line) for line in summary.items],
    }


def _item_summary_json(line: ItemSummary) -> dict[str, Any]:
    return {
        "item": line.item,
        "people": line.people,
        "total": line.total,
        "histogram": {str(value): count for value, count in line.histogram.items()},
        "by_peer": dict(line.by_peer),
        "outcomes": {outcome.value: count for outcome, count in line.outcomes.items()},
        "as_of": [day.isoformat() for day in line.as_of] if line.as_of else None,
        "coverage": {peer: _coverage_json(coverage) for peer, coverage in line.coverage.items()},
    }


def _coverage_json(coverage: Coverage) -> dict[str, Any]:
    missing = {outcome.value: count for outcome, count in coverage.missing.items()}
    return {"state": coverage.state, "answered": coverage.answered, "missing": missing}


def _how_asked(report: Report) -> dict[str, Any]:
    """Only what there is: a due day that is estimated, provinces that were considered and not asked."""
    found: dict[str, Any] = {"due_estimated": True} if report.due_estimated else {}
    return found | ({"left_out": dict(report.left_out)} if report.left_out else {})


def _listing_row(said: Finding, item: Item | None) -> Row:
    """The row of a finding without its subject, which comes first."""
    return (
        said.item,
        item.name_zh if item else None,
        item.name_en if item else None,
        said.peer,
        said.outcome.value,
        answer_text(said, "zh"),
        said.value,
        value_text(item, said.value, "zh"),
        value_text(item, said.value, "en"),
        said.as_of,
        said.reason,
        said.reused_from.job if said.reused_from else None,
        said.reused_from.day if said.reused_from else None,
    )
