"""What the reports of all kinds have in common: head, peers, the keys of report.json. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from node.domain.catalogue import Catalogue, Item
from node.domain.days import china_day, china_minute
from node.domain.findings import PeerSummary, Report
from node.domain.sum_findings import SumReport
from node.reports.document import Cell, Column, Fact, Group, Kind, Row, Table
from node.reports.numbers import report_number
from node.reports.print_words import basis_text, matter_text
from node.reports.wording import choose, plan_reason_text, plan_text, rule_text, state_text, word

# Keys of report.json, in every form of it, that hold a text.
HEAD_KEYS = (
    "number", "job", "state", "requester", "requester_name", "purpose", "legal_basis", "catalogue_version",
    "catalogue_digest",
)  # fmt: skip
_PEER_COLUMNS = {
    "peer": Kind.TEXT,
    "state": Kind.TEXT,
    "plan": Kind.TEXT,
    "people": Kind.NUMBER,
    "seconds": Kind.SECONDS,
    "up": Kind.SIZE,
    "down": Kind.SIZE,
    "points": Kind.NUMBER,
}


def known_items(catalogue: Catalogue) -> dict[str, Item]:
    """The items of a catalogue by code."""
    return {item.code: item for item in catalogue.items}


def columns(lang: str, **kinds: Kind) -> tuple[Column, ...]:
    """Columns headed by the report's own words, each with what its cells are."""
    return tuple(Column(word(key, lang), kind) for key, kind in kinds.items())


def facts(report: Report | SumReport, keys: Sequence[str], lang: str, **more: str) -> tuple[Fact, ...]:
    """The head of a document: the facts of those keys, in that order; `more` are those of one kind only."""
    matter = matter_text(report.matter, lang, report.matter_name) if isinstance(report, Report) else ""
    values = {
        "job": f"{report.job} ({state_text(report.state, lang)})",
        "requester": f"{report.requester} {report.requester_name}",
        "legal_basis": basis_text(report.legal_basis, lang, report.legal_basis_name),
        "matter": matter,
        "created": minute(report.created_at),
        "finished": minute(report.finished_at),
        "due": _due(report, lang),
        "catalogue": f"{report.catalogue_version} ({report.catalogue_digest[:16]})",
        **more,
    }
    return tuple(Fact(word(key, lang), values[key]) for key in keys if values[key])


def peers_table(
    report: Report | SumReport, keys: Sequence[str], lang: str, people: Mapping[str, int] | None = None
) -> Table:
    """How each peer's part went: the columns of those keys; `people` counts the people that a peer has."""
    rows: list[Row] = []
    for peer in report.peers:
        state = state_text(peer.state, lang)
        cells: dict[str, Cell] = {
            "peer": f"{peer.peer} {peer.name}",
            "state": f"{state}: {peer.reason}" if peer.reason else state,
            "plan": plan_text(peer.plan, lang) or None,
            "people": (people or {}).get(peer.peer) if peer.state == "done" else None,
            "seconds": peer.seconds,
            "up": peer.bytes_up,
            "down": peer.bytes_down,
            "points": peer.points,
        }
        rows.append(tuple(cells[key] for key in keys))
    shown = columns(lang, **{key: _PEER_COLUMNS[key] for key in keys})
    notes = (
        *_plan_reasons(report.peers, lang),
        *_rules(report.peers, lang),
        *_attempts(report.peers, lang),
        *_left_out(report, lang),
    )
    return Table(word("peers", lang), shown, (Group(tuple(rows)),), notes)


def _plan_reasons(peers: Sequence[PeerSummary], lang: str) -> tuple[str, ...]:
    # How each peer's items were looked up, and why: items with the same words together, and so peers.
    by_text: dict[str, list[str]] = {}
    for peer in peers:
        if text := _plan_text(peer.plan_reason, lang):
            by_text.setdefault(text, []).append(peer.peer)
    comma, colon = choose(("、", ", "), lang), choose(("：", ": "), lang)
    return tuple(f"{word('plan', lang)} {comma.join(codes)}{colon}{text}" for text, codes in by_text.items())


def _plan_text(reason: str, lang: str) -> str:
    # `C21 mirror: kept; C22 mirror: kept; C21 changed` in words.
    by_words: dict[str, list[str]] = {}
    for one in filter(None, reason.split("; ")):
        item, _, why = one.partition(" ")
        by_words.setdefault(plan_reason_text(why, lang), []).append(item)
    comma, stop = choose(("、", ", "), lang), choose(("；", "; "), lang)
    around = choose(("{}（{}）", "{} ({})"), lang)
    return stop.join(around.format(said, comma.join(items)) for said, items in by_words.items())


def _rules(peers: Sequence[PeerSummary], lang: str) -> tuple[str, ...]:
    # The rules by which peers refused, in words.
    named = dict.fromkeys(peer.reason for peer in peers)
    return tuple(f"{rule}: {rule_text(rule, lang)}" for rule in named if rule_text(rule, lang))


def number_of(report: Report | SumReport) -> str:
    """The number of a report (ADR 0024); that of one household has another than that of the whole list."""
    people = report.subjects if isinstance(report, Report) else ()
    return report_number(report.requester, report.created_at, report.job, people)


def head_json(report: Report | SumReport, purpose: str, catalogue: Catalogue) -> dict[str, Any]:
    """The first keys of report.json."""
    known = known_items(catalogue)
    return {
        "number": number_of(report),
        "job": report.job,
        "state": report.state,
        "requester": report.requester,
        "requester_name": report.requester_name,
        **({"issuing_body": report.issuing_body} if report.issuing_body else {}),
        "purpose": purpose,
        **(_matter_json(report) if isinstance(report, Report) else {}),
        "legal_basis": report.legal_basis,
        **({"legal_basis_name": list(report.legal_basis_name)} if report.legal_basis_name else {}),
        "catalogue_version": report.catalogue_version,
        "catalogue_digest": report.catalogue_digest,
        "created_at": report.created_at.isoformat(),
        "finished_at": iso(report.finished_at),
        "due_at": report.due_at.isoformat(),
        "items": list(report.items),
        "item_facts": [_item_json(known[code]) for code in report.items if code in known],
    }


def _matter_json(report: Report) -> dict[str, Any]:
    if not report.matter:
        return {}
    name = {"matter_name": list(report.matter_name)} if report.matter_name else {}
    return {"matter": report.matter, **name}


def iso(moment: date | datetime | None) -> str | None:
    """A date or time as JSON has it."""
    return None if moment is None else moment.isoformat()


def _item_json(item: Item) -> dict[str, Any]:
    facts = {**asdict(item), "level": item.level.name.lower(), "bands": list(item.bands)}
    return {**facts, "codes": list(facts["codes"]), "definition_digest": item.definition.hex()}


def _due(report: Report | SumReport, lang: str) -> str:
    """The day on which answers are due, marked where it is estimated (domain.md section 2)."""
    text = minute(report.due_at)
    estimated = isinstance(report, Report) and report.due_estimated
    return f"{text} ({word('estimated', lang)})" if estimated else text


def peer_json(peer: PeerSummary) -> dict[str, Any]:
    """A peer in report.json; `attempts` only where it was asked again, `answered_at` where it answered."""
    plain = asdict(peer)
    del plain["attempts"], plain["answered_at"]
    if peer.answered_at:
        plain["answered_at"] = iso(peer.answered_at)
    if peer.attempts:
        plain["attempts"] = [
            {**asdict(one), "asked_at": one.asked_at.isoformat(), "ended_at": one.ended_at.isoformat()}
            for one in peer.attempts
        ]
    return plain


def _attempts(peers: Sequence[PeerSummary], lang: str) -> tuple[str, ...]:
    # How earlier attempts at peers ended that were asked again.
    return tuple(
        word("attempt", lang).format(
            peer=peer.peer,
            asked=china_day(one.asked_at),
            ended=china_day(one.ended_at),
            state=state_text(one.state, lang) + (f" ({one.reason})" if one.reason else ""),
        )
        for peer in peers
        for one in peer.attempts
    )


def _left_out(report: Report | SumReport, lang: str) -> tuple[str, ...]:
    # Provinces that were considered and not asked.
    found = report.left_out if isinstance(report, Report) else {}
    comma, colon = choose(("、", ", "), lang), choose(("：", ": "), lang)
    texts = [f"{peer} ({state_text(reason, lang)})" for peer, reason in found.items()]
    return (word("left_out", lang) + colon + comma.join(texts),) if texts else ()


def minute(moment: datetime | None) -> str:
    """A moment as reports write it; a hyphen where there is none."""
    return "-" if moment is None else china_minute(moment)
