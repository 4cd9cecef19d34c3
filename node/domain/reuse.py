"""Answers of earlier jobs that are used again instead of asking (domain.md section 11, S46). Pure.

An answer is used again for the same person, item and province, by the same owner and for the same purpose,
while it is fresh: a record by its own date, "no record" by the day on which it was asked.
"""

import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from typing import Final

import numpy as np
from blake3 import blake3
from numpy.typing import NDArray

from node.domain.catalogue import Item
from node.domain.days import FIRST_DAY
from node.domain.findings import Outcome, ReusedFrom
from node.domain.packed import add_version, strip_version
from node.domain.subjects import Subjects

REUSED: Final = "reused"  # why a peer is not asked about an item
DIGEST: Final = 16  # bytes
_PERSON_CONTEXT: Final = "heqiao v1 answered person"
_DEFINITION_CONTEXT: Final = "heqiao v1 item definition"
_RECORDS: Final = frozenset((Outcome.FOUND, Outcome.OVER))
_NOTHING: Final = frozenset((Outcome.NOT_FOUND, Outcome.NOT_OVER))
_FORM: Final = 1
Places = NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class ReusedAnswer:
    """An earlier answer; `as_of` in days since 1970-01-01, `source` its job and the day on which it ended."""

    outcome: Outcome
    value: int | None
    as_of: int | None
    source: ReusedFrom


@dataclass(slots=True)
class Reused:
    """The answers that one part uses again: by item, which of `answers` each subject's place has."""

    answers: list[ReusedAnswer] = field(default_factory=list)
    items: dict[str, dict[int, int]] = field(default_factory=dict)
    _known: dict[ReusedAnswer, int] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return any(self.items.values())

    def has(self, item: str, subject: int) -> bool:
        """Whether there is an answer for a subject and item."""
        return subject in self.items.get(item, ())

    def add(self, item: str, subject: int, answer: ReusedAnswer) -> None:
        """Use an answer for a subject and item."""
        place = self._known.setdefault(answer, len(self.answers))
        if place == len(self.answers):
            self.answers.append(answer)
        self.items.setdefault(item, {})[subject] = place

    def without(self, uncovered: Sequence[Mapping[str, str]]) -> tuple[Mapping[str, str], ...]:
        """What the peer is not asked about each subject: what it may not be, and what is used again."""
        merged: dict[tuple[int, frozenset[str]], Mapping[str, str]] = {}
        items_of: dict[int, list[str]] = {}
        for item, subjects in self.items.items():
            for subject in subjects:
                items_of.setdefault(subject, []).append(item)
        found = []
        for subject, why in enumerate(uncovered):
            items = frozenset(items_of.get(subject, ()))
            if not items:
                found.append(why)
                continue
            key = (id(why), items)
            if key not in merged:
                merged[key] = {**dict.fromkeys(sorted(items), REUSED), **why}
            found.append(merged[key])
        return tuple(found)


def is_valid(item: Item, outcome: Outcome, as_of: int | None, asked_on: date, today: date) -> bool:
    """Whether an answer may be used again today: no answer, another name and a stale record are asked
    anew.
    """
    if outcome in _RECORDS:
        day = None if as_of is None else FIRST_DAY + timedelta(days=as_of)
    else:
        day = asked_on if outcome in _NOTHING else None
    return day is not None and today <= day + timedelta(days=item.freshness_days) and asked_on <= today


def definition_digest(item: Item) -> str:
    """What an item means, as a short digest: another definition, level, band or threshold is another item."""
    plain = json.dumps(asdict(item), sort_keys=True, ensure_ascii=False, default=str)
    return blake3(plain.encode(), derive_key_context=_DEFINITION_CONTEXT).hexdigest(length=DIGEST)


def people_digests(subjects: Subjects, key: bytes) -> bytes:
    """A keyed digest (16 bytes) of each person, in the list's order: all numbers, in whatever order, and the
    name.

    The key is in the key store: whoever has the database only cannot find a person by trying numbers.
    """
    own = blake3(key, derive_key_context=_PERSON_CONTEXT).digest()
    found = bytearray()
    starts, pairs = subjects.starts, list(zip(subjects.id_types, subjects.id_values, strict=True))
    for row, name in enumerate(subjects.names):
        numbers = "\x1e".join("\x1f".join(pair) for pair in sorted(pairs[starts[row] : starts[row + 1]]))
        text = f"{numbers}\x1d{name}".encode("utf-8", "surrogatepass")
        found += blake3(text, key=own).digest(length=DIGEST)
    return bytes(found)


def split_digests(packed: bytes) -> list[bytes]:
    """The digests of `people_digests`."""
    return [packed[at : at + DIGEST] for at in range(0, len(packed), DIGEST)]


def pack_reused(reused: Reused) -> bytes:
    """The different answers as JSON, then for each item the subjects and their answers; compressed."""
    rows = [
        (one.outcome.value, one.value, one.as_of, one.source.job, one.source.day.isoformat())
        for one in reused.answers
    ]
    sizes = [(item, len(places)) for item, places in reused.items.items()]
    text = json.dumps([rows, sizes], separators=(",", ":")).encode()
    columns = b"".join(_bytes(places.keys()) + _bytes(places.values()) for places in reused.items.values())
    return add_version(_FORM, zlib.compress(len(text).to_bytes(4, "big") + text + columns, 1))


def unpack_reused(packed: bytes) -> tuple[list[ReusedAnswer], dict[str, tuple[Places, Places]]]:
    """The different answers, and by item the places of the subjects and of their answers.

    The input was sealed under this node's own key. Raises PreconditionError for a form of another version.
    """
    plain = zlib.decompress(strip_version(_FORM, packed))
    at = 4 + int.from_bytes(plain[:4], "big")
    rows, sizes = json.loads(plain[4:at])
    answers = [
        ReusedAnswer(Outcome(outcome), value, as_of, ReusedFrom(job, date.fromisoformat(day)))
        for outcome, value, as_of, job, day in rows
    ]
    items = {}
    for item, size in sizes:
        columns = np.frombuffer(plain, dtype="<u4", count=2 * size, offset=at)
        items[item] = columns[:size], columns[size:]
        at += 8 * size
    return answers, items


def _bytes(numbers: Iterable[int]) -> bytes:
    return np.array(list(numbers), dtype="<u4").tobytes()
