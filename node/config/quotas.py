"""The section [quotas] of the configuration: how much one peer may ask, unless its own quota is set."""

from pydantic import Field, model_validator

from node.config.section import Section

_MOST = 10**15


class QuotasSection(Section):
    """How much one peer may ask; `heqiao quotas set` changes it for a peer. Days are days of China."""

    points_hour: int = Field(
        default=150_000,
        ge=0,
        le=_MOST,
        description="Points of verifications in a clock hour; a list of 100,000 people is 102,400",
    )
    points_day: int = Field(
        default=300_000, ge=0, le=_MOST, description="In a day; a county has 22 million possible numbers"
    )
    points_30_days: int = Field(
        default=3_000_000,
        ge=0,
        le=_MOST,
        description="In a day and the 29 before: a province's monthly checks",
    )
    sensitive_points_30_days: int = Field(
        default=600_000, ge=0, le=_MOST, description="Of these, points about financial and medical items"
    )
    sums_30_days: int = Field(
        default=6, ge=0, le=_MOST, description="Sums of an item: more of them single people out"
    )
    sum_points_30_days: int = Field(
        default=300_000, ge=0, le=_MOST, description="People, with padding, in all sums of an item"
    )
    bytes_day: int = Field(
        default=20_000_000_000,
        ge=0,
        le=_MOST,
        description="Partitions, deltas and rows that a peer fetches in a day: all of a province's are 11 GB",
    )

    @model_validator(mode="after")
    def _check_order(self) -> "QuotasSection":
        if not self.points_hour <= self.points_day <= self.points_30_days:
            raise ValueError("points_hour, points_day and points_30_days must not decrease")
        return self
