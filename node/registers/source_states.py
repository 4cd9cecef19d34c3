"""How the sources of a home are: what `heqiao sources list` and administrators' pages show."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from node.domain.days import latest_planned
from node.registers.source_file import SourceFile
from node.registers.source_store import Attempt, SourceFolder, SourceState, Stored


@dataclass(frozen=True, slots=True)
class SourceListing:
    """A source, what its last import left and how its last run ended.

    `kind` is files, query or changes, empty where its file cannot be used.
    """

    stored: Stored
    kind: str
    state: SourceState
    last: Attempt | None


def list_sources(sources: SourceFolder) -> Sequence[SourceListing]:
    """Every source of a home, by item."""
    return [
        SourceListing(
            one, kind_of(one.file) if one.file else "", sources.state(one.item), sources.last(one.item)
        )
        for one in sources.list()
    ]


def kind_of(file: SourceFile) -> str:
    """Where its rows come from: `files`, `query`, or `changes` of a database since the last import."""
    return "files" if file.files else "changes" if file.database and file.database.watermark else "query"


def next_run(file: SourceFile, now: datetime) -> datetime | None:
    """When the serving node imports it next, None for a source that is imported by hand."""
    timed = file.schedule
    if timed is None:
        return None
    # The first planned time after now: each kind of schedule has one within 32 days.
    days = (latest_planned(now + timedelta(days=ahead), timed.time, timed.every) for ahead in range(33))
    return next((found for found in days if found > now), None)
