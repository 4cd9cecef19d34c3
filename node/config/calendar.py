"""The section [calendar] of the configuration: the province's own working days."""

from pydantic import Field

from node.config.section import HomePath, Section


class CalendarSection(Section):
    """Working days, by which deadlines are counted."""

    path: HomePath | None = Field(
        default=None,
        description="The province's own days off and days worked, .toml or .csv (docs/deadlines.md); for its "
        "years it counts instead of the installed table of public holidays",
    )
