"""What a catalogue consists of: items, published tables, and their digests (docs/catalogue.md). Pure.

Every item has a definition digest. It covers what an answer of the item means, and nothing else, so that two
provinces can compare items one by one (docs/adr/0026). Texts enter it as digests of their own: what is sent
to a peer to show a difference holds codes, numbers and digests, and no free text.
"""

import json
import unicodedata
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from difflib import get_close_matches
from functools import cached_property, lru_cache
from typing import Any, Final

from blake3 import blake3

from matcher.types import Level, TokenClass
from node.domain.sum_rules import SumRule
from node.errors import ItemNotOfferedError

# A code of the federation; or X, the code of the province whose own item it is, and such a code.
FEDERATION_CODE: Final = r"[A-WYZ][0-9]{2}[a-z]?"
OWN_CODE: Final = rf"X[0-9]{{2}}{FEDERATION_CODE}"
CODE_PATTERN: Final = rf"(?:{FEDERATION_CODE}|{OWN_CODE})"
LONGEST_CODE: Final = 7
MAX_VALUE: Final = 2**53 - 1  # what every reader of JSON keeps exactly
LEVELS: Mapping[str, Level] = {level.name.lower(): level for level in Level}
# Item attributes that people read, so they exist in both languages.
TEXTS: Final = ("name", "format", "measure", "unit", "definition", "holder")
COMPARED_TEXTS: Final = ("name", "format", "measure", "unit", "definition")
LANGUAGES: Final = ("zh", "en")
TABLE_KINDS: Mapping[Level, str] = {Level.BAND: "bands", Level.THRESHOLD: "threshold", Level.CODE: "codes"}
NOT_SHARED: Final = "not_shared"
_DEFINITION: Final = b"heqiao v1 catalogue definition\x00"
_CONTENT: Final = b"heqiao v1 catalogue content\x00"
_TEXT: Final = b"heqiao v1 catalogue text\x00"
_TEXT_DIGEST: Final = 16


@dataclass(frozen=True, slots=True)
class CodeEntry:
    """One entry of a published code list: the code, and what it says in both languages."""

    code: str
    zh: str
    en: str

    def text(self, lang: str) -> str:
        """Its words in `zh` or `en`."""
        return self.zh if lang == "zh" else self.en


@dataclass(frozen=True, slots=True)
class Item:
    """One catalogue entry.

    `format`, `measure` and `definition` with the name are the four mandatory attributes (S16).
    `time` is `instant` or `period` (then `period_months` is set). `sensitivity` is P, SP, SF or
    SM. `value_kind` is `flag`, `count`, `money` or `code`; `combine` is the rule that makes one record of
    several source rows: `any`, `count`, `sum` or `latest`. `bands` are ascending inclusive upper
    bounds in fen, `threshold` is in fen, `codes` are the entries of a code list, all from the published table
    `table`; empty and None where the level has none. `frequency` is how often the holder updates its records,
    `share` the class of sharing (domain.md section 8), `example` the value of an example answer: of a sum for
    the level aggregate, else as a label carries it. `named_only`: only a mandate that names the item covers
    it.
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
    frequency: str
    share: str
    example: int
    named_only: bool = False
    table: str | None = None
    bands: tuple[int, ...] = ()
    threshold: int | None = None
    codes: tuple[CodeEntry, ...] = ()
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
        return {Level.BAND: 1, Level.CODE: 1, Level.COUNT: 2}.get(self.level, 0)

    @property
    def highest(self) -> int:
        """The largest value that a label of this item may carry; -1 where it has no labels."""
        if self.level is Level.AGGREGATE:
            return -1
        if self.level is Level.BAND:
            return len(self.bands)
        if self.level is Level.CODE:
            return len(self.codes) - 1
        return min(256**self.width - 1, MAX_VALUE) if self.width else 1

    @property
    def owner(self) -> str:
        """The province whose own item it is; empty for one of the federation."""
        return self.code[1:3] if self.code.startswith("X") else ""

    @property
    def is_shared(self) -> bool:
        """Whether it is answered to peers at all."""
        return self.share != NOT_SHARED

    @property
    def definition(self) -> bytes:
        """32 bytes that two provinces' items share exactly if their answers mean the same."""
        return _definition_digest(self)

    @property
    def content(self) -> bytes:
        """32 bytes that change with all that decides what an import writes, save sums."""
        facts = {name: found for name, found in describe(self).items() if name in _CONTENT_FACTS}
        return blake3(_CONTENT + canonical(facts)).digest()

    def text(self, attribute: str, lang: str) -> str:
        """One of TEXTS in `zh` or `en`."""
        return str(getattr(self, f"{attribute}_{lang}"))

    def index_of(self, written: str) -> int | None:
        """Place in its code list of what a register says: a code, or its Chinese word; None for neither."""
        return _places(self.codes).get(plain_word(written))


# Written into the index: another value of these needs a full import.
_CONTENT_FACTS: Final = ("code", "level", "value_kind", "combine", "time", "period_months", "bounds", "codes")


@lru_cache(maxsize=256)
def _places(codes: tuple[CodeEntry, ...]) -> Mapping[str, int]:
    return {plain_word(word): place for place, one in enumerate(codes) for word in (one.code, one.zh)}


def plain_word(word: str) -> str:
    """A word of a code list as it is compared: registers write digits and brackets in either width."""
    return unicodedata.normalize("NFKC", word).strip()


def describe(item: Item) -> dict[str, Any]:
    """What the definition digest of an item covers: codes and numbers; texts and lists of words as digests.

    The same for two provinces exactly if answers of the item can be compared.
    """
    facts: dict[str, Any] = {
        "code": item.code,
        "level": item.level.name.lower(),
        "value_kind": item.value_kind,
        "combine": item.combine,
        "time": item.time,
        "period_months": item.period_months or 0,
        "sensitivity": item.sensitivity,
        "freshness_days": item.freshness_days,
        "table": item.table or "",
        "bounds": list(item.bands) if item.threshold is None else [item.threshold],
        "codes": [one.code for one in item.codes],
        "words": text_digest("\n".join(f"{one.zh}\t{one.en}" for one in item.codes)) if item.codes else "",
    }
    for name in COMPARED_TEXTS:
        facts |= {f"{name}_{lang}": text_digest(item.text(name, lang)) for lang in LANGUAGES}
    rule = item.sum
    facts |= {
        "sum": rule is not None,
        "sum_mode": rule.mode if rule else "",
        "sum_table": (rule.table or "") if rule else "",
        "sum_bounds": list(rule.bands) if rule else [],
    }
    for name in SUM_NUMBERS:
        facts[f"sum_{name}"] = getattr(rule, name) if rule else 0
    return facts


SUM_NUMBERS: Final = (
    "min_cohort",
    "dominance_percent",
    "rounding",
    "min_cell",
    "epsilon_milli",
    "epsilon_milli_period",
    "max_contribution",
)


def described(item: Item) -> bytes:
    """The canonical bytes whose digest is the item's definition digest."""
    return canonical(describe(item))


def digest_of(description: bytes) -> bytes:
    """The definition digest (32 bytes) of such bytes."""
    return blake3(_DEFINITION + description).digest()


def text_digest(text: str) -> str:
    """A text as it enters a definition: 32 hexadecimal digits."""
    return blake3(_TEXT + text.encode("utf-8", "surrogatepass")).hexdigest(_TEXT_DIGEST)


def canonical(facts: Mapping[str, Any]) -> bytes:
    """The one JSON text of some facts: UTF-8, sorted keys, no white space, no floats."""
    return json.dumps(
        facts,
        sort_keys=True,
        ensure_ascii=False,
        allow_nan=False,
        separators=(",", ":"),
        default=date.isoformat,
    ).encode()


@lru_cache(maxsize=2048)
def _definition_digest(item: Item) -> bytes:
    return digest_of(described(item))


@dataclass(frozen=True, slots=True)
class Table:
    """A published table: one bound for a threshold, ascending ones for bands (fen), or a list of codes.

    It is in force from `valid_from` to `valid_to`, both included; None is until further notice.
    """

    code: str
    kind: str
    issuer_zh: str
    issuer_en: str
    valid_from: date
    valid_to: date | None
    bounds_fen: tuple[int, ...] = ()
    entries: tuple[CodeEntry, ...] = ()

    def is_valid(self, day: date) -> bool:
        """Whether it is in force on a day."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)


@dataclass(frozen=True)
class Catalogue:
    """A checked catalogue. Two nodes hold the same document exactly if their digests are equal."""

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

    @cached_property
    def definitions(self) -> Mapping[str, bytes]:
        """The definition digest of each item."""
        return {item.code: item.definition for item in self.items}

    @property
    def major(self) -> int:
        """Nodes of the same major version answer each other."""
        return major_of(self.version)

    @property
    def codes(self) -> tuple[str, ...]:
        """The item codes in catalogue order."""
        return tuple(item.code for item in self.items)

    def find(self, code: str) -> Item | None:
        """The item of that code, None where there is none."""
        return next((item for item in self.items if item.code == code), None)

    def item(self, code: str) -> Item:
        """The item of that code; raises ItemNotOfferedError with the nearest known code as hint."""
        found = self.find(code)
        if found is not None:
            return found
        near = get_close_matches(code, self.codes, n=1, cutoff=0.5)
        suggestion = f"did you mean {near[0]}? " if near else ""
        raise ItemNotOfferedError(
            f"the catalogue {self.version} has no item {_shown(code)}",
            f"{suggestion}`heqiao catalogue` lists the items",
        )


def canonical_json(catalogue: Catalogue) -> bytes:
    """The bytes that the digest covers."""
    document = plain(catalogue)
    return canonical(document)


def plain(catalogue: Catalogue) -> dict[str, Any]:
    """The catalogue as plain values; dates are dates."""
    document = asdict(catalogue)
    for item in document["items"]:
        item["level"] = item["level"].name.lower()
    return document


def version_of(text: str) -> tuple[int, int]:
    """Major and minor number of a version. Raises ValueError."""
    major, minor = text.split(".")
    return int(major), int(minor)


def major_of(version: str) -> int:
    """The major number of a version that has the right form."""
    return version_of(version)[0]


def _shown(code: str) -> str:
    # A mistyped --items value may be anything, even an identity number.
    return code if len(code) <= LONGEST_CODE and code.isascii() and code.isalnum() else "of that code"
