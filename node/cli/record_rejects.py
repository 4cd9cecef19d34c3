"""Rows that cannot be stored: written to a file of rejects, and the command fails with nothing stored."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from node.cli.options import count, require_own_home
from node.domain.records import Reject
from node.errors import InputError
from node.tabular import fields

FILE = "rejects.csv"
rejects_option: Callable[[Any], Any] = click.option(
    "--rejects",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File for rows that cannot be used, with file, row, field and reason.  [default: rejects.csv "
    "beside LIST]",
)


def refuse_rejects(rejects: Sequence[Reject], folder: Path, outcome: str, path: Path | None = None) -> None:
    """Write rejects, if there are any, and raise InputError: nothing is half imported."""
    if not rejects:
        return
    target = path or folder / FILE
    require_own_home(target)
    fields.write_rejects(target, rejects)
    first = rejects[0]
    raise InputError(
        f"{first.file}: row {first.line}, {first.column}: {first.message} ({count(len(rejects), 'row')} in "
        "all); "
        f"{outcome}",
        f"{target} has every row and its reason; correct the list and run the command again",
    )


def as_rejects(faults: Sequence[Any], source: Path, lines: Sequence[int] | None = None) -> list[Reject]:
    """The node's faults about records of a list, by the place of each in it."""
    return [
        Reject(
            str(source),
            lines[one.place] if lines else one.place + 1,
            one.field,
            one.reason,
            one.message,
        )
        for one in faults
    ]
