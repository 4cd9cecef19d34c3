"""Expert thresholds: which changes of an answer become alerts (domain.md sections 7 and 11, S26, S45). Pure.

    version = "2026-2"
    set_by = "广西民政厅 低收入人口监测专家组"
    valid_from = 2026-10-01

    [[rule]]
    item = "C21"
    when = "count_rises"
    by = 1
    zh = "名下机动车增加"
    en = "more vehicles"

A threshold says what is worth a person's look. It decides nothing about the person (domain.md section 8,
art. 48).
"""

import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Final

from matcher.types import Level
from node.domain.catalogue import Catalogue
from node.domain.findings import Outcome
from node.errors import InputError

MOST_BYTES: Final = 262_144
_VERSION: Final = re.compile(r"[A-Za-z0-9._-]{1,32}")
_TEXT: Final = 200
_PRESENT: Final = (Outcome.FOUND, Outcome.OVER, Outcome.STALE)
_ABSENT: Final = (Outcome.NOT_FOUND, Outcome.NOT_OVER)


class When(StrEnum):
    """The kinds of change."""

    APPEARS = "appears"
    DISAPPEARS = "disappears"
    COUNT_RISES = "count_rises"
    BAND_RISES = "band_rises"
    CODE_CHANGES = "code_changes"
    THRESHOLD_PASSES = "threshold_passes"


_COUNTED: Final = (When.COUNT_RISES, When.BAND_RISES)
# Levels by name: a catalogue may bring `code`.
_LEVELS: Final = {
    When.APPEARS: ("EXISTENCE", "COUNT", "BAND", "VALUE", "CODE"),
    When.DISAPPEARS: ("EXISTENCE", "COUNT", "BAND", "VALUE", "CODE", "THRESHOLD"),
    When.COUNT_RISES: ("COUNT", "VALUE"),
    When.BAND_RISES: ("BAND",),
    When.CODE_CHANGES: ("CODE",),
    When.THRESHOLD_PASSES: ("THRESHOLD",),
}


@dataclass(frozen=True, slots=True)
class Rule:
    """One threshold: `by` is how much a count or a band must rise at least; `zh` and `en` are its cause."""

    item: str
    when: When
    by: int
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Thresholds:
    """One version of a province's thresholds: who set it, from which day of China on it is valid."""

    version: str
    set_by: str
    valid_from: date
    rules: tuple[Rule, ...]
    content: str


@dataclass(frozen=True, slots=True)
class Said:
    """What one province said of one person and item: outcome, value, as-of day (days since 1970-01-01)."""

    outcome: Outcome
    value: int | None = None
    as_of: int | None = None

    @property
    def is_present(self) -> bool:
        """Whether there is a record under the person's number and name."""
        return self.outcome in _PRESENT

    @property
    def is_comparable(self) -> bool:
        """Whether it says that there is a record, or that there is none: nothing else is compared."""
        return self.outcome in _PRESENT or self.outcome in _ABSENT


def find_rule(rules: Sequence[Rule], before: Said, now: Said) -> Rule | None:
    """The first rule of an item that a change meets: one change is one alert at most.

    Only two comparable answers make a change: what was not answered, refused, damaged or of another name
    does not.
    """
    if not (before.is_comparable and now.is_comparable):
        return None
    return next((rule for rule in rules if _meets(rule, before, now)), None)


def _meets(rule: Rule, before: Said, now: Said) -> bool:
    was, is_, rise = before.is_present, now.is_present, (now.value or 0) - (before.value or 0)
    match rule.when:
        case When.APPEARS | When.THRESHOLD_PASSES:
            return is_ and not was
        case When.DISAPPEARS:
            return was and not is_
        case When.COUNT_RISES | When.BAND_RISES:
            return was and is_ and rise >= rule.by
        case When.CODE_CHANGES:
            return was and is_ and rise != 0
    return False


def parse_thresholds(content: bytes, catalogue: Catalogue) -> Thresholds:
    """The thresholds in a TOML file. Raises InputError with every fault: rule, field, found, allowed."""
    plain = _read_toml(content)
    faults = list(_unknown(plain, {"version", "set_by", "valid_from", "rule"}, "the file"))
    version, day = str(plain.get("version", "")), plain.get("valid_from")
    if not isinstance(plain.get("version"), str) or not _VERSION.fullmatch(version):
        faults.append("version: 1 to 32 of letters, digits, dot, underscore and hyphen")
    faults += _text_faults(plain, "set_by", "")
    if type(day) is not date:
        faults.append("valid_from: a day such as 2026-10-01, without quotes")
    written = plain.get("rule")
    if not isinstance(written, list) or not written:
        faults.append("rule: at least one [[rule]]")
        written = []
    for place, one in enumerate(written, 1):
        faults += _rule_faults(one, f"rule {place}", catalogue)
    if faults:
        raise InputError(
            "the thresholds cannot be used: " + "; ".join(faults), "docs/watch.md has an example"
        )
    rules = tuple(
        Rule(one["item"], When(one["when"]), one.get("by", 1), one["zh"], one["en"]) for one in written
    )
    return Thresholds(version, plain["set_by"], plain["valid_from"], rules, content.decode("utf-8-sig"))


def _read_toml(content: bytes) -> dict[str, Any]:
    if len(content) > MOST_BYTES:
        raise InputError(f"the thresholds are larger than {MOST_BYTES:,} bytes")
    try:
        return tomllib.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise InputError("the thresholds are not text in UTF-8", "save the file as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"the thresholds are not TOML: {error}", "correct the line that is named") from None


def _rule_faults(one: Any, place: str, catalogue: Catalogue) -> Iterator[str]:
    if not isinstance(one, dict):
        yield f"{place}: a table [[rule]]"
        return
    yield from _unknown(one, {"item", "when", "by", "zh", "en"}, place)
    yield from _text_faults(one, "zh", f"{place}, ")
    yield from _text_faults(one, "en", f"{place}, ")
    item, when, by = one.get("item"), one.get("when"), one.get("by")
    known = catalogue.item(item) if isinstance(item, str) and item in catalogue.codes else None
    if known is None:
        yield f"{place}, item: a code of the catalogue"
    if when not in tuple(When):
        yield f"{place}, when: one of {', '.join(When)}"
        return
    if known is not None and known.level.name not in _LEVELS[When(when)]:
        level = Level(known.level).name.lower()
        yield f"{place}, when: {when} is not for {item}, which is answered as {level}"
    if when in _COUNTED and (type(by) is not int or not 1 <= by <= 65_535):
        yield f"{place}, by: a number from 1 to 65535"
    if when not in _COUNTED and by is not None:
        yield f"{place}, by: only for {', '.join(_COUNTED)}"


def _text_faults(table: dict[str, Any], key: str, place: str) -> Iterator[str]:
    text = table.get(key)
    if not isinstance(text, str) or not text.strip() or len(text) > _TEXT or not text.isprintable():
        yield f"{place}{key}: a text of 1 to {_TEXT} characters on one line"


def _unknown(table: dict[str, Any], known: set[str], place: str) -> Iterator[str]:
    for key in sorted(set(table) - known):
        yield f"{place}: unknown key {key[:40]!r}; allowed are {', '.join(sorted(known))}"
