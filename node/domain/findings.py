"""Outcomes of a verification as data, the content of a report (design.md section 4)."""

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import overload

from node.domain.declared import DeclaredHousehold
from node.domain.jobs import Attempt

# Reason of a NAME_MISMATCH: the names are equal once traditional characters are written as simplified ones.
NAME_CONVERTED = "name_converted"


class Outcome(StrEnum):
    """The answer of one province for one subject and item."""

    FOUND = "FOUND"
    NOT_FOUND = "NOT_FOUND"
    OVER = "OVER"
    NOT_OVER = "NOT_OVER"
    NAME_MISMATCH = "NAME_MISMATCH"
    STALE = "STALE"
    NOT_CONNECTED = "NOT_CONNECTED"
    NOT_MANDATED = "NOT_MANDATED"
    REFUSED = "REFUSED"
    OVERDUE = "OVERDUE"
    UNAVAILABLE = "UNAVAILABLE"
    NOT_COMPARABLE = "NOT_COMPARABLE"  # the two provinces define the item differently (口径不一致)


@dataclass(frozen=True, slots=True)
class ReusedFrom:
    """The earlier job whose answer is used again, and the day in China on which it was given."""

    job: str
    day: date


@dataclass(frozen=True, slots=True)
class Finding:
    """The answer for one subject, item and peer.

    `subject` is the caller's own reference (household/member), never an identity number. `value`
    is the value that the item's level discloses (1, a count, a band index) where the outcome is FOUND, OVER
    or STALE, else None. `reason` names the rule or cause for REFUSED, NOT_MANDATED,
    UNAVAILABLE, and NAME_CONVERTED for a NAME_MISMATCH. `reused_from` says where an earlier answer was used
    again instead of asking.
    """

    subject: str
    item: str
    peer: str
    outcome: Outcome
    value: int | None = None
    as_of: date | None = None
    reason: str = ""
    reused_from: ReusedFrom | None = None


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Findings(Sequence[Finding]):
    """Many findings as columns, and a sequence of `Finding`: a list has hundreds of thousands, few different.

    Finding i is about subject `refs[subject[i]]` and says `answers[answer[i]]`, a finding without a subject.
    Both columns hold unsigned integers of 4 bytes.
    """

    refs: tuple[str, ...]
    answers: tuple[Finding, ...]
    subject: "array[int]"
    answer: "array[int]"

    @classmethod
    def of(cls, findings: Iterable[Finding]) -> "Findings":
        """The columns of some findings."""
        if isinstance(findings, Findings):
            return findings
        refs: dict[str, int] = {}
        answers: dict[tuple[str, str, Outcome, int | None, date | None, str, ReusedFrom | None], int] = {}
        subject, answer = array("I"), array("I")
        for one in findings:
            said = (one.item, one.peer, one.outcome, one.value, one.as_of, one.reason, one.reused_from)
            subject.append(refs.setdefault(one.subject, len(refs)))
            answer.append(answers.setdefault(said, len(answers)))
        return cls(tuple(refs), tuple([Finding("", *said) for said in answers]), subject, answer)

    def __len__(self) -> int:
        return len(self.subject)

    @overload
    def __getitem__(self, at: int) -> Finding: ...
    @overload
    def __getitem__(self, at: slice) -> "Findings": ...
    def __getitem__(self, at: int | slice) -> "Finding | Findings":
        if isinstance(at, slice):
            return Findings(self.refs, self.answers, self.subject[at], self.answer[at])
        said = self.answers[self.answer[at]]
        ref = self.refs[self.subject[at]]
        what = (said.item, said.peer, said.outcome, said.value, said.as_of, said.reason)
        return Finding(ref, *what, said.reused_from)

    def __iter__(self) -> Iterator[Finding]:
        return (self[row] for row in range(len(self)))

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Sequence)
            and len(self) == len(other)
            and all(one == another for one, another in zip(self, other, strict=True))
        )

    __hash__ = None  # type: ignore[assignment]  # it equals a tuple of the same findings

    def __repr__(self) -> str:
        return f"Findings({len(self)})"


@dataclass(frozen=True, slots=True)
class PeerSummary:
    """Result and cost of one peer's part of a job. Bytes are those of the messages; seconds are wall time."""

    peer: str
    name: str
    state: str  # done, refused, unavailable, overdue, cancelled
    reason: str = ""
    epoch: int = 0
    points: int = 0
    bytes_up: int = 0
    bytes_down: int = 0
    seconds: float = 0.0
    plan: str = ""
    plan_reason: str = ""
    # Earlier attempts, the oldest first, where the peer was asked again.
    attempts: tuple[Attempt, ...] = ()
    answered_at: datetime | None = None  # when its answer came, to all its items together (反馈时间)


@dataclass(frozen=True, slots=True)
class Objection:
    """An objection as the report of its re-check shows it: who, why, and whether it was in time.

    Days are those of China: when the report was received, the objection raised, the last day in time.
    """

    id: str
    received: date
    raised: date
    last_day: date
    raised_by: str = field(repr=False)
    grounds: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Recheck:
    """The earlier report that a re-check looks at again: its number, and its answers to the same questions.

    Without a number the earlier report is erased, and has no answers. Findings as in `Report`.
    """

    job: str
    number: str
    finished_at: datetime | None
    findings: tuple[Finding, ...] = field(repr=False)
    objection: Objection | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """A whole verification report: facts, as-of dates, coverage and clocks; never a decision."""

    job: str
    requester: str
    requester_name: str
    purpose: str
    legal_basis: str
    catalogue_version: str
    catalogue_digest: str
    created_at: datetime
    finished_at: datetime | None
    due_at: datetime
    items: tuple[str, ...]
    subjects: tuple[str, ...]
    peers: tuple[PeerSummary, ...]
    findings: Sequence[Finding] = field(repr=False)  # kept as columns, `Findings`
    state: str = "done"
    due_estimated: bool = False
    # Peers that were considered and not asked, and why.
    left_out: Mapping[str, str] = field(default_factory=dict)
    # What households declare; the bodies that ordered it, each with its households (one alone without them).
    declared: tuple[DeclaredHousehold, ...] = field(default=(), repr=False)
    offices: tuple[tuple[str, tuple[str, ...]], ...] = ()
    # Their names by code, of those whose certificates are on record.
    office_names: Mapping[str, str] = field(default_factory=dict)
    # Of a re-check: what it looks at again.
    recheck: Recheck | None = field(default=None, repr=False)
    issuing_body: str = ""  # its official name, where the node was told
    # The name of the legal basis in Chinese and English, where its code is one of the province's own.
    legal_basis_name: tuple[str, str] | None = None
    # What help is applied for (node/domain/matters.py), and its name where it is the province's own.
    matter: str = ""
    matter_name: tuple[str, str] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "findings", Findings.of(self.findings))
