"""Figures of a report: who was found where, who answered what (design.md section 4). Pure.

"Has the item" means FOUND, OVER or STALE. A NAME_MISMATCH is not a finding: it is counted
separately, and an officer checks it. A peer that did not answer is never counted as "no record".
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from node.domain.findings import NAME_CONVERTED, Finding, Outcome, Report

HAS = frozenset((Outcome.FOUND, Outcome.OVER, Outcome.STALE))
ANSWERED = HAS | {Outcome.NOT_FOUND, Outcome.NOT_OVER, Outcome.NAME_MISMATCH}


@dataclass(frozen=True, slots=True)
class Coverage:
    """How far one peer answered for one item: `answered` answers, and the rest by outcome.

    `state` is `answered`, `partly`, or the commonest cause for no answer in lower case
    (`not_connected`, `refused`, ...); `none` where the peer sent nothing.
    """

    answered: int
    missing: Mapping[Outcome, int]
    state: str


@dataclass(frozen=True, slots=True)
class ItemSummary:
    """One item over all peers.

    `people` have the item (distinct subjects), `by_peer` the same per peer. `total` adds each
    subject's disclosed values over the peers: the number of vehicles or dwellings for a count
    item, meaningless for others. `histogram` counts answers per disclosed value: per band for a
    band item. `outcomes` counts distinct subjects per outcome. `as_of` is the range of the dates of
    what was found. `converted` are the subjects whose name, where it differs, is equal after conversion
    between traditional and simplified characters.
    """

    item: str
    people: int
    total: int
    histogram: Mapping[int, int]
    by_peer: Mapping[str, int]
    outcomes: Mapping[Outcome, int]
    as_of: tuple[date, date] | None
    coverage: Mapping[str, Coverage]
    converted: int = 0

    def peers_with(self, state: str) -> tuple[str, ...]:
        """The peers whose coverage of this item is in that state."""
        return tuple(peer for peer, coverage in self.coverage.items() if coverage.state == state)


@dataclass(frozen=True, slots=True)
class Summary:
    """The figures of a whole report. `answers` + `unanswered` are all findings of the report."""

    subjects: int
    items: tuple[ItemSummary, ...]
    people: int
    people_by_peer: Mapping[str, int]
    name_mismatches: int
    not_mandated: int
    answers: int
    unanswered: int

    def item(self, code: str) -> ItemSummary:
        """The summary of one item; raises KeyError."""
        for item in self.items:
            if item.item == code:
                return item
        raise KeyError(code)


def summarise(report: Report) -> Summary:
    """Count a report; items and peers without any finding are listed with zeros and as unanswered."""
    by_item: dict[str, list[Finding]] = {code: [] for code in report.items}
    for finding in report.findings:
        by_item.setdefault(finding.item, []).append(finding)
    states = {peer.peer: peer.state for peer in report.peers}
    has = [finding for finding in report.findings if finding.outcome in HAS]
    answers = sum(finding.outcome in ANSWERED for finding in report.findings)
    by_peer = _people_by_peer(has)
    return Summary(
        subjects=len(report.subjects),
        items=tuple(_summarise_item(code, findings, states) for code, findings in by_item.items()),
        people=len({finding.subject for finding in has}),
        people_by_peer={peer: by_peer.get(peer, 0) for peer in states},
        name_mismatches=_count_people(report.findings, Outcome.NAME_MISMATCH),
        not_mandated=_count_people(report.findings, Outcome.NOT_MANDATED),
        answers=answers,
        unanswered=len(report.findings) - answers,
    )


def _summarise_item(code: str, findings: list[Finding], states: Mapping[str, str]) -> ItemSummary:
    has = [finding for finding in findings if finding.outcome in HAS]
    by_peer = _people_by_peer(has)
    subjects: defaultdict[Outcome, set[str]] = defaultdict(set)
    per_peer: defaultdict[str, Counter[Outcome]] = defaultdict(Counter)
    for finding in findings:
        subjects[finding.outcome].add(finding.subject)
        per_peer[finding.peer][finding.outcome] += 1
    dates = [finding.as_of for finding in has if finding.as_of is not None]
    values = [finding.value for finding in has if finding.value is not None]
    return ItemSummary(
        item=code,
        people=len({finding.subject for finding in has}),
        total=sum(values),
        histogram=dict(sorted(Counter(values).items())),
        by_peer={peer: by_peer.get(peer, 0) for peer in states},
        outcomes={outcome: len(subjects[outcome]) for outcome in Outcome if outcome in subjects},
        as_of=(min(dates), max(dates)) if dates else None,
        coverage={peer: _cover(per_peer[peer], state) for peer, state in states.items()},
        converted=len({finding.subject for finding in findings if finding.reason == NAME_CONVERTED}),
    )


def _cover(outcomes: Counter[Outcome], peer_state: str) -> Coverage:
    missing = {outcome: count for outcome, count in outcomes.items() if outcome not in ANSWERED}
    answered = sum(outcomes.values()) - sum(missing.values())
    # Subjects that the requester itself did not ask about are not part of the peer's coverage.
    causes = {outcome: count for outcome, count in missing.items() if outcome is not Outcome.NOT_MANDATED}
    if answered:
        state = "partly" if causes else "answered"
    elif missing:
        state = Counter(causes or missing).most_common(1)[0][0].lower()
    else:
        state = "none" if peer_state == "done" else peer_state
    return Coverage(answered, missing, state)


def _people_by_peer(findings: Iterable[Finding]) -> dict[str, int]:
    people: defaultdict[str, set[str]] = defaultdict(set)
    for finding in findings:
        people[finding.peer].add(finding.subject)
    return {peer: len(subjects) for peer, subjects in people.items()}


def _count_people(findings: Iterable[Finding], outcome: Outcome) -> int:
    return len({finding.subject for finding in findings if finding.outcome is outcome})
