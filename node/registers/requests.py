"""What an import is asked to do, the same from a command line, a plan or a folder. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Literal

from node.tabular.changes import Changes
from node.tabular.excel import Sheet
from node.tabular.text_form import TextForm

Mode = Literal["full", "upsert", "delete"]


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """An import: rows of an item, from files or from a query on a database.

    The URL of the database is in the private file `url_file` or in the environment variable `url_variable`;
    with `changes` only people with rows that have changed are read. `codes` are the code lists of fields.

    `columns` ({field: header}) overrides the known headers, `as_of` dates rows without a date; `form`,
    `sheet` and `unit` are what is known of text files, of spreadsheets and of amounts.
    """

    item: str
    files: tuple[Path, ...] = ()
    url_file: Path | None = None
    query: str | None = None
    mode: Mode = "full"
    columns: Mapping[str, str] = field(default_factory=dict)
    as_of: date | None = None
    form: TextForm = field(default_factory=TextForm)
    unit: str | None = None
    keep_zeros: bool = False
    allow_empty: bool = False
    sheet: Sheet = field(default_factory=Sheet)
    url_variable: str = ""
    codes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    changes: Changes | None = None
