"""A bar for long commands, on standard error, and only where somebody looks at it."""

import sys
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
def show_progress(stages: Mapping[str, str], *, hidden: bool) -> Iterator[Callable[[str, int, int], None]]:
    """Yield a function of stage, done and total; `stages` says what each stage is called."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        _Rate(),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=hidden or not sys.stderr.isatty()) as bar:
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
