"""How far a job is, as a client sees it."""

from dataclasses import dataclass
from datetime import datetime

from node.domain.findings import PeerSummary


@dataclass(frozen=True, slots=True)
class PartProgress(PeerSummary):
    """One peer's part: work `done` and in all, in points and then in buckets."""

    done: int = 0
    total: int = 0


@dataclass(frozen=True, slots=True)
class JobProgress:
    """A job now. `state` and `kind` are those of `node.domain.jobs`."""

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
