"""The section [log] of the configuration."""

from typing import Literal

from pydantic import Field

from node.config.section import HomePath, Section


class LogSection(Section):
    """The log: JSON lines without identities, names and values."""

    level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Minimum log level"
    )
    file: HomePath | None = Field(default=None, description="File to append to; default is standard error")
