"""The section [requester] of the configuration."""

from pydantic import Field, model_validator

from node.config.section import Section


class RequesterSection(Section):
    """How this node queries its peers."""

    due_days: int = Field(
        default=5, ge=1, le=60, description="Working days a peer has to answer; then OVERDUE"
    )
    retry_attempts: int = Field(
        default=5,
        ge=1,
        le=100,
        description="Attempts at a call that may be repeated: enough to wait for a restart of the peer",
    )
    retry_wait_s: float = Field(
        default=1.0, gt=0, le=600, description="Wait before the second attempt; doubles each time"
    )
    retry_wait_max_s: float = Field(
        default=60.0, gt=0, le=3_600, description="Longest wait between two attempts"
    )
    keep_partitions_mib: int = Field(
        default=0,
        ge=0,
        le=16_777_216,
        description="MiB for peers' partitions, kept whole for later queries; 0 keeps none",
    )

    @model_validator(mode="after")
    def _check_waits(self) -> "RequesterSection":
        if self.retry_wait_s > self.retry_wait_max_s:
            raise ValueError("retry_wait_s is longer than retry_wait_max_s")
        return self
