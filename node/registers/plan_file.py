"""The plan file of `heqiao import --all`: TOML with one table for each item (docs/import.md, "Everything").

It is checked as node.toml is: unknown keys are refused, all faults are named at once with their place, and no
value is shown.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, create_model, model_validator

from keys.errors import KeyringError
from node.config.loading import check_sections, read_toml
from node.config.section import HomePath, Section
from node.domain.catalogue import Catalogue
from node.errors import ConfigError, InputError
from node.registers.plan import ImportPlan, file_faults, is_passed_over, make_plan
from node.registers.requests import ImportRequest, Mode
from node.registers.row_parser import ALIASES
from node.registers.sources import check_as_of, read_url
from node.tabular.excel import Sheet
from node.tabular.text_form import DELIMITERS, ENCODINGS, TextForm
from node.tabular.units import check_unit

_HINT = "nothing was imported; docs/import.md explains every key of a plan file"


def as_patterns(value: object) -> object:
    """A name or a list of names as a tuple. Raises ValueError."""
    patterns = [value] if isinstance(value, str) else value
    if not isinstance(patterns, list | tuple) or not all(isinstance(one, str) and one for one in patterns):
        raise ValueError("must be a name in quotes, or a list of names")
    return tuple(patterns)


def _refuse_url(value: object) -> object:
    if "://" in str(value):  # it would be shown as the name of a file that is not there
        raise ValueError("must be the name of a private file, and never the URL itself")
    return value


UrlFile = Annotated[HomePath, BeforeValidator(_refuse_url)]


def check_fields(columns: dict[str, str]) -> dict[str, str]:
    """Headers by field. Raises ValueError where a field does not exist."""
    if not all(columns.values()) or not set(columns) <= set(ALIASES):
        raise ValueError(f"must be FIELD = HEADER with fields of {', '.join(ALIASES)}")
    return columns


def one_of(known: Sequence[str]) -> AfterValidator:
    """A check that a word is a known one."""

    def check(word: str) -> str:
        if word not in known:
            raise ValueError(f"must be one of {', '.join(known)}")
        return word

    return AfterValidator(check)


class PlannedItem(Section):
    """The table of one item: files or a query, and the options of `heqiao import`."""

    files: Annotated[tuple[str, ...], BeforeValidator(as_patterns)] = Field(
        default=(), description="Names or patterns, from the folder of the plan file"
    )
    sql_url_file: UrlFile | None = Field(default=None, description="Private file with the URL of a database")
    query: str | None = Field(default=None, description="The query whose rows are read")
    mode: Mode = Field(default="full", description="full replaces everything; upsert or delete: some people")
    columns: Annotated[dict[str, str], AfterValidator(check_fields)] = Field(
        default_factory=dict, description="Headers by field, as --map names them"
    )
    as_of: date | None = Field(default=None, description="Date of rows without one")
    delimiter: Annotated[str, one_of(tuple(DELIMITERS))] | None = Field(
        default=None, description="What separates the cells of text files"
    )
    encoding: Annotated[str, one_of(ENCODINGS)] | None = Field(
        default=None, description="Encoding of text files"
    )
    sheet: str = Field(default="", description="Sheet of a spreadsheet that has several")
    header_row: int = Field(default=0, ge=0, le=1000, description="Row of its headers; 0 is the first filled")
    unit: str | None = Field(default=None, description="Unit of the amounts")
    keep_zeros: bool = Field(default=False, description="Long record numbers do end in zeros")
    allow_empty: bool = Field(default=False, description="Publish even if no row can be used")

    @model_validator(mode="after")
    def _check_source(self) -> "PlannedItem":
        if (self.sql_url_file is None) != (self.query is None):
            raise ValueError("sql_url_file and query go together")
        if bool(self.files) == (self.query is not None):
            raise ValueError("needs either files or a query with sql_url_file")
        return self


def read_plan_file(path: Path, catalogue: Catalogue, today: date) -> ImportPlan:
    """The plan of a TOML file, whole and checked.

    Raises ConfigError for a file that is no such plan, InputError for files or values that cannot be used.
    """
    content = read_toml(path, "name a folder or a plan file")
    known = {item.code: item for item in catalogue.items}
    unknown = [code for code in content if code not in known]
    if unknown:
        hint = f"{_HINT}; known items: {', '.join(known)}"
        raise ConfigError(f"{path}: the catalogue has no item {', '.join(unknown)}", hint)
    fields: Mapping[str, Any] = dict.fromkeys(content, (PlannedItem, ...))
    plan = check_sections(path, create_model("Plan", __base__=Section, **fields), content, _HINT)
    folder = path.parent
    requests, faults = [], []
    for code in content:
        found: PlannedItem = getattr(plan, code)
        try:
            check_as_of(found.as_of, today)
            unit = None if found.unit is None else check_unit(known[code], found.unit)
        except InputError as error:
            faults.append(f"[{code}]: {error.message}")
            continue
        files = tuple(find_files(folder, found.files))
        faults += [f"[{code}] files: {fault}" for fault in pattern_faults(found.files, files, folder)]
        faults += [f"[{code}] sql_url_file: {fault}" for fault in _url_faults(found.sql_url_file)]
        requests.append(_request(code, found, files, unit))
    if faults:
        raise InputError(f"{path}: {'; '.join(faults)}", _HINT)
    return make_plan(path, requests, catalogue)


def _request(code: str, found: PlannedItem, files: tuple[Path, ...], unit: str | None) -> ImportRequest:
    return ImportRequest(
        code,
        files,
        found.sql_url_file,
        found.query,
        mode=found.mode,
        columns=found.columns,
        as_of=found.as_of,
        form=TextForm(DELIMITERS[found.delimiter] if found.delimiter else "", found.encoding or ""),
        unit=unit,
        keep_zeros=found.keep_zeros,
        allow_empty=found.allow_empty,
        sheet=Sheet(found.sheet, found.header_row),
    )


def _url_faults(path: Path | None) -> Iterator[str]:
    try:
        if path is not None:
            read_url(path)
    except (ConfigError, KeyringError) as error:
        yield f"{error} ({error.hint})"


def find_files(folder: Path, patterns: Sequence[str]) -> Iterator[Path]:
    """The files that names and patterns mean, in order."""
    for pattern in patterns:
        yield from _match(folder, pattern)


def _match(folder: Path, pattern: str) -> list[Path]:
    """The file of that name, else the files that fit the pattern, in order."""
    if (folder / pattern).exists() or (folder / pattern).is_symlink():
        return [folder / pattern]
    base = Path(Path(pattern).anchor or folder)
    try:
        found = sorted(base.glob(pattern.removeprefix(Path(pattern).anchor)))
    except ValueError:  # no pattern: the caller names it
        return []
    return [path for path in found if not is_passed_over(path.name)]


def pattern_faults(patterns: Sequence[str], files: Sequence[Path], folder: Path) -> Iterator[str]:
    """What keeps the files that patterns mean from being the source of one item."""
    for pattern in patterns:
        if not _match(folder, pattern):
            yield f"no file matches {pattern}"
    yield from file_faults(files, named=False)
