"""The section [imports] of the configuration: where files to import are put."""

from pydantic import Field

from node.config.section import HomePath, Section


class ImportsSection(Section):
    """Files of registers that an administrator imports in the console."""

    folder: HomePath | None = Field(
        default=None,
        description="Folder of this machine whose files the console lists, checks and imports, each by the "
        "source that names it; without one it lists none",
    )
