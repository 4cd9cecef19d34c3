"""Progress of a job, for clients."""

from dataclasses import dataclass
from datetime import datetime

from node.domain.findings import PeerSummary


@dataclass(frozen=True, slots=True)
class PartProgress(PeerSummary):
    """One peer's part: work done and total work, in points and then in buckets.

    A waiting part asks the peer again at `retry_at`.
    """

    done: int = 0
    total: int = 0
    retry_at: datetime | None = None


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
