"""A job and its parts: kinds, states, rows."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from node.domain.job_access import NODE

OPEN_STATES = ("queued", "running")
OPEN_PARTS = ("pending", "manifest", "sync", "evaluate", "fetch")  # states of parts that run, or can
WAITING = "waiting"  # a part that the peer told to come back later

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
        """Codes of the queried provinces."""

    @property
    def purpose(self) -> str:
        """The purpose, which peers receive."""

    @property
    def legal_basis(self) -> str:
        """Code of the law that permits the query; may be empty."""


@dataclass(frozen=True, slots=True)
class JobRow:
    """A job without its sealed request. `owner` is who submitted it (node.domain.job_access)."""

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


@dataclass(frozen=True, slots=True)
class PartRow:
    """One peer's part of a job, without its sealed session. A waiting part goes on at `retry_at`."""

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

    def may_go_on(self, now: datetime) -> bool:
        """Whether a part that has not ended can run now: it does not wait, or long enough."""
        return self.state != WAITING or self.retry_at is None or self.retry_at <= now
