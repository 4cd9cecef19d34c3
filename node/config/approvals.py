"""The section [approvals] of the configuration: whether a second administrator must approve."""

from pydantic import Field

from node.config.section import Section


class ApprovalsSection(Section):
    """Dual control: what one administrator asks for, another one approves."""

    required: bool = Field(
        default=False,
        description="Rotations, destruction, restores, peers and their grants need a second administrator",
    )
    hours: int = Field(
        default=24,
        ge=1,
        le=720,
        description="How long a request or approval is good: two working days fit in 72",
    )
