"""Figures of a report: who was found where, who answered what (design.md section 4). Pure.

"Has the item" means FOUND, OVER or STALE. A NAME_MISMATCH is not a finding: it is counted
separately, and an officer checks it. A peer that did not answer is never counted as "no record".
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from node.domain.findings import NAME_CONVERTED, Finding, Findings, Outcome, Report

K = TypeVar("K", bound=Hashable)
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
    between traditional and simplified characters, `reused` those with an earlier answer that was used again.
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
    reused: int = 0

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
    said = _Columns.of(Findings.of(report.findings))
    states = {peer.peer: peer.state for peer in report.peers}
    codes = dict.fromkeys((*report.items, *(one.item for one in said.answers)))
    by_peer = said.people(lambda one: one.peer if one.outcome in HAS else None)
    by_outcome = said.people(lambda one: one.outcome)
    answers = sum(count for one, count in said.counts() if one.outcome in ANSWERED)
    return Summary(
        subjects=len(report.subjects),
        items=tuple(_summarise_item(code, said.of_item(code), states) for code in codes),
        people=said.people_with_record(),
        people_by_peer={peer: by_peer.get(peer, 0) for peer in states},
        name_mismatches=by_outcome.get(Outcome.NAME_MISMATCH, 0),
        not_mandated=by_outcome.get(Outcome.NOT_MANDATED, 0),
        answers=answers,
        unanswered=len(report.findings) - answers,
    )


@dataclass(frozen=True, slots=True)
class _Columns:
    """Findings: the different answers in order of first use, and for each finding its answer and subject."""

    answers: Sequence[Finding]
    answer: NDArray[np.intp]
    subject: NDArray[np.uintc]
    subjects: int

    @classmethod
    def of(cls, findings: Findings) -> "_Columns":
        """The columns of a report's findings."""
        answer = np.frombuffer(findings.answer, dtype=np.uintc)
        rows = np.arange(len(answer))
        first = np.full(len(findings.answers), len(answer))
        first[answer[::-1]] = rows[::-1]  # of equal places the last one written counts: the first row
        order = np.argsort(first)[: np.count_nonzero(first < len(answer))]
        rank = np.zeros(len(findings.answers), dtype=np.intp)
        rank[order] = np.arange(len(order))
        answers = [findings.answers[place] for place in order.tolist()]
        return cls(answers, rank[answer], np.frombuffer(findings.subject, dtype=np.uintc), len(findings.refs))

    def of_item(self, code: str) -> "_Columns":
        """Those of one item."""
        kept = np.array([one.item == code for one in self.answers], dtype=bool)
        rows = kept[self.answer]
        rank = np.cumsum(kept) - 1
        answers = [one for one in self.answers if one.item == code]
        return _Columns(answers, rank[self.answer[rows]], self.subject[rows], self.subjects)

    def counts(self) -> Iterator[tuple[Finding, int]]:
        """The different answers, each with the number of its findings."""
        found = np.bincount(self.answer, minlength=len(self.answers))
        return zip(self.answers, found.tolist(), strict=True)

    def people(self, key: Callable[[Finding], K | None]) -> dict[K, int]:
        """Distinct subjects by a key of their answers; an answer whose key is None does not count."""
        keys = [key(one) for one in self.answers]
        known = {one: place for place, one in enumerate(dict.fromkeys(keys)) if one is not None}
        group = np.array([known.get(one, -1) if one is not None else -1 for one in keys], dtype=np.intp)
        rows = group[self.answer]
        counted = rows >= 0
        seen = np.zeros((len(dict.fromkeys(keys)), self.subjects), dtype=bool)
        seen[rows[counted], self.subject[counted]] = True
        found = seen.sum(axis=1).tolist()
        return {one: found[place] for one, place in known.items()}

    def people_with_record(self) -> int:
        """Distinct subjects that have the item, or any of the items."""
        return self.people(lambda one: True if one.outcome in HAS else None).get(True, 0)


def _summarise_item(code: str, said: _Columns, states: Mapping[str, str]) -> ItemSummary:
    by_peer = said.people(lambda one: one.peer if one.outcome in HAS else None)
    people = said.people(lambda one: one.outcome)
    per_peer: defaultdict[str, Counter[Outcome]] = defaultdict(Counter)
    histogram: Counter[int] = Counter()
    dates = []
    for one, count in said.counts():
        per_peer[one.peer][one.outcome] += count
        if one.outcome not in HAS:
            continue
        if one.value is not None:
            histogram[one.value] += count
        if one.as_of is not None:
            dates.append(one.as_of)
    return ItemSummary(
        item=code,
        people=said.people_with_record(),
        total=sum(value * count for value, count in histogram.items()),
        histogram=dict(sorted(histogram.items())),
        by_peer={peer: by_peer.get(peer, 0) for peer in states},
        outcomes={outcome: people[outcome] for outcome in Outcome if outcome in people},
        as_of=(min(dates), max(dates)) if dates else None,
        coverage={peer: _cover(per_peer[peer], state) for peer, state in states.items()},
        converted=said.people(lambda one: True if one.reason == NAME_CONVERTED else None).get(True, 0),
        reused=said.people(lambda one: True if one.reused_from is not None else None).get(True, 0),
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
