"""The section [backups] of the configuration: who holds the shares of a backup of the key store."""

from pathlib import Path
from typing import Annotated, Final

from pydantic import Field, model_validator

from node.config.section import HomePath, Section

_MOST: Final = 16  # shares of SLIP-0039


class BackupsSection(Section):
    """Backups of the key store in shares, each sealed to its holder."""

    holders: Annotated[tuple[HomePath, ...], Field(strict=False)] = Field(
        default=(),
        max_length=_MOST,
        description="The recipient.json of each person who holds a share; none: backups are made by command "
        "only, which writes the shares",
    )
    needed: int = Field(
        default=2,
        ge=2,
        le=_MOST,
        description="Holders who restore a backup together: with one of three away, two still can",
    )
    folder: HomePath = Field(
        default=Path("backups"),
        description="Folder where a running node writes them: copy them to another machine",
    )

    @model_validator(mode="after")
    def _check_holders(self) -> "BackupsSection":
        if self.holders and len(self.holders) < self.needed:
            raise ValueError("fewer holders than are needed to restore")
        return self
