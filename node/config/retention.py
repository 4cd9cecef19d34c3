"""The section [retention] of the configuration: how long this node keeps what it asked (design.md 7)."""

from pydantic import Field, model_validator

from node.config.section import Section


class RetentionSection(Section):
    """How long requests and answers are kept; the audit chain is never cut."""

    fetched_days: int = Field(
        default=90,
        ge=30,
        le=90,
        description="Days after the report was fetched: not less than an objection (5 days) and its "
        "re-investigation (10 working days) take, and no longer than they are of use",
    )
    kept_days: int = Field(
        default=180, ge=30, le=180, description="Days after the job ended, whether it was fetched or not"
    )

    records_days: int = Field(
        default=1_096,
        ge=1_096,
        le=3_660,
        description="Days after they end that mandates, and who was asked about when, are kept: records of "
        "what was "
        "given to others are kept for three years",
    )

    @model_validator(mode="after")
    def _check_order(self) -> "RetentionSection":
        if self.fetched_days > self.kept_days:
            raise ValueError("fetched_days is longer than kept_days")
        return self
