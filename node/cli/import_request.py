"""What the command line of `heqiao import` asks for."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Literal

import click

from node.cli.options import stated_form
from node.config import Config
from node.domain.days import written_day
from node.registers.requests import ImportRequest
from node.tabular.excel import Sheet


@dataclass(frozen=True, slots=True)
class Options:
    """The options of the command line that say what is imported, as click read them."""

    item: str | None
    files: tuple[Path, ...]
    mode: Literal["upsert", "delete"] | None
    sql_url_file: Path | None
    query: str | None
    columns: Mapping[str, str] | None
    as_of: datetime | None
    delimiter: str | None
    encoding: str | None
    unit: str | None
    sheet: str | None
    allow_empty: bool
    keep_zeros: bool


@dataclass(frozen=True, slots=True)
class Run:
    """A run over everything in `place`, a folder or a plan file; `common` holds for every item of a folder.

    `rejects` is the folder for lists of rejects, `workers` the number of processes where it was given;
    `wait` for another import or a rotation; `admin` is the folder of the administrator who runs it.
    """

    config: Config
    place: Path
    common: ImportRequest
    rejects: Path | None
    workers: int | None
    again: bool
    wait: bool
    as_json: bool
    admin: Path | None


def make_request(options: Options, rejects: Path | None) -> ImportRequest:
    """The import of one item that the options ask for. Raises click.UsageError where they do not fit."""
    item, url_file, files = options.item, options.sql_url_file, options.files
    if item is None:
        raise usage("Missing argument 'ITEM'.")
    if (url_file is None) != (options.query is None):
        raise usage("--sql-url-file and --query go together.")
    if url_file is not None and files:
        raise usage("Name FILES or a query, not both.")
    if url_file is None and not files:
        raise usage("Missing argument 'FILES...'.")
    if rejects is not None and rejects.is_dir():
        raise usage(f"--rejects {rejects} is a folder; name a file.")
    if rejects is not None and rejects.resolve() in [file.resolve() for file in files]:
        raise usage(f"--rejects {rejects} is one of the FILES, and would be overwritten")
    return ImportRequest(
        item,
        files,
        url_file,
        options.query,
        mode=options.mode or "full",
        columns=options.columns or {},
        as_of=_day(options),
        form=stated_form(options.delimiter, options.encoding),
        unit=options.unit,
        keep_zeros=options.keep_zeros,
        allow_empty=options.allow_empty,
        sheet=Sheet(options.sheet or ""),
    )


def make_common(options: Options, rejects: Path | None, *, folder: bool) -> ImportRequest:
    """What holds for every item of a folder: mode, date and form. A plan file says them itself.

    Raises click.UsageError for options of one item.
    """
    one = (options.item, options.sql_url_file, options.query, options.columns, options.unit, options.sheet)
    if options.files or any(one) or options.allow_empty or options.keep_zeros:
        raise usage(
            "--all takes no ITEM, FILES, query, --map, --unit, --sheet, --keep-zeros or --allow-empty."
        )
    if not folder and any((options.mode, options.as_of, options.delimiter, options.encoding)):
        raise usage("with a plan file, say mode, as_of, delimiter and encoding of each item in the file.")
    if rejects is not None and rejects.exists() and not rejects.is_dir():
        raise usage(f"--rejects {rejects} is no folder; with --all there is a list for each item.")
    return ImportRequest(
        "",
        mode=options.mode or "full",
        as_of=_day(options),
        form=stated_form(options.delimiter, options.encoding),
    )


def usage(message: str) -> click.UsageError:
    """The error for options that do not fit together."""
    return click.UsageError(message, click.get_current_context())


def _day(options: Options) -> date | None:
    return written_day(options.as_of) if options.as_of else None
