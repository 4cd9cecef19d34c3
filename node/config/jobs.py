"""The section [jobs] of the configuration: how processes on one database share its work."""

from pydantic import Field

from node.config.section import Section


class JobsSection(Section):
    """How processes that serve one database share jobs and periodic work."""

    lease_s: float = Field(
        default=30,
        ge=1,
        le=3_600,
        description="A killed process's work is taken over after this; longer than the pauses of a busy "
        "machine, and than a large import locks the database",
    )
    poll_s: float = Field(
        default=5,
        ge=0.05,
        le=600,
        description="How often a process looks for work that no other process has: one short query",
    )
    large_job: int = Field(
        default=1_000,
        ge=0,
        le=10_000_000,
        description="Jobs about more people run in a process of their own with a lower priority, so that "
        "pages, small jobs and peers do not wait for them",
    )
