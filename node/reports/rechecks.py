"""What a re-check looks at again: the objection, the earlier report, old and new answers. Pure."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from node.domain.catalogue import Catalogue
from node.domain.findings import Finding, Recheck, Report
from node.reports.answer_cells import answer_cell
from node.reports.answer_json import answer_json
from node.reports.common import iso, known_items
from node.reports.declared_words import case_word
from node.reports.document import Column, Group, Paragraph, Row, Section, Table
from node.reports.wording import choose, item_text

MOST_ANSWERS = 2_000  # that are printed side by side


def recheck_sections(report: Report, catalogue: Catalogue, lang: str) -> tuple[Section, ...]:
    """None for a report that looks at nothing again."""
    found = report.recheck
    if found is None:
        return ()
    sections: list[Section] = [Paragraph(one) for one in _lines(found, lang)]
    if found.findings and len(report.findings) <= MOST_ANSWERS:
        sections.append(_answers(report, found, catalogue, lang))
    return tuple(sections)


def _lines(found: Recheck, lang: str) -> list[str]:
    number = found.number or case_word("earlier_gone", lang)
    colon = choose(("：", ": "), lang)
    lines = [f"{case_word('earlier_number', lang)}{colon}{number} ({found.job})"]
    told = found.objection
    if told is not None:
        when = case_word("late" if told.raised > told.last_day else "in_time", lang)
        lines.append(
            case_word("objection", lang).format(
                id=told.id, received=told.received, raised=told.raised, last=told.last_day, when=when
            )
        )
        # The text of a person is a paragraph of its own: nothing in it can look like a line of the report.
        lines.append(case_word("raised_by", lang).format(name=told.raised_by))
        lines.append(case_word("grounds", lang).format(grounds=told.grounds))
    return lines


def _answers(report: Report, found: Recheck, catalogue: Catalogue, lang: str) -> Table:
    known = known_items(catalogue)
    before = {(one.subject, one.item, one.peer): one for one in found.findings}
    groups: dict[str, list[Row]] = {}
    peers = {peer.peer: at for at, peer in enumerate(report.peers)}
    items = {code: at for at, code in enumerate(report.items)}
    for one in sorted(report.findings, key=lambda one: (items[one.item], peers[one.peer])):
        old = before.get((one.subject, one.item, one.peer))
        item = known.get(one.item)
        row: Row = (
            item_text(item, one.item, lang),
            one.peer,
            answer_cell(old, item, lang),
            answer_cell(one, item, lang),
            case_word("same" if _is_same(old, one) else "differs", lang),
        )
        groups.setdefault(one.subject, []).append(row)
    columns = tuple(Column(case_word(key, lang)) for key in ("what", "province", "old", "new", "remark"))
    title = case_word("member", lang)
    return Table(
        case_word("earlier_answers", lang),
        columns,
        tuple(Group(tuple(groups[ref]), f"{title} {ref}") for ref in report.subjects if ref in groups),
    )


def _is_same(old: Finding | None, new: Finding) -> bool:
    return old is not None and (old.outcome, old.value, old.as_of) == (new.outcome, new.value, new.as_of)


def recheck_json(report: Report) -> dict[str, Any]:
    """The key `recheck` of report.json, of a report that has one."""
    found = report.recheck
    if found is None:
        return {}
    told = found.objection
    objection = None
    if told is not None:
        days = {"received": told.received, "raised": told.raised, "last_day": told.last_day}
        objection = {**asdict(told), **{name: day.isoformat() for name, day in days.items()}}
    return {
        "recheck": {
            "job": found.job,
            "number": found.number,
            "finished_at": iso(found.finished_at),
            "findings": [{"subject": one.subject, **answer_json(one)} for one in found.findings],
            "objection": objection,
        }
    }


def recheck_problem(report: Report) -> str:
    """What is wrong with the earlier answers of a report that was read from a file, or nothing."""
    found: Sequence[Finding] = report.recheck.findings if report.recheck else ()
    subjects, items = set(report.subjects), set(report.items)
    peers, seen = {peer.peer for peer in report.peers}, set()
    for index, one in enumerate(found):
        key = (one.subject, one.item, one.peer)
        if one.subject not in subjects or one.item not in items or one.peer not in peers or key in seen:
            return f"recheck.findings.{index}: is not about a question of the report, or the second of one"
        seen.add(key)
    return ""
