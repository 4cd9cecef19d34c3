"""A job and its parts: kinds, states, rows."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from node.domain.job_access import NODE

OPEN_STATES = ("queued", "running")
STATES = (*OPEN_STATES, "done", "failed", "cancelled")
OPEN_PARTS = ("pending", "manifest", "sync", "evaluate", "fetch")  # states of parts that run, or can
WAITING = "waiting"  # a part that the peer told to come back later, or whose peer is away
AWAY = ("unavailable", "revocation_list_old")  # reasons of a part that waits for a peer that is away
RETRYABLE = ("refused", "unavailable", "overdue")  # states of parts that can be asked again

AUTO = ("auto",)  # in place of the peers of a verification: all that offer an item and grant it
VERIFICATION, SUM, WATCH = "verification", "sum", "watch"  # kinds of jobs


class JobRequest(Protocol):
    """The common fields of requests of every kind of job (`node.jobs.kinds` has the others)."""

    @property
    def kind(self) -> str:
        """The kind of the job."""

    @property
    def items(self) -> tuple[str, ...]:
        """Codes of the queried items."""

    @property
    def peers(self) -> tuple[str, ...]:
        """Codes of the queried provinces, or AUTO."""

    @property
    def purpose(self) -> str:
        """The purpose, which peers receive."""

    @property
    def legal_basis(self) -> str:
        """Code of the law that permits the query; may be empty."""


@dataclass(frozen=True, slots=True)
class JobRow:
    """A job without its sealed request. `owner` is who submitted it (node.domain.job_access).

    `due_estimated`: `due_at` was counted with days of a year without known holidays. `report_by`: when its
    report is to be issued. `auto_peers`: its peers are chosen when it starts. `files_issued`: how often a
    file of its report was sent whole by the node, or written by a command. `mandates`: how many came with it.
    """

    id: str
    state: str
    request_digest: bytes
    subjects: int
    items: tuple[str, ...]
    purpose: str
    legal_basis: str
    created_at: datetime
    due_at: datetime
    finished_at: datetime | None
    cancel_requested: bool
    error: str
    kind: str = VERIFICATION
    owner: str = NODE
    fetched_at: datetime | None = None
    due_estimated: bool = False
    report_by: datetime | None = None
    auto_peers: bool = False
    files_issued: int = 0
    mandates: int = 0


@dataclass(frozen=True, slots=True)
class PartClock:
    """The deadlines of a part; estimated ones were counted with days of a year without known holidays."""

    asked_at: datetime
    due_at: datetime
    closes_at: datetime
    due_estimated: bool = False
    close_estimated: bool = False


@dataclass(frozen=True, slots=True)
class Attempt:
    """How one attempt of a part ended; the peer was asked from `asked_at` to `ended_at`."""

    asked_at: datetime
    ended_at: datetime
    state: str
    reason: str = ""
    points: int = 0


@dataclass(frozen=True, slots=True)
class PartRow:
    """One peer's part of a job, without what is sealed of it. A waiting part goes on at `retry_at`.

    The times are those of its newest attempt, without a value where it was never stored.
    """

    job: str
    peer: str
    state: str = "pending"
    reason: str = ""
    done: int = 0
    total: int = 0
    epoch: int = 0
    points: int = 0
    bytes_up: int = 0
    bytes_down: int = 0
    seconds: float = 0.0
    plan: str = ""
    plan_reason: str = ""
    retry_at: datetime | None = None
    asked_at: datetime | None = None
    due_at: datetime | None = None
    closes_at: datetime | None = None
    due_estimated: bool = False
    close_estimated: bool = False
    warned_at: datetime | None = None
    ended_at: datetime | None = None
    definitions: str = "{}"

    @property
    def answered_at(self) -> datetime | None:
        """When the peer's answer came, to all its items together (反馈时间); None where it gave none."""
        return self.ended_at if self.state == "done" else None

    @property
    def is_open(self) -> bool:
        """Whether it has not ended."""
        return self.state == WAITING or self.state in OPEN_PARTS

    @property
    def is_away(self) -> bool:
        """Whether it waits for a peer that is away."""
        return self.state == WAITING and self.reason in AWAY

    def is_over(self, now: datetime) -> bool:
        """Whether it is closed without an answer: never by an estimated date (domain.md section 2)."""
        return self.closes_at is not None and not self.close_estimated and now >= self.closes_at

    def may_go_on(self, now: datetime) -> bool:
        """Whether a part that has not ended can run now: it does not wait, or long enough."""
        return self.state != WAITING or self.retry_at is None or self.retry_at <= now
