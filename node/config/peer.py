"""The section [peer] of the configuration."""

from typing import Annotated

from pydantic import AfterValidator, Field

from keys.pki.names import check_address
from node.config.section import Listen, Section


class PeerSection(Section):
    """The service for other provinces' nodes."""

    listen: Listen = Field(
        default="127.0.0.1:7443", description="Address to listen on; port 0 is any free port"
    )
    advertise: Annotated[str, AfterValidator(check_address)] | None = Field(
        default=None, description="Address that peers call, if not the same"
    )
    reflection: bool = Field(
        default=False, description="Let callers list services and messages; for trials only"
    )
