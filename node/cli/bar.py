"""The bar of a long command, drawn by rich."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text


@contextmanager
def show_bar(stages: Mapping[str, str]) -> Iterator[Callable[[str, int, int], None]]:
    """As `progress.show_progress` says, always seen."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        _Rate(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        tasks: dict[str, TaskID] = {}

        def update(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bar.add_task(stages[stage], total=None)
            bar.update(tasks[stage], completed=done, total=total or None)

        yield update


class _Rate(ProgressColumn):
    """Rows a second so far."""

    def render(self, task: Task) -> Text:
        """Of one stage."""
        return Text(f"{task.speed:,.0f}/s" if task.speed else "")
