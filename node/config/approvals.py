"""The section [approvals] of the configuration: whether a second administrator must approve."""

from pydantic import Field

from node.config.section import Section


class ApprovalsSection(Section):
    """Dual control: one administrator requests, another one approves."""

    required: bool = Field(
        default=False,
        description="What changes or copies keys, changes roots, revocation lists, peers or grants, or "
        "shrinks a register needs a second administrator",
    )
    hours: int = Field(
        default=24,
        ge=1,
        le=720,
        description="Hours that a request or approval is valid: 72 cover two working days",
    )
    shrink_percent: int = Field(
        default=5,
        ge=0,
        le=100,
        description="Per cent of the entries of an item, of the most in 30 days, that imports may take away "
        "without a second administrator: registers change by a few per cent a month",
    )
