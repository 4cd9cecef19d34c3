"""The section [requester] of the configuration."""

from pydantic import Field, model_validator

from node.config.section import Section


class RequesterSection(Section):
    """How this node queries its peers."""

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
    mirror_mib: int = Field(
        default=20_480,
        ge=0,
        le=16_777_216,
        description="MiB for mirrors of peers' partitions; what has no room is fetched in blocks of buckets",
    )
    mirror_sync_hours: int = Field(
        default=12,
        ge=0,
        le=24,
        description="Hours between two syncs of all mirrors, less up to a quarter at random; 0: only before "
        "a job that needs one, and by `heqiao mirror sync`",
    )
    min_bucket_entries: int = Field(
        default=1_024,
        ge=1,
        le=1_048_576,
        description="Refuse peers whose buckets hold fewer entries on average: a bucket would name a person",
    )
    max_bucket_bits: int = Field(
        default=13, ge=0, le=24, description="Refuse peers that cut a partition into more than 2^n buckets"
    )
    min_opened: int = Field(
        default=30,
        ge=3,
        le=1_000_000,
        description="Fewest matching people whose sum is returned to a peer: it opens a sum also where it "
        "then suppresses it, and knows its own rows",
    )

    @model_validator(mode="after")
    def _check_waits(self) -> "RequesterSection":
        if self.retry_wait_s > self.retry_wait_max_s:
            raise ValueError("retry_wait_s is longer than retry_wait_max_s")
        return self
