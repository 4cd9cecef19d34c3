"""The section [approvals] of the configuration: whether a second administrator must approve."""

from pydantic import Field

from node.config.section import Section


class ApprovalsSection(Section):
    """Dual control: one administrator requests, another one approves."""

    required: bool = Field(
        default=False,
        description="Rotations, destruction, restores, peers and their grants need a second administrator",
    )
    hours: int = Field(
        default=24,
        ge=1,
        le=720,
        description="Hours that a request or approval is valid: 72 cover two working days",
    )
