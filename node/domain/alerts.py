"""Alerts: changes that meet a threshold. An alert is looked at by a person and decides nothing. Pure."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from node.domain.findings import Outcome
from node.domain.packed import add_version, strip_version
from node.domain.thresholds import Rule, Said, Thresholds, When, find_rule

MOST_NOTE: Final = 500
_FORM: Final = 1


@dataclass(frozen=True, slots=True)
class Change:
    """A change of one province's answer about one person and item, and the rule that it meets."""

    ref: str = field(repr=False)
    item: str
    before: Said = field(repr=False)
    now: Said = field(repr=False)
    rule: Rule


@dataclass(frozen=True, slots=True)
class AlertRow:
    """An alert as it is stored; what it says of whom is sealed. `seq` ascends without gaps."""

    seq: int
    id: str
    watch: str
    owner: str
    peer: str
    item: str
    look: int
    thresholds: str
    at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: str
    content_sealed: bytes = field(repr=False)
    note_sealed: bytes | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert as its reader sees it: the person only by the list's own reference, never a name or number."""

    seq: int
    id: str
    watch: str
    owner: str
    peer: str
    item: str
    thresholds: str
    at: datetime
    ref: str
    when: When
    zh: str
    en: str
    before: Said
    now: Said
    acknowledged_at: datetime | None = None
    acknowledged_by: str = ""
    note: str = ""


def find_changes(
    refs: Sequence[str],
    before: Mapping[str, Sequence[Said]],
    now: Mapping[str, Sequence[Said]],
    thresholds: Thresholds | None,
) -> Iterator[Change]:
    """The changes of one province's answers that become alerts, in the order of items and people.

    `before` and `now` are by item, one for each of `refs`; an item that has no answers from before has no
    change.
    """
    if thresholds is None:
        return
    for item, answers in now.items():
        rules = tuple(rule for rule in thresholds.rules if rule.item == item)
        if not rules or item not in before:
            continue
        for ref, old, new in zip(refs, before[item], answers, strict=True):
            rule = None if old == new else find_rule(rules, old, new)
            if rule is not None:
                yield Change(ref, item, old, new, rule)


def next_base(before: Sequence[Said] | None, now: Sequence[Said]) -> list[Said]:
    """What the next look is compared with: the last comparable answer of each person.

    An answer that says nothing leaves the earlier one; where the mandate has ended nothing is left.
    """
    if before is None:
        return list(now)
    return [
        new if new.is_comparable or new.outcome is Outcome.NOT_MANDATED else old
        for old, new in zip(before, now, strict=True)
    ]


def pack_change(change: Change) -> bytes:
    """What is sealed of an alert."""
    said = [[one.outcome.value, one.value, one.as_of] for one in (change.before, change.now)]
    rule = change.rule
    plain = [change.ref, rule.when.value, rule.by, rule.zh, rule.en, *said]
    return add_version(_FORM, json.dumps(plain, ensure_ascii=False, separators=(",", ":")).encode())


def unpack_change(packed: bytes, item: str) -> Change:
    """What `pack_change` made. Raises PreconditionError for a form of another version."""
    ref, when, by, zh, en, before, now = json.loads(strip_version(_FORM, packed))
    first, second = (Said(Outcome(outcome), value, as_of) for outcome, value, as_of in (before, now))
    return Change(ref, item, first, second, Rule(item, When(when), by, zh, en))
