"""The section [rotation] of the configuration: how often keys rotate (design.md section 6)."""

from datetime import timedelta
from typing import Any, Final

from pydantic import Field, model_validator

from keys.types import RotationPolicy
from node.config.section import Section

ROTATED: Final = ("oprf", "sum", "signing", "storage", "tls", "salt")
_ROTATED_WITH: Final = {"paillier": "sum", "sumcheck": "sum"}


def _days(default: int, description: str) -> Any:
    return Field(default=default, ge=1, le=36_500, description=f"Days. {description}")


class RotationSection(Section):
    """How often keys are due for rotation, and how long the old ones are still answered."""

    oprf_days: int = _days(90, "OPRF keys: routine, bounds what kept tokens open; needs no source data")
    oprf_grace_days: int = _days(7, "Longer than the longest job of a peer")
    sum_days: int = _days(180, "Keys of sums, all three: routine, every row is encrypted again")
    sum_grace_days: int = _days(7, "Longer than the longest job of a peer")
    signing_days: int = _days(730, "Signing keys: peers follow automatically")
    signing_grace_days: int = _days(30, "Time for all peers to follow; later they need the new card")
    storage_days: int = _days(730, "Storage keys: what is stored is sealed again in the background")
    storage_grace_days: int = _days(7, "Longer than an import: a process may still write under the old key")
    tls_days: int = _days(335, "TLS keys: a month before their certificates of 397 days end")
    tls_grace_days: int = _days(14, "The certificate before it stays valid; a node drops it after this")
    salt_days: int = _days(3_650, "The federation's salt: every province imports again from its sources")
    salt_grace_days: int = _days(90, "Time for all provinces to import again")

    @model_validator(mode="after")
    def _check_graces(self) -> "RotationSection":
        for purpose in ROTATED:
            self._policy(purpose)
        return self

    def policy(self, purpose: str) -> RotationPolicy | None:
        """The policy for keys of a purpose; None for those that never rotate (record, enrol)."""
        purpose = _ROTATED_WITH.get(purpose, purpose)
        return self._policy(purpose) if purpose in ROTATED else None

    def days(self, purpose: str) -> tuple[int, int]:
        """Days between rotations and days of grace, for one of ROTATED."""
        return getattr(self, f"{purpose}_days"), getattr(self, f"{purpose}_grace_days")

    def _policy(self, purpose: str) -> RotationPolicy:
        every, grace = self.days(purpose)
        try:
            return RotationPolicy(timedelta(days=every), timedelta(days=grace))
        except ValueError as error:
            raise ValueError(f"{purpose}_grace_days: {error}") from None
