"""The section [watch] of the configuration."""

from pydantic import Field

from node.config.section import Section


class WatchSection(Section):
    """Looks at the people of watch lists; mirrors are looked at when they change."""

    query_days: int = Field(
        default=90,
        ge=7,
        le=366,
        description="Days between two looks at a peer without a mirror: each is a query that counts there",
    )
