"""What commands draw on a terminal: tables, and the progress bars of long commands."""

import importlib
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from node.telemetry.printable import printable

_LONGEST_NAME = 24  # columns of the name of a row that is never broken


class Update(Protocol):
    """Says how far one part of the work is; `total` is 0 while unknown, `text` replaces its name."""

    def __call__(self, part: str, done: int, total: int, text: str = "") -> None:
        """Draw it."""


@contextmanager
def show_progress(names: Mapping[str, str] | None = None, *, hidden: bool) -> Iterator[Update]:
    """Draw one bar for each part of the work; `names` says what parts are called, by their code."""
    if hidden or not sys.stderr.isatty():
        yield _ignore
        return
    # Loaded only where a bar is seen: it takes longer than most commands.
    rich = importlib.import_module("rich.progress")
    columns = (
        rich.TextColumn("{task.description}", markup=False),  # names come from other provinces
        rich.BarColumn(),
        rich.MofNCompleteColumn(),
        rich.TextColumn("{task.fields[speed]}"),
        rich.TimeRemainingColumn(),
    )
    with rich.Progress(*columns, console=importlib.import_module("rich.console").Console(stderr=True)) as bar:
        yield _Bars(bar, names or {})


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table as wide as the terminal. No cell is taken for markup, or can control the terminal: names
    and reasons may come from other provinces.
    """
    rich = importlib.import_module("rich.table")
    text = importlib.import_module("rich.text").Text
    lines = [[text(printable(cell)) for cell in row] for row in rows]
    names = [line[0].cell_len for line in lines if line]
    table = rich.Table()
    for at, column in enumerate(columns):
        # What a row is called is typed into the next command: never cut off, nor broken where it fits.
        whole = at == 0 and max(names, default=0) <= _LONGEST_NAME
        table.add_column(column, overflow="fold", no_wrap=whole)
    for line in lines:
        table.add_row(*line)
    importlib.import_module("rich.console").Console().print(table)


def _ignore(part: str, done: int, total: int, text: str = "") -> None:
    pass


class _Bars:
    def __init__(self, bar: Any, names: Mapping[str, str]) -> None:
        self._bar, self._names = bar, names
        self._tasks: dict[str, Any] = {}

    def __call__(self, part: str, done: int, total: int, text: str = "") -> None:
        name = printable(text or self._names.get(part, part))
        if part not in self._tasks:
            self._bar.add_task(name, total=None, speed="")
            self._tasks[part] = self._bar.tasks[-1]
        task = self._tasks[part]
        speed = f"{task.speed:,.0f}/s" if task.speed else ""
        self._bar.update(task.id, description=name, completed=done, total=total or None, speed=speed)
