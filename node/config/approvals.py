"""The section [approvals] of the configuration: whether administrators act in pairs."""

from pydantic import BaseModel, Field

from node.config.rotation import STRICT


class ApprovalsSection(BaseModel):
    """Dual control: what one administrator asks for, another one approves."""

    model_config = STRICT

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
