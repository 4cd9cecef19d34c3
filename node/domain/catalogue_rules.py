"""The rules of a catalogue: every fault of a file at once, and the catalogue of one without faults.

Each fault names its key, what was found there and what is allowed. A rule over several keys is applied to all
items and tables whose own form is right. Disclosure is bounded by the sensitivity class, and the class of an
item of the federation by the catalogue that comes with Heqiao: neither can be lowered (domain.md sections 4
and 8, S44).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

from pydantic import ValidationError

from matcher.types import Level
from node.domain.catalogue_form import CatalogueForm, HeadForm, ItemForm, TableForm
from node.domain.catalogue_items import (
    LEVELS,
    TABLE_KINDS,
    TEXTS,
    Catalogue,
    CodeEntry,
    Item,
    Table,
    plain_word,
)
from node.domain.sum_rules import SumRule
from node.domain.sum_rules import build as build_sum_rule

# For each level: the kinds of values it can show.
_KINDS: Final[Mapping[Level, tuple[str, ...]]] = {
    Level.EXISTENCE: ("flag", "count", "money"),
    Level.COUNT: ("count",),
    Level.BAND: ("money",),
    Level.THRESHOLD: ("money",),
    Level.VALUE: ("count", "money"),
    Level.AGGREGATE: ("count", "money"),
    Level.CODE: ("code",),
}
_COMBINES: Final = {
    "flag": ("any",),
    "count": ("count", "sum", "latest"),
    "money": ("sum", "latest"),
    "code": ("latest",),
}
# domain.md sections 4 and 8: nothing finer than a published threshold leaves a bank's home province.
ALLOWED_LEVELS: Final[Mapping[str, tuple[str, ...]]] = {
    "P": ("existence", "count", "band", "threshold", "value", "code", "aggregate"),
    "SP": ("existence", "count", "band", "threshold", "code", "aggregate"),
    "SM": ("existence", "band", "threshold", "aggregate"),
    "SF": ("threshold", "aggregate"),
}
_RANK: Final = {"P": 0, "SP": 1, "SM": 2, "SF": 2}
_LONGEST_FOUND: Final = 60


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of a file: its key, what was found there, and what is allowed."""

    key: str
    found: str
    allowed: str

    def __str__(self) -> str:
        return f"{self.key}: {self.allowed}" + (f", found {self.found}" if self.found else "")


@dataclass(frozen=True, slots=True)
class Checked:
    """The catalogue of a file, or its faults."""

    catalogue: Catalogue | None
    faults: tuple[Fault, ...] = ()


def check(raw: Mapping[str, Any], least: Mapping[str, str]) -> Checked:
    """What a parsed file says. `least` is the least sensitivity class of each item of the federation."""
    faults: list[Fault] = []
    head = _head(raw, faults)
    rules = _Rules(least, *_parts(raw, faults), faults)
    rules.apply(whole=not faults)
    if faults or head is None:
        return Checked(None, tuple(faults))
    return Checked(
        Catalogue(
            version=head.version,
            title_zh=head.title.zh,
            title_en=head.title.en,
            issuer_zh=head.issuer.zh,
            issuer_en=head.issuer.en,
            valid_from=head.valid_from,
            items=tuple(rules.items.values()),
            tables=tuple(rules.tables.values()),
        )
    )


def _head(raw: Mapping[str, Any], faults: list[Fault]) -> HeadForm | None:
    """The head and the form of everything; each fault once."""
    try:
        CatalogueForm.model_validate(raw)
    except ValidationError as invalid:
        faults += map(form_fault, invalid.errors(include_url=False))
    try:
        return HeadForm.model_validate({name: raw.get(name) for name in HeadForm.model_fields})
    except ValidationError:
        return None


def _parts(raw: Mapping[str, Any], faults: list[Fault]) -> tuple[dict[int, TableForm], dict[int, ItemForm]]:
    """The tables and items whose own form is right, by their places in the file."""
    bad = {fault.key.split(".")[0] for fault in faults}
    tables, items = raw.get("tables", []), raw.get("items", [])
    if {"tables", "items"} & bad:  # too many, or no list at all
        return {}, {}
    return (
        {n: TableForm.model_validate(one) for n, one in enumerate(tables) if f"tables[{n}]" not in bad},
        {n: ItemForm.model_validate(one) for n, one in enumerate(items) if f"items[{n}]" not in bad},
    )


def form_fault(error: Any) -> Fault:
    """One error of a file's form, as pydantic tells it."""
    found = "" if error["type"] == "missing" else shown(error["input"])
    return Fault(_key_path(error["loc"]), found, error["msg"])


def shown(value: object) -> str:
    """A value of a file as an error repeats it: short, on one line, nothing that controls a terminal."""
    text = value if isinstance(value, str) else repr(value) if isinstance(value, int | float | bool) else ""
    text = text or type(value).__name__
    cut = text if len(text) <= _LONGEST_FOUND else text[: _LONGEST_FOUND - 1] + "…"
    return " ".join("".join(c if c.isprintable() else "\ufffd" for c in cut).split())


def _key_path(parts: tuple[int | str, ...]) -> str:
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{shown(part)}" for part in parts)
    return text.lstrip(".")


@dataclass
class _Rules:
    """Applies the rules over several keys, and builds what breaks none."""

    least: Mapping[str, str]
    table_forms: Mapping[int, TableForm]
    item_forms: Mapping[int, ItemForm]
    faults: list[Fault]
    tables: dict[str, Table] = field(default_factory=dict)
    items: dict[str, Item] = field(default_factory=dict)

    def apply(self, *, whole: bool) -> None:
        """All rules; `whole`: nothing is missing from the forms, so that a table that nobody uses is one."""
        for place, table in self.table_forms.items():
            self.faults += (Fault(f"tables[{place}].{key}", *why) for key, *why in self._table_faults(table))
            self.tables.setdefault(table.code, _table(table))
        for place, item in self.item_forms.items():
            found = [*self._item_faults(item, whole=whole)]
            rule, problem = self._sum_rule(item)
            found += [("sum", "", problem)] if problem else []
            self.faults += (
                Fault(f"items[{place}].{key}", what, f"item {item.code}: {allowed}")
                for key, what, allowed in found
            )
            self.items.setdefault(item.code, _item(item, self.tables, rule))
        if whole:
            self._require_used()

    def _require_used(self) -> None:
        forms = self.item_forms.values()
        used = {one.table for one in forms} | {one.sum.table for one in forms if one.sum}
        self.faults += (
            Fault("tables", code, "every table is used by an item")
            for code in sorted(set(self.tables) - used)
        )

    def _table_faults(self, table: TableForm) -> Iterator[tuple[str, str, str]]:
        if table.code in self.tables:
            yield "code", table.code, "each table is defined once"
        if table.valid_to is not None and table.valid_to < table.valid_from:
            yield "valid_to", table.valid_to.isoformat(), "not before valid_from"
        if table.kind == "codes":
            yield from _list_faults(table)
            return
        if table.entries is not None:
            yield "entries", f"{len(table.entries)} entries", "only a table of kind codes has entries"
        bounds = table.bounds_fen
        if bounds is None:
            yield "bounds_fen", "", f"a table of kind {table.kind} needs bounds_fen"
        elif table.kind == "threshold" and len(bounds) != 1:
            yield "bounds_fen", f"{len(bounds)} bounds", "a threshold table holds exactly one bound"
        elif any(low >= high for low, high in pairwise(bounds)):
            yield "bounds_fen", "", "the bounds of a band table ascend"

    def _item_faults(self, item: ItemForm, *, whole: bool) -> Iterator[tuple[str, str, str]]:
        level = LEVELS[item.level]
        if item.code in self.items:
            yield "code", item.code, "each code is defined once"
        if (item.time == "period") != (item.period_months is not None):
            yield "period_months", str(item.period_months), "given for a period, and for nothing else"
        if item.value_kind not in _KINDS[level]:
            kinds = " or ".join(_KINDS[level])
            yield "value_kind", item.value_kind, f"the level {item.level} shows a {kinds}"
        if item.combine not in _COMBINES[item.value_kind]:
            rules = " or ".join(_COMBINES[item.value_kind])
            yield "combine", item.combine, f"a {item.value_kind} is combined by {rules}"
        yield from self._disclosure_faults(item)
        yield from self._table_choice_faults(item, level, whole=whole)
        made = _item(item, self.tables, None)
        if (
            item.level != "aggregate"
            and (level not in TABLE_KINDS or made.table)
            and item.example > made.highest
        ):
            yield "example", str(item.example), f"at most {made.highest}, the greatest value of an answer"

    def _disclosure_faults(self, item: ItemForm) -> Iterator[tuple[str, str, str]]:
        allowed, least = ALLOWED_LEVELS[item.sensitivity], self.least.get(item.code)
        if item.level not in allowed:
            yield (
                "level",
                item.level,
                f"the class {item.sensitivity} may be disclosed as {', '.join(allowed)}",
            )
        if least is not None and not _is_at_least(item.sensitivity, least):
            yield "sensitivity", item.sensitivity, f"{least} or more sensitive: a class is never lowered"
            strict = ALLOWED_LEVELS[least]
            if item.level in allowed and item.level not in strict:
                yield "level", item.level, f"the class {least} may be disclosed as {', '.join(strict)}"

    def _table_choice_faults(
        self, item: ItemForm, level: Level, *, whole: bool
    ) -> Iterator[tuple[str, str, str]]:
        kind, found = TABLE_KINDS.get(level), self.tables.get(item.table or "")
        if kind is None:
            if item.table:
                yield "table", item.table, f"the level {item.level} takes no table"
        elif item.table is None:
            yield "table", "", f"the level {item.level} needs a published table"
        elif found is None:
            if whole:  # else its own form may be wrong
                yield "table", item.table, "a table of this file"
        elif found.kind != kind:
            yield "table", item.table, f"the level {item.level} needs a table of kind {kind}"

    def _sum_rule(self, form: ItemForm) -> tuple[SumRule | None, str]:
        """How an item is summed, or what is wrong with it."""
        if form.sum is None:
            if form.level == "aggregate":
                return None, "the level aggregate answers nothing but sums, so it needs this table"
            return None, ""
        if form.value_kind in ("flag", "code"):
            return None, f"a {form.value_kind} cannot be summed"
        bands: tuple[int, ...] = ()
        if form.sum.table is not None:
            table = self.tables.get(form.sum.table)
            if table is None or table.kind != "bands":
                return None, f"there is no table {form.sum.table} of kind bands"
            bands = table.bounds_fen
        try:
            return build_sum_rule(form.sum, form.sensitivity, bands), ""
        except ValueError as problem:
            return None, str(problem)


def _is_at_least(found: str, least: str) -> bool:
    """Whether a class is as sensitive as another: P, then SP, then SF and SM, of which none is the other."""
    return found == least or _RANK[found] > _RANK[least]


def _list_faults(table: TableForm) -> Iterator[tuple[str, str, str]]:
    if table.bounds_fen is not None:
        yield "bounds_fen", "", "a table of kind codes has entries, and no bounds"
    if table.entries is None:
        yield "entries", "", "a table of kind codes needs entries"
        return
    seen: set[str] = set()
    for place, entry in enumerate(table.entries):
        for key, word in (("code", entry.code), ("zh", entry.zh)):
            if plain_word(word) in seen:
                # A register may hold either: one word must not stand for two entries.
                yield f"entries[{place}].{key}", shown(word), "each code and each word once in a list"
        seen |= {plain_word(entry.code), plain_word(entry.zh)}


def _table(form: TableForm) -> Table:
    return Table(
        code=form.code,
        kind=form.kind,
        issuer_zh=form.issuer.zh,
        issuer_en=form.issuer.en,
        valid_from=form.valid_from,
        valid_to=form.valid_to,
        bounds_fen=tuple(form.bounds_fen or ()),
        entries=tuple(CodeEntry(one.code, one.zh, one.en) for one in form.entries or ()),
    )


def _item(form: ItemForm, tables: Mapping[str, Table], rule: SumRule | None) -> Item:
    level = LEVELS[form.level]
    table = tables.get(form.table or "")
    # One of another kind is a fault of its own.
    fits = table if table is not None and table.kind == TABLE_KINDS.get(level) else None
    bounds = fits.bounds_fen if fits else ()
    texts = {f"{name}_{lang}": getattr(getattr(form, name), lang) for name in TEXTS for lang in ("zh", "en")}
    return Item(
        code=form.code,
        **texts,
        time=form.time,
        period_months=form.period_months,
        sensitivity=form.sensitivity,
        level=level,
        value_kind=form.value_kind,
        combine=form.combine,
        freshness_days=form.freshness_days,
        frequency=form.frequency,
        share=form.share,
        example=form.example,
        named_only=form.named_only,
        table=form.table if fits else None,
        bands=bounds if level is Level.BAND else (),
        threshold=bounds[0] if level is Level.THRESHOLD and bounds else None,
        codes=fits.entries if fits else (),
        sum=rule,
    )
