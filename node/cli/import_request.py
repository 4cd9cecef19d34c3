"""What the command line of `heqiao import` asks for."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Literal

import click

from node.cli.options import stated_form
from node.domain.days import written_day
from node.tabular.text_form import TextForm


@dataclass(frozen=True, slots=True)
class Request:
    """An import: rows of an item, from files or from a query on the database of `url_file`."""

    item: str
    files: tuple[Path, ...]
    url_file: Path | None
    query: str | None
    mode: Literal["full", "upsert", "delete"]
    columns: Mapping[str, str] | None
    as_of: date | None
    rejects: Path | None
    allow_empty: bool
    form: TextForm
    unit: str | None
    keep_zeros: bool
    wait: bool


def make_request(
    item: str | None,
    files: tuple[Path, ...],
    mode: Literal["upsert", "delete"] | None,
    sql_url_file: Path | None,
    query: str | None,
    columns: Mapping[str, str] | None,
    as_of: datetime | None,
    rejects: Path | None,
    delimiter: str | None,
    encoding: str | None,
    unit: str | None,
    *,
    allow_empty: bool,
    keep_zeros: bool,
    wait: bool,
) -> Request:
    """The options of the command line, checked against each other. Raises click.UsageError."""
    context = click.get_current_context()
    if item is None:
        raise click.UsageError("Missing argument 'ITEM'.", context)
    if (sql_url_file is None) != (query is None):
        raise click.UsageError("--sql-url-file and --query go together.", context)
    if sql_url_file is not None and files:
        raise click.UsageError("Name FILES or a query, not both.", context)
    if sql_url_file is None and not files:
        raise click.UsageError("Missing argument 'FILES...'.", context)
    if rejects is not None and rejects.resolve() in [file.resolve() for file in files]:
        raise click.UsageError(f"--rejects {rejects} is one of the FILES, and would be overwritten", context)
    day = written_day(as_of) if as_of else None
    form = stated_form(delimiter, encoding)
    return Request(
        item,
        files,
        sql_url_file,
        query,
        mode or "full",
        columns,
        day,
        rejects,
        allow_empty,
        form,
        unit,
        keep_zeros,
        wait,
    )
