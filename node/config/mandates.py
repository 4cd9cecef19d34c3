"""The section [mandates] of the configuration: what a mandate must have (domain.md sections 7 and 8)."""

from pydantic import Field

from node.config.section import Section


class MandatesSection(Section):
    """What a mandate must have before anybody is asked about."""

    signed_offices: bool = Field(
        default=False,
        description="Refuse people under mandates that no office of this province has signed and that are "
        "not on "
        "record; `heqiao doctor` says whether offices are ready for it",
    )
    urgent_days: int = Field(
        default=14,
        ge=1,
        le=60,
        description="Days after an urgent check within which the mandate must follow: two weeks are 10 "
        "working days",
    )
    form_kib: int = Field(
        default=4_096,
        ge=64,
        le=16_384,
        description="KiB of a scanned form (PDF, PNG or JPEG): some pages at 200 dpi; all are in the "
        "database",
    )
