"""The file of a source: how a province's own table becomes rows of an item (docs/sources.md).

It is checked as node.toml is: unknown keys are refused, all faults are named at once with their place, and no
value is shown. Paths start in the home.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import date, time
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field, field_validator, model_validator

from keys.errors import KeyringError
from node.config.loading import check_sections, parse_toml
from node.config.section import Section
from node.domain.catalogue import CODE_PATTERN, Catalogue, Item
from node.errors import ConfigError, InputError
from node.registers.code_lists import CODED
from node.registers.plan_file import UrlFile, as_patterns, check_fields, find_files, one_of, pattern_faults
from node.registers.requests import ImportRequest
from node.registers.row_parser import ALIASES, fields_read
from node.registers.sources import check_as_of, read_url
from node.tabular.delimited import clean
from node.tabular.excel import Sheet
from node.tabular.text_form import DELIMITERS, ENCODINGS, TextForm
from node.tabular.units import check_unit

HINT: Final = "nothing was changed; docs/sources.md explains every key of a source"
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}", re.ASCII)
_TABLE: Final = re.compile(r"\w{1,63}(?:\.\w{1,63}){0,2}")
_TIME: Final = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]", re.ASCII)
Share = Annotated[float, Field(ge=0, le=1)]


class SourceSection(Section):
    """What the source is."""

    item: str = Field(pattern=f"^{CODE_PATTERN}$", description="Code of the item in the catalogue")
    title: str = Field(default="", max_length=100, description="What the source is called at home")


class FilesSection(Section):
    """Files: text, Parquet or spreadsheets, read together as a full export."""

    names: Annotated[tuple[str, ...], BeforeValidator(as_patterns)] = Field(
        description="Name or patterns (*, ?, **), or a list of them, from the home"
    )
    sheet: str = Field(default="", max_length=100, description="Sheet of a spreadsheet that has several")
    header_row: int = Field(default=0, ge=0, le=1000, description="Row of its headers; 0 is the first filled")
    delimiter: Annotated[str, one_of(tuple(DELIMITERS))] | None = Field(
        default=None, description="What separates the cells of text files"
    )
    encoding: Annotated[str, one_of(ENCODINGS)] | None = Field(
        default=None, description="Encoding of text files"
    )


class DatabaseSection(Section):
    """A database: its URL, which is a secret, and what is read there."""

    url_file: UrlFile | None = Field(default=None, description="Private file (chmod 600) with the URL")
    url_variable: str = Field(default="", description="Environment variable with the URL")
    query: str = Field(default="", max_length=20_000, description="The query whose rows are read")
    table: str = Field(default="", description="Table or view that is read whole, instead of a query")
    watermark: str = Field(
        default="", max_length=128, description="Column that grows with every change of a row, as updated_at"
    )
    overlap_minutes: int = Field(
        default=10, ge=0, le=10_080, description="Read again: rows that were committed late"
    )
    full_days: int = Field(default=30, ge=1, le=366, description="Days until an import is a full one again")

    @field_validator("url_variable")
    @classmethod
    def _check_variable(cls, value: str) -> str:
        if value and _VARIABLE.fullmatch(value) is None:
            raise ValueError("must be the name of an environment variable, and never the URL itself")
        return value

    @field_validator("table")
    @classmethod
    def _check_table(cls, value: str) -> str:
        if value and _TABLE.fullmatch(value) is None:
            raise ValueError("must be a name such as vehicles or traffic.vehicles; otherwise write a query")
        return value

    @model_validator(mode="after")
    def _check_one(self) -> "DatabaseSection":
        if (self.url_file is None) == (not self.url_variable):
            raise ValueError("needs either url_file or url_variable")
        if bool(self.query) == bool(self.table):
            raise ValueError("needs either query or table")
        return self

    @property
    def statement(self) -> str:
        """The query whose rows are read."""
        return self.query or f"SELECT * FROM {self.table}"


class RowsSection(Section):
    """How rows are understood."""

    unit: str | None = Field(default=None, description="Unit of the amounts, where no header names it")
    as_of: date | None = Field(default=None, description="Date of rows without one")
    keep_zeros: bool = Field(default=False, description="Long record numbers do end in zeros")
    allow_empty: bool = Field(default=False, description="Publish even if no row can be used")


class FloorSection(Section):
    """The worst quality that is imported. Shares are of rows, from 0 to 1."""

    least_rows: int = Field(default=1, ge=0, description="Fewest rows")
    valid_share: Share = Field(default=0.95, description="Least share of valid identity numbers")
    rejected_share: Share = Field(default=0.05, description="Greatest share of rejected rows")
    duplicate_share: Share = Field(default=1.0, description="Greatest share of duplicates; 1 is any")
    outlier_share: Share = Field(default=1.0, description="Greatest share of outliers; 1 is any")
    private_share: Share = Field(
        default=1.0, description="Greatest share of names with private use characters; 1 is any"
    )
    fresh_days: int = Field(
        default=0, ge=0, le=3660, description="Greatest age of the usual date in days; 0 is any"
    )
    missing: dict[str, Share] = Field(
        default_factory=dict, description="Greatest share of empty cells, by field"
    )


class ScheduleSection(Section):
    """When `heqiao serve` imports the source by itself."""

    at: str = Field(description="Time of day in China, as 03:30")
    every: Literal["day", "week", "month"] = Field(
        default="day", description="Each day, each Monday, or the first of each month"
    )

    @field_validator("at")
    @classmethod
    def _check_time(cls, value: str) -> str:
        if _TIME.fullmatch(value) is None:
            raise ValueError('a time of day is written "HH:MM", as in "03:30"')
        return value

    @property
    def time(self) -> time:
        """`at` as a time."""
        return time.fromisoformat(self.at)


def _check_codes(codes: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
    if not set(codes) <= set(CODED):
        raise ValueError(f"only {' and '.join(CODED)} can have a code list")
    cleaned = {
        field: {clean(code): meaning for code, meaning in each.items()} for field, each in codes.items()
    }
    if any(len(cleaned[field]) < len(codes[field]) for field in codes):
        raise ValueError("a code is there twice, full-width and plain")
    return cleaned


class SourceFile(Section):
    """A source: a table of this province, and what it is in the catalogue."""

    source: SourceSection
    files: FilesSection | None = None
    database: DatabaseSection | None = None
    columns: Annotated[dict[str, str], AfterValidator(check_fields)] = Field(
        default_factory=dict, description="Headers by field"
    )
    codes: Annotated[dict[str, dict[str, str]], AfterValidator(_check_codes)] = Field(
        default_factory=dict, description="By field, what each code means in a register file; * is any other"
    )
    rows: RowsSection = Field(default_factory=RowsSection)
    floor: FloorSection = Field(default_factory=FloorSection)
    schedule: ScheduleSection | None = None

    @model_validator(mode="after")
    def _check_source(self) -> "SourceFile":
        if (self.files is None) == (self.database is None):
            raise ValueError("needs either [files] or [database]")
        if self.database and self.database.watermark and "id_no" not in self.columns:
            raise ValueError("[database] watermark needs id_no under [columns]")
        if not set(self.floor.missing) <= set(ALIASES):
            raise ValueError("[floor] missing: names a field that does not exist")
        return self

    @property
    def item(self) -> str:
        """Code of the item, and name of the source."""
        return self.source.item


def parse_source(place: Path, content: bytes, folder: Path) -> SourceFile:
    """What a source's file says; paths start in `folder`, the home. Raises ConfigError with every fault."""
    return check_sections(place, SourceFile, parse_toml(place, content, HINT), HINT, folder)


def make_request(
    found: SourceFile,
    catalogue: Catalogue,
    folder: Path,
    today: date,
    chosen: tuple[Path, ...] | None = None,
) -> ImportRequest:
    """The full import that a source stands for: of the files that it names, or of those that were `chosen`.

    Raises InputError for everything that does not fit the item or is not there, all of it at once.
    """
    known = {item.code: item for item in catalogue.items}
    item = known.get(found.item)
    if item is None:
        raise InputError(f"the catalogue has no item {found.item}", "`heqiao catalogue` lists the items")
    names = found.files.names if found.files and chosen is None else ()
    files = tuple(find_files(folder, names)) if chosen is None else chosen
    faults = [*_row_faults(found, item, today), *_database_faults(found.database)]
    faults += [f"[files] names: {fault}" for fault in pattern_faults(names, files, folder)]
    if faults:
        raise InputError(f"{found.item}: {'; '.join(faults)}", HINT)
    place, rows, where = found.files, found.rows, found.database
    return ImportRequest(
        found.item,
        files,
        where.url_file if where else None,
        where.statement if where else None,
        columns=found.columns,
        as_of=rows.as_of,
        form=_form(place),
        unit=None if rows.unit is None else check_unit(item, rows.unit),
        keep_zeros=rows.keep_zeros,
        allow_empty=rows.allow_empty,
        sheet=Sheet(place.sheet, place.header_row) if place else Sheet(),
        url_variable=where.url_variable if where else "",
        codes=found.codes,
    )


def _form(place: FilesSection | None) -> TextForm:
    if place is None:
        return TextForm()
    return TextForm(DELIMITERS[place.delimiter] if place.delimiter else "", place.encoding or "")


def _row_faults(found: SourceFile, item: Item, today: date) -> Iterator[str]:
    try:
        check_as_of(found.rows.as_of, today)
        if found.rows.unit is not None:
            check_unit(item, found.rows.unit)
    except InputError as error:
        yield f"[rows]: {error.message}"
    fields: Mapping[str, object] = fields_read(item, {})[0]
    for field in sorted({*found.columns, *found.codes, *found.floor.missing} - set(fields)):
        yield f"{field}: is not read of {item.code}"


def _database_faults(where: DatabaseSection | None) -> Iterator[str]:
    try:
        if where is not None and where.url_file is not None:
            read_url(where.url_file)
    except (ConfigError, KeyringError) as error:
        yield f"[database] url_file: {error} ({error.hint})"
