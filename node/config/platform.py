"""The section [platform] of the configuration."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from node.config.section import Listen, Section


class PlatformSection(Section):
    """The service for this province's own platforms."""

    listen: Listen = Field(
        default="127.0.0.1:7444", description="Address to listen on; port 0 is any free port"
    )
    reflection: bool = Field(
        default=False, description="Let callers list services and messages; for trials only"
    )
    readers: Mapping[str, Annotated[tuple[str, ...], Field(strict=False)]] = Field(
        default={}, description="Platforms that also see the jobs of others, by the names in certificates"
    )
