"""Where two catalogues define an item differently, attribute by attribute (docs/catalogue.md). Pure.

A peer's side is known only as what its definition digest covers: codes, numbers and digests of texts. So no
text of a peer is ever shown; whoever needs it takes the other catalogue from the other administrator.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from node.domain.catalogue_form import MAX_BOUNDS, MAX_ENTRIES
from node.domain.catalogue_items import (
    CODE_PATTERN,
    COMPARED_TEXTS,
    LANGUAGES,
    SUM_NUMBERS,
    Catalogue,
    Item,
    canonical,
    describe,
    digest_of,
)

Facts = Mapping[str, Any]
MAX_DEFINITION: Final = 16_384  # bytes; a list of 255 codes has 4,000
_MAX_NUMBER: Final = 10**15
_WORD: Final = re.compile(r"[A-Za-z_]{0,16}")
_TABLE: Final = re.compile(r"(?:[A-Z0-9][A-Z0-9a-z.-]{1,39})?")
_TEXT: Final = re.compile(r"[0-9a-f]{32}")
_LIST: Final = re.compile(r"(?:[0-9a-f]{32})?")
_ENTRY: Final = re.compile(r"[0-9A-Za-z]{1,12}")
_TEXTS: Final = tuple(f"{name}_{lang}" for name in COMPARED_TEXTS for lang in LANGUAGES)
_PATTERNS: Final[Mapping[str, re.Pattern[str]]] = {
    "code": re.compile(CODE_PATTERN),
    **dict.fromkeys(("level", "value_kind", "combine", "time", "sensitivity", "sum_mode"), _WORD),
    **dict.fromkeys(("table", "sum_table"), _TABLE),
    "words": _LIST,
    **dict.fromkeys(_TEXTS, _TEXT),
}
_NUMBERS: Final = ("period_months", "freshness_days", *(f"sum_{name}" for name in SUM_NUMBERS))
_BOUNDS: Final = ("bounds", "sum_bounds")
_KEYS: Final = {*_PATTERNS, *_NUMBERS, *_BOUNDS, "codes", "sum"}
_DIGITS: Final = 8  # of a text's digest that are shown
_SHOWN_CODES: Final = 20


class DifferenceKind(StrEnum):
    """How two catalogues differ in an item."""

    CONFLICT = "conflict"  # both have it, and define it differently: NOT_COMPARABLE
    ONLY_HERE = "only_here"  # the other has no such item: NOT_CONNECTED
    ONLY_THERE = "only_there"  # this one has no such item, and cannot ask for it


@dataclass(frozen=True, slots=True)
class Difference:
    """One attribute on both sides: codes and numbers as they are; a text of the own side as it is, one of a
    peer as the first digits of its digest.
    """

    attribute: str
    here: str
    there: str


@dataclass(frozen=True, slots=True)
class ItemDifference:
    """An item that two catalogues do not have alike; `attributes` are those of a conflict that differ."""

    item: str
    kind: DifferenceKind
    attributes: tuple[Difference, ...] = ()


def compare_catalogues(here: Catalogue, there: Catalogue) -> tuple[ItemDifference, ...]:
    """Two catalogues that are both at hand, with the texts of both; by code in order."""
    own, other = ({item.code: item for item in one.items} for one in (here, there))
    found = []
    for code in sorted({*own, *other}):
        first, second = own.get(code), other.get(code)
        if first is None or second is None:
            kind = DifferenceKind.ONLY_THERE if first is None else DifferenceKind.ONLY_HERE
            found.append(ItemDifference(code, kind))
        elif first.definition != second.definition:
            found.append(_conflict(first, describe(second), second))
    return tuple(found)


def compare_definitions(
    own: Catalogue, theirs: Mapping[str, bytes], described: Mapping[str, bytes]
) -> tuple[ItemDifference, ...]:
    """An own catalogue with the definition digests of a peer; `described` are the bytes of its conflicts.

    Raises ValueError for bytes that are no definition, or not the one of the digest.
    """
    found = []
    for code in sorted({*own.codes, *theirs}):
        item = own.find(code)
        if item is None:
            found.append(ItemDifference(code, DifferenceKind.ONLY_THERE))
        elif code not in theirs:
            if item.is_shared:
                found.append(ItemDifference(code, DifferenceKind.ONLY_HERE))
        elif item.definition != theirs[code]:
            facts = parse_definition(described[code], code, theirs[code])
            found.append(_conflict(item, facts, None))
    return tuple(found)


def parse_definition(described: bytes, code: str, digest: bytes) -> Facts:
    """The facts of a definition that a peer sent. Raises ValueError.

    The signed manifest names the digest, so a peer cannot show another definition than it answers by; and
    nothing but codes, numbers and digests gets through.
    """
    if len(described) > MAX_DEFINITION or digest_of(described) != digest:
        raise ValueError("not the definition of the digest")
    try:
        facts = json.loads(described)
    except RecursionError:
        raise ValueError("not a definition") from None
    if not isinstance(facts, dict) or facts.keys() != _KEYS or facts["code"] != code:
        raise ValueError("not a definition")
    good = (
        all(isinstance(facts[key], str) and form.fullmatch(facts[key]) for key, form in _PATTERNS.items())
        and all(map(_is_number, (facts[key] for key in _NUMBERS)))
        and all(_is_list(facts[key], MAX_BOUNDS) and all(map(_is_number, facts[key])) for key in _BOUNDS)
        and _is_list(facts["codes"], MAX_ENTRIES)
        and all(isinstance(one, str) and _ENTRY.fullmatch(one) for one in facts["codes"])
        and isinstance(facts["sum"], bool)
        and canonical(facts) == described  # one text for one definition: no key twice
    )
    if not good:
        raise ValueError("not a definition")
    return facts


def _is_number(found: object) -> bool:
    return isinstance(found, int) and not isinstance(found, bool) and 0 <= found <= _MAX_NUMBER


def _is_list(found: object, most: int) -> bool:
    return isinstance(found, list) and len(found) <= most


def _conflict(item: Item, theirs: Facts, other: Item | None) -> ItemDifference:
    own = describe(item)
    attributes = []
    for key in own:
        if own[key] == theirs[key]:
            continue
        if key in _TEXTS:
            name, _, lang = key.rpartition("_")
            there = other.text(name, lang) if other else f"#{theirs[key][:_DIGITS]}"
            attributes.append(Difference(key, item.text(name, lang), there))
        else:
            attributes.append(Difference(key, _written(key, own[key]), _written(key, theirs[key])))
    return ItemDifference(item.code, DifferenceKind.CONFLICT, tuple(attributes))


def _written(key: str, found: object) -> str:
    if isinstance(found, bool):
        return "yes" if found else "no"
    if isinstance(found, list):
        texts = [f"{one:,}" if isinstance(one, int) else str(one) for one in found[:_SHOWN_CODES]]
        more = f" and {len(found) - _SHOWN_CODES} more" if len(found) > _SHOWN_CODES else ""
        return ("; ".join(texts) + more) or "none"
    if key == "words" and found:
        return f"#{str(found)[:_DIGITS]}"
    return f"{found:,}" if isinstance(found, int) else str(found) or "none"
