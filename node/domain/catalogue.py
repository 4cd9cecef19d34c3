"""The item catalogue: which items may be verified, how they are counted and how much is disclosed.

A catalogue is one TOML file, the same in every province (design.md sections 3 and 4; domain.md
sections 4 and 11, S16). Figures that a peer could otherwise choose freely, such as thresholds,
are in published tables with a code, an issuing body and a date; an item only names its table.
Money is in fen, always an integer. The format is documented in docs/catalogue.md.
"""

import json
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from difflib import get_close_matches
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal

from blake3 import blake3
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from matcher.types import Level, TokenClass
from node.domain.sum_rules import SumForm, SumRule
from node.domain.sum_rules import build as build_sum_rule
from node.errors import ConfigError, ItemNotOfferedError

BUILT_IN = Path(__file__).parent / "catalogues" / "federation-2026.toml"
CODE_PATTERN = r"[A-Z][0-9]{2}[a-z]?"
MAX_VALUE = 2**53 - 1  # what every reader of JSON keeps exactly
LEVELS: Mapping[str, Level] = {level.name.lower(): level for level in Level}
# Item attributes that people read, so they exist in both languages.
TEXTS = ("name", "format", "measure", "unit", "definition", "holder")

# For each level: the kinds of values it can show and the kind of table it needs.
_KINDS = {
    Level.EXISTENCE: ("flag", "count", "money"),
    Level.COUNT: ("count",),
    Level.BAND: ("money",),
    Level.THRESHOLD: ("money",),
    Level.VALUE: ("count", "money"),
    Level.AGGREGATE: ("count", "money"),
}
_TABLE_KINDS = {Level.BAND: "bands", Level.THRESHOLD: "threshold"}
_COMBINES = {"flag": ("any",), "count": ("count", "sum", "latest"), "money": ("sum", "latest")}


@dataclass(frozen=True, slots=True)
class Item:
    """One catalogue entry.

    `format`, `measure` and `definition` with the name are the four mandatory attributes (S16).
    `time` is `instant` or `period` (then `period_months` is set). `sensitivity` is P, SP, SF or
    SM. `value_kind` is `flag`, `count` or `money`; `combine` is the rule that makes one record of
    several source rows: `any`, `count`, `sum` or `latest`. `bands` are ascending inclusive upper
    bounds in fen and `threshold` is in fen, both from the published table `table`; empty and
    None where the level has none.
    """

    code: str
    name_zh: str
    name_en: str
    format_zh: str
    format_en: str
    measure_zh: str
    measure_en: str
    unit_zh: str
    unit_en: str
    definition_zh: str
    definition_en: str
    holder_zh: str
    holder_en: str
    time: str
    period_months: int | None
    sensitivity: str
    level: Level
    value_kind: str
    combine: str
    freshness_days: int
    table: str | None = None
    bands: tuple[int, ...] = ()
    threshold: int | None = None
    sum: SumRule | None = None

    @property
    def token_class(self) -> TokenClass:
        """Which key makes the tokens of its entries: financial and medical items are sensitive."""
        return TokenClass.SENSITIVE if self.sensitivity in ("SF", "SM") else TokenClass.ORDINARY

    @property
    def width(self) -> int:
        """Bytes of the value in a label (design.md section 3.2); 0 where an entry itself is the answer."""
        if self.level is Level.VALUE:
            return 8 if self.value_kind == "money" else 4
        return {Level.BAND: 1, Level.COUNT: 2}.get(self.level, 0)

    @property
    def highest(self) -> int:
        """The largest value that a label of this item may carry; -1 where it has no labels."""
        if self.level is Level.AGGREGATE:
            return -1
        if self.level is Level.BAND:
            return len(self.bands)
        return min(256**self.width - 1, MAX_VALUE) if self.width else 1

    def text(self, attribute: str, lang: str) -> str:
        """One of TEXTS in `zh` or `en`."""
        return str(getattr(self, f"{attribute}_{lang}"))


@dataclass(frozen=True, slots=True)
class Table:
    """A published table of bounds in fen: one for a threshold, ascending ones for bands."""

    code: str
    kind: str
    issuer_zh: str
    issuer_en: str
    valid_from: date
    bounds_fen: tuple[int, ...]


@dataclass(frozen=True)
class Catalogue:
    """A checked catalogue. Two nodes have the same one exactly if their digests are equal."""

    version: str
    title_zh: str
    title_en: str
    issuer_zh: str
    issuer_en: str
    valid_from: date
    items: tuple[Item, ...]
    tables: tuple[Table, ...]

    @cached_property
    def digest(self) -> bytes:
        """32 bytes: BLAKE3 over the catalogue as JSON with sorted keys and no floats."""
        return blake3(canonical_json(self)).digest()

    @cached_property
    def widths(self) -> Mapping[str, int]:
        """Bytes of the value in a label, by item."""
        return {item.code: item.width for item in self.items}

    @property
    def codes(self) -> tuple[str, ...]:
        """The item codes in catalogue order."""
        return tuple(item.code for item in self.items)

    def item(self, code: str) -> Item:
        """The item of that code; raises ItemNotOfferedError with the nearest known code as hint."""
        for item in self.items:
            if item.code == code:
                return item
        near = get_close_matches(code, self.codes, n=1, cutoff=0.5)
        suggestion = f"did you mean {near[0]}? " if near else ""
        raise ItemNotOfferedError(
            f"the catalogue {self.version} has no item {_shown(code)}",
            f"{suggestion}known items: {', '.join(self.codes)}",
        )


def load(path: Path | None = None) -> Catalogue:
    """Read and check a catalogue file, the built-in one by default.

    Raises ConfigError naming the file and the key: unknown keys, missing attributes in either
    language, and violations of the rules of docs/catalogue.md.
    """
    path = path or BUILT_IN
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ConfigError(f"{path}: the catalogue cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: the catalogue is not UTF-8", "save the file as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not a TOML file: {error}") from None
    try:
        form = _CatalogueForm.model_validate(raw)
    except ValidationError as invalid:
        first = invalid.errors(include_url=False, include_input=False)[0]
        raise _refuse(path, _key_path(first["loc"]), first["msg"]) from None
    return _build(path, form)


def to_json(catalogue: Catalogue) -> dict[str, Any]:
    """The catalogue as plain JSON values, with its digest as hex."""
    return {**json.loads(canonical_json(catalogue)), "digest": catalogue.digest.hex()}


def canonical_json(catalogue: Catalogue) -> bytes:
    """The bytes that the digest covers: UTF-8, sorted keys, no white space, no floats."""
    document = asdict(catalogue)
    for item in document["items"]:
        item["level"] = item["level"].name.lower()
    return json.dumps(
        document, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=date.isoformat
    ).encode()


# ---- the file's form


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


_Words = Annotated[str, Field(min_length=1, max_length=500, pattern=r"\S")]
_Code = Annotated[str, Field(pattern=rf"^{CODE_PATTERN}$")]
_TableCode = Annotated[str, Field(pattern=r"^[A-Z0-9][A-Z0-9a-z.-]{1,39}$")]
# Labels carry amounts in eight bytes; a quadrillion fen is beyond any household.
_Bound = Annotated[int, Field(gt=0, le=10**15)]


class _Text(_Form):
    zh: _Words
    en: _Words


class _TableForm(_Form):
    code: _TableCode
    kind: Literal["threshold", "bands"]
    issuer: _Text
    valid_from: date
    bounds_fen: Annotated[list[_Bound], Field(min_length=1, max_length=32)]


class _ItemForm(_Form):
    code: _Code
    name: _Text
    format: _Text
    measure: _Text
    unit: _Text
    definition: _Text
    holder: _Text
    time: Literal["instant", "period"]
    period_months: Annotated[int, Field(ge=1, le=120)] | None = None
    sensitivity: Literal["P", "SP", "SF", "SM"]
    level: Literal["existence", "count", "band", "threshold", "value", "aggregate"]
    value_kind: Literal["flag", "count", "money"]
    combine: Literal["any", "count", "sum", "latest"]
    freshness_days: Annotated[int, Field(ge=1, le=3660)]
    table: _TableCode | None = None
    sum: SumForm | None = None


class _CatalogueForm(_Form):
    version: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{0,39}$")]
    title: _Text
    issuer: _Text
    valid_from: date
    tables: list[_TableForm] = []
    items: Annotated[list[_ItemForm], Field(min_length=1, max_length=500)]


# ---- rules for several keys


def _build(path: Path, form: _CatalogueForm) -> Catalogue:
    tables: dict[str, Table] = {}
    for index, table in enumerate(form.tables):
        problem = _table_problem(table, tables)
        if problem:
            raise _refuse(path, f"tables[{index}].{problem[0]}", problem[1])
        tables[table.code] = _table(table)
    items: dict[str, Item] = {}
    for index, item in enumerate(form.items):
        problem = _item_problem(item, items, tables)
        if problem:
            raise _refuse(path, f"items[{index}].{problem[0]}", f"item {item.code}: {problem[1]}")
        try:
            items[item.code] = _item(item, tables)
        except ValueError as problem_of_sum:
            raise _refuse(path, f"items[{index}].sum", f"item {item.code}: {problem_of_sum}") from None
    used = {item.table for item in items.values()} | {item.sum.table for item in items.values() if item.sum}
    unused = set(tables) - used
    if unused:
        raise _refuse(path, "tables", f"no item uses the table {min(unused)}")
    return Catalogue(
        version=form.version,
        title_zh=form.title.zh,
        title_en=form.title.en,
        issuer_zh=form.issuer.zh,
        issuer_en=form.issuer.en,
        valid_from=form.valid_from,
        items=tuple(items.values()),
        tables=tuple(tables.values()),
    )


def _table_problem(table: _TableForm, earlier: Mapping[str, Table]) -> tuple[str, str] | None:
    bounds = table.bounds_fen
    if table.code in earlier:
        return "code", f"the table {table.code} is defined twice"
    if table.kind == "threshold" and len(bounds) != 1:
        return "bounds_fen", "a threshold table holds exactly one bound"
    if any(low >= high for low, high in pairwise(bounds)):
        return "bounds_fen", "the bounds of a band table must ascend"
    return None


def _item_problem(
    item: _ItemForm, earlier: Mapping[str, Item], tables: Mapping[str, Table]
) -> tuple[str, str] | None:
    level = LEVELS[item.level]
    if item.code in earlier:
        return "code", "the code is defined twice"
    if (item.time == "period") != (item.period_months is not None):
        return "period_months", "give it for a period, and for nothing else"
    if item.value_kind not in _KINDS[level]:
        return "value_kind", f"the level {item.level} cannot show a {item.value_kind}"
    if item.combine not in _COMBINES[item.value_kind]:
        return "combine", f"a {item.value_kind} is combined by {' or '.join(_COMBINES[item.value_kind])}"
    # domain.md section 8: nothing finer than a published threshold leaves a bank's home province.
    if item.sensitivity == "SF" and level not in (Level.THRESHOLD, Level.AGGREGATE):
        return "level", "sensitive financial data (SF) may only be threshold or aggregate"
    if level is Level.VALUE and item.sensitivity != "P":
        return "level", "a value may be shown only for items that are not sensitive (P)"
    return _table_choice_problem(item, level, tables)


def _table_choice_problem(
    item: _ItemForm, level: Level, tables: Mapping[str, Table]
) -> tuple[str, str] | None:
    kind = _TABLE_KINDS.get(level)
    if kind is None:
        return ("table", f"the level {item.level} takes no table") if item.table else None
    if item.table is None:
        return "table", f"the level {item.level} needs a published table"
    if item.table not in tables:
        return "table", f"there is no table {item.table}"
    if tables[item.table].kind != kind:
        return "table", f"the level {item.level} needs a table of kind {kind}"
    return None


def _table(form: _TableForm) -> Table:
    return Table(
        code=form.code,
        kind=form.kind,
        issuer_zh=form.issuer.zh,
        issuer_en=form.issuer.en,
        valid_from=form.valid_from,
        bounds_fen=tuple(form.bounds_fen),
    )


def _item(form: _ItemForm, tables: Mapping[str, Table]) -> Item:
    bounds = tables[form.table].bounds_fen if form.table else ()
    texts = {f"{name}_{lang}": getattr(getattr(form, name), lang) for name in TEXTS for lang in ("zh", "en")}
    return Item(
        code=form.code,
        **texts,
        time=form.time,
        period_months=form.period_months,
        sensitivity=form.sensitivity,
        level=LEVELS[form.level],
        value_kind=form.value_kind,
        combine=form.combine,
        freshness_days=form.freshness_days,
        table=form.table,
        bands=bounds if form.level == "band" else (),
        threshold=bounds[0] if form.level == "threshold" else None,
        sum=_sum_rule(form, tables),
    )


def _sum_rule(form: _ItemForm, tables: Mapping[str, Table]) -> SumRule | None:
    if form.sum is None:
        if form.level == "aggregate":
            raise ValueError("the level aggregate answers nothing but sums, so it needs this table")
        return None
    if form.value_kind == "flag":
        raise ValueError("a flag cannot be summed")
    bands: tuple[int, ...] = ()
    if form.sum.table is not None:
        table = tables.get(form.sum.table)
        if table is None or table.kind != "bands":
            raise ValueError(f"there is no table {form.sum.table} of kind bands")
        bands = table.bounds_fen
    return build_sum_rule(form.sum, form.sensitivity, bands)


def _refuse(path: Path, key: str, problem: str) -> ConfigError:
    return ConfigError(f"{path}: {key}: {problem}", "the catalogue's rules are in docs/catalogue.md")


def _key_path(parts: tuple[int | str, ...]) -> str:
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)
    return text.lstrip(".")


def _shown(code: str) -> str:
    # A mistyped --items value may be anything, even an identity number.
    return code if len(code) <= 4 and code.isascii() and code.isalnum() else "of that code"
