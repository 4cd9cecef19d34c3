"""Progress of a job, for clients."""

from dataclasses import dataclass
from datetime import datetime

from node.domain.findings import PeerSummary


@dataclass(frozen=True, slots=True)
class PartProgress(PeerSummary):
    """One peer's part: work done and total work, in points and then in buckets."""

    done: int = 0
    total: int = 0


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
