"""The section [deadlines] of the configuration: when an answer is due (domain.md section 2)."""

from pydantic import Field, model_validator

from node.config.section import Section


class DeadlinesSection(Section):
    """When a peer's answer is due, and how it is asked again until then."""

    warn_days: int = Field(
        default=3, ge=1, le=60, description="Working days without an answer after which the node warns"
    )
    due_days: int = Field(default=5, ge=1, le=60, description="Working days a peer has to answer")
    close_days: int = Field(
        default=10,
        ge=1,
        le=120,
        description="Working days after which a part without an answer is closed as OVERDUE; never by an "
        "estimated date",
    )
    report_days: int = Field(
        default=7,
        ge=1,
        le=90,
        description="Calendar days in which a report is to be issued; peers that have not answered are "
        "shown as such",
    )
    correction_days: int = Field(
        default=10,
        ge=1,
        le=30,
        description="Working days in which a request to correct a record is to be answered (政务数据共享条例 "
        "art. 26)",
    )
    recheck_days: int = Field(
        default=10,
        ge=1,
        le=30,
        description="Working days from an objection to its result",
    )
    retry_min_s: float = Field(
        default=300,
        ge=0,
        le=86_400,
        description="Shortest time after which a peer that is away is asked again; the time grows with how "
        "long it is away. 0: its part ends as UNAVAILABLE at once",
    )
    retry_max_s: float = Field(
        default=7_200, gt=0, le=86_400, description="Longest time after which it is asked again"
    )

    @model_validator(mode="after")
    def _check_order(self) -> "DeadlinesSection":
        if not self.warn_days <= self.due_days <= self.close_days:
            raise ValueError("warn_days, due_days and close_days do not follow one another")
        if self.retry_min_s > self.retry_max_s:
            raise ValueError("retry_min_s is longer than retry_max_s")
        return self
