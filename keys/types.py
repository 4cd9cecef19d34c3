"""Keys by epoch and their states (design.md section 6): pending, active, grace, retired, destroyed."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class KeyState(StrEnum):
    """The state of a key; it changes in this order only."""

    PENDING = "pending"
    ACTIVE = "active"
    GRACE = "grace"
    RETIRED = "retired"
    DESTROYED = "destroyed"


@dataclass(frozen=True, slots=True)
class EpochKey:
    """All facts of one key besides its secret. `grace_until` is set when grace begins, and stays.

    `salt_version` is, for keys whose data an import makes, the salt of the identities under them; 0 is
    the salt that the node began with.
    """

    purpose: str
    epoch: int
    state: KeyState
    fingerprint: str
    created_at: datetime
    activated_at: datetime | None = None
    grace_until: datetime | None = None
    retired_at: datetime | None = None
    destroyed_at: datetime | None = None
    salt_version: int = 0

    def is_answered(self, now: datetime) -> bool:
        """Whether requests for this epoch are served."""
        if self.state is KeyState.GRACE:
            return self.grace_until is None or now <= self.grace_until
        return self.state is KeyState.ACTIVE


@dataclass(frozen=True, slots=True)
class RotationPolicy:
    """Interval between rotations of a key, and grace of its old epoch.

    Raises:
        ValueError: an interval is not positive, or the grace is longer than the interval.
    """

    every: timedelta = timedelta(days=180)
    grace: timedelta = timedelta(days=7)

    def __post_init__(self) -> None:
        if not timedelta(0) <= self.grace <= self.every or self.every <= timedelta(0):
            raise ValueError("the grace must not be negative, nor longer than the interval of rotation")
