"""The section [catalogue] of the configuration."""

from pydantic import Field

from node.config.section import HomePath, Section


class CatalogueSection(Section):
    """The item catalogue."""

    path: HomePath | None = Field(
        default=None, description="Catalogue file; default is the one installed with Heqiao"
    )
    signed: bool = Field(
        default=False, description="Load only a catalogue with a signature of the federation's CA"
    )
