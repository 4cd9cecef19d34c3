"""The section [limits] of the configuration: each limit with its reason."""

from typing import Final

from pydantic import Field, model_validator

from node.config.section import Section

_WIRE_SPARE: Final = 4_096  # bytes of a message besides its points


class LimitsSection(Section):
    """Limits on what peers and platforms can request of this node."""

    max_message_bytes: int = Field(
        default=1_048_576,
        ge=1_048_576,
        le=16_777_216,
        description="A slow peer costs a few messages of memory; every node must take 1 MiB",
    )
    chunk_points: int = Field(
        default=4_096, ge=16, le=262_144, description="Points in one message: 128 KiB, 0.1 s of one core"
    )
    max_points_per_query: int = Field(
        default=2_000_000,
        ge=1,
        le=100_000_000,
        description="A county queries 20,000 people; a province's re-check fits",
    )
    k_anonymity: int = Field(
        default=1_024, ge=2, le=65_536, description="Average entries of a bucket, which hide one person"
    )
    worker_threads: int = Field(
        default=32, ge=4, le=256, description="Calls served at once; one peer has at most a quarter of them"
    )
    max_streams_per_peer: int = Field(
        default=4, ge=1, le=64, description="Of them long ones; at most a quarter of worker_threads"
    )
    corrections_open: int = Field(
        default=500,
        ge=1,
        le=100_000,
        description="Requests of one peer to correct records that wait for an answer; more is a register "
        "that is wrong, or a peer that makes work",
    )
    corrections_a_day: int = Field(
        default=100,
        ge=1,
        le=100_000,
        description="New ones of one peer in 24 hours: a province of millions objects to some records a day",
    )
    corrections_failed: int = Field(
        default=20,
        ge=1,
        le=10_000,
        description="Of one peer in an hour that prove no entry: then all are refused before any work",
    )
    max_watchers: int = Field(
        default=32,
        ge=1,
        le=1_024,
        description="Platforms' streams that wait for a job's progress; each keeps one thread",
    )
    max_renderings: int = Field(
        default=2,
        ge=1,
        le=64,
        description="Files of reports made at once for platforms; each has a process, 300 MiB for a county's",
    )
    call_timeout_s: float = Field(
        default=30, gt=0, le=3_600, description="A call or message without answer is retried after this"
    )
    max_subjects_per_job: int = Field(
        default=100_000, ge=1, le=10_000_000, description="A report stays readable and its job in memory"
    )
    part_timeout_s: float = Field(
        default=3_600,
        gt=0,
        le=604_800,
        description="One peer's part of a job at most, retries included; then UNAVAILABLE",
    )
    planted_per_partition: int = Field(
        default=8, ge=1, le=1_024, description="Signed test records in each, which reveal broken answers"
    )

    @model_validator(mode="after")
    def _check_chunks(self) -> "LimitsSection":
        if self.chunk_points * 32 + _WIRE_SPARE > self.max_message_bytes:
            raise ValueError("chunk_points of 32 bytes each do not fit in max_message_bytes")
        if self.max_streams_per_peer * 4 > self.worker_threads:
            raise ValueError("max_streams_per_peer is more than a quarter of worker_threads")
        return self
