"""Progress of a job, for clients."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from node.domain.findings import PeerSummary
from node.domain.jobs import AWAY, OPEN_PARTS, WAITING, PartClock


@dataclass(frozen=True, slots=True)
class PartProgress(PeerSummary):
    """One peer's part: work done and total work, in points and then in buckets.

    A waiting part asks the peer again at `retry_at`. `clock` are its deadlines, `warned_at` when the node
    warned that there is no answer.
    """

    done: int = 0
    total: int = 0
    retry_at: datetime | None = None
    clock: PartClock | None = None
    warned_at: datetime | None = None

    @property
    def is_away(self) -> bool:
        """Whether it waits for a peer that is away."""
        return self.state == WAITING and self.reason in AWAY


@dataclass(frozen=True, slots=True)
class Deadline:
    """A part that has no answer yet. `stage` is open, warned, due, or held: it would be closed, but its date
    is estimated.
    """

    job_id: str
    owner: str
    peer: str
    name: str
    state: str
    reason: str
    stage: str
    clock: PartClock
    warned_at: datetime | None = None

    def plain(self) -> dict[str, Any]:
        """As JSON has it: times in ISO 8601."""
        plain: dict[str, Any] = _plain(asdict(self))
        return plain


@dataclass(frozen=True, slots=True)
class DaysLeft:
    """Working days after today until something is due; of what is `overdue`, working days since then.

    `estimated`: a day of a year without known holidays was counted.
    """

    days: int
    overdue: bool
    estimated: bool = False


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A peer that a job considered and does not ask."""

    peer: str
    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class JobProgress:
    """Progress of a job. `state` and `kind` are those of `node.domain.jobs`."""

    job_id: str
    state: str
    created_at: datetime
    due_at: datetime
    finished_at: datetime | None
    subjects: int
    items: tuple[str, ...]
    parts: tuple[PartProgress, ...]
    error: str
    kind: str
    owner: str
    report_by: datetime | None = None
    due_estimated: bool = False
    left_out: tuple[LeftOut, ...] = ()
    files_issued: int = 0  # how often a file of its report was sent whole, or written by a command

    @property
    def only_waits(self) -> bool:
        """Whether all parts that have not ended wait for peers that are away."""
        waiting = [part for part in self.parts if part.state in (WAITING, *OPEN_PARTS)]
        return bool(waiting) and all(part.is_away for part in waiting)

    def plain(self) -> dict[str, Any]:
        """As JSON has it: times in ISO 8601."""
        plain: dict[str, Any] = _plain(asdict(self))
        return plain


@dataclass(frozen=True, slots=True)
class JobPage:
    """A page of jobs; `next` is where the following one begins, empty on the last."""

    jobs: tuple[JobProgress, ...]
    next: str = ""


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value
