"""The section [code_tables] of the configuration: the province's own legal bases and matters."""

from pydantic import Field

from node.config.section import HomePath, Section


class CodeTablesSection(Section):
    """Code tables that the province extends."""

    path: HomePath | None = Field(
        default=None,
        description="File with the province's own legal bases and matters, TOML (docs/mandates.md); "
        "`heqiao codes check` checks it",
    )
