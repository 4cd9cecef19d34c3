"""The section [index] of the configuration: when peers see what an import changed."""

import re
from datetime import time

from pydantic import Field, field_validator

from node.config.section import Section

_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]", re.ASCII)


class IndexSection(Section):
    """When peers are offered what an import changed."""

    publish_at: str = Field(
        default="",
        description="Time of day in China at which peers are offered the upserts and deletes since the day "
        "before, which blurs when a record came; empty: each at once. A full import always is",
    )

    @field_validator("publish_at")
    @classmethod
    def _check_time(cls, value: str) -> str:
        if value and _TIME.fullmatch(value) is None:
            raise ValueError('a time of day is written "HH:MM", as in "03:00"')
        return value

    @property
    def publish_time(self) -> time | None:
        """`publish_at`, None where every change is offered at once."""
        return time.fromisoformat(self.publish_at) if self.publish_at else None
