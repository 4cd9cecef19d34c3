"""People on a list: reference, name, identities; one as an object, many as columns."""

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields
from itertools import accumulate, chain, pairwise
from typing import Final, overload

from matcher.errors import IdentityError
from matcher.identity import FOREIGN_OLD, parse
from matcher.types import Identity

# What numbers of households, members and applications look like.
NUMBER: Final = re.compile(r"[^\s/\x00-\x1f\x7f]{1,48}")
_IDENTITY_LIKE = re.compile(r"(?<![0-9])[0-9]{17}[0-9Xx](?![0-9])")
# A text that contains an identity number, in either form, has so many digits in a row; the foreign card
# before 2023 has letters in front of fewer.
_MANY_DIGITS = re.compile("[0-9]{15}")
_SOME_DIGITS = re.compile("[0-9]{10}")


@dataclass(frozen=True, slots=True, repr=False)
class Subject:
    """One queried person. `ref` is `household_no/member_no`, the only name a report uses.

    `name` is normalised and may be empty; `mandate` is the mandate's number, empty where the list
    gives none.
    """

    ref: str
    household: str
    name: str
    identities: tuple[Identity, ...]
    mandate: str

    def __repr__(self) -> str:
        return f"Subject({self.ref}, ****)"


def holds_identity(number: str, own: tuple[Identity, ...]) -> bool:
    """Whether a reference contains an identity number, which must not get into jobs, logs and reports."""
    for found in _IDENTITY_LIKE.findall(number):
        with suppress(IdentityError):
            parse(found)
            return True
    upper = number.upper()
    # The old 15-digit form is the 18-digit form without century and check digit.
    return any(one.value in upper or one.value[:6] + one.value[8:17] in upper for one in own)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Subjects(Sequence[Subject]):
    """Many people as columns, each with an entry for every one of them, and a sequence of `Subject`.

    A list of 100,000 is handed over without an object for each. The identities of all people follow one
    another in `id_types` and `id_values`; those of person i begin at `starts[i]` and end at `starts[i + 1]`.
    """

    refs: tuple[str, ...]
    households: tuple[str, ...]
    names: tuple[str, ...]
    mandates: tuple[str, ...]
    starts: tuple[int, ...]
    id_types: tuple[str, ...]
    id_values: tuple[str, ...]

    @classmethod
    def of(cls, people: Iterable[Subject]) -> "Subjects":
        """The columns of some people."""
        if isinstance(people, Subjects):
            return people
        known = tuple(people)
        identities = [identity for one in known for identity in one.identities]
        return cls(
            refs=tuple([one.ref for one in known]),
            households=tuple([one.household for one in known]),
            names=tuple([one.name for one in known]),
            mandates=tuple([one.mandate for one in known]),
            starts=tuple(accumulate([len(one.identities) for one in known], initial=0)),
            id_types=tuple([one.id_type for one in identities]),
            id_values=tuple([one.value for one in identities]),
        )

    @classmethod
    def joined(cls, parts: Sequence["Subjects"]) -> "Subjects":
        """The people of several columns, one after another."""
        counts = chain.from_iterable(part.identity_counts for part in parts)
        return cls(
            refs=tuple(chain.from_iterable(part.refs for part in parts)),
            households=tuple(chain.from_iterable(part.households for part in parts)),
            names=tuple(chain.from_iterable(part.names for part in parts)),
            mandates=tuple(chain.from_iterable(part.mandates for part in parts)),
            starts=tuple(accumulate(counts, initial=0)),
            id_types=tuple(chain.from_iterable(part.id_types for part in parts)),
            id_values=tuple(chain.from_iterable(part.id_values for part in parts)),
        )

    @property
    def identity_counts(self) -> list[int]:
        """How many identities each person has."""
        return [end - start for start, end in pairwise(self.starts)]

    def identities(self, row: int) -> tuple[Identity, ...]:
        """The identities of one person."""
        part = slice(self.starts[row], self.starts[row + 1])
        return tuple(map(Identity, self.id_types[part], self.id_values[part]))

    def __len__(self) -> int:
        return len(self.refs)

    @overload
    def __getitem__(self, at: int) -> Subject: ...
    @overload
    def __getitem__(self, at: slice) -> "Subjects": ...
    def __getitem__(self, at: int | slice) -> "Subject | Subjects":
        if isinstance(at, slice):
            return self._slice(range(len(self))[at])
        row = range(len(self))[at]
        texts = (self.refs[row], self.households[row], self.names[row])
        return Subject(*texts, self.identities(row), self.mandates[row])

    def _slice(self, rows: range) -> "Subjects":
        if rows.step != 1 or not rows:
            return Subjects.of([self[row] for row in rows])
        part, ends = slice(rows.start, rows.stop), self.starts[rows.start : rows.stop + 1]
        return Subjects(
            refs=self.refs[part],
            households=self.households[part],
            names=self.names[part],
            mandates=self.mandates[part],
            starts=tuple([end - ends[0] for end in ends]),
            id_types=self.id_types[ends[0] : ends[-1]],
            id_values=self.id_values[ends[0] : ends[-1]],
        )

    def __iter__(self) -> Iterator[Subject]:
        return (self[row] for row in range(len(self)))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Subjects):
            return isinstance(other, Sequence) and tuple(self) == tuple(other)
        return all(getattr(self, column.name) == getattr(other, column.name) for column in fields(self))

    __hash__ = None  # type: ignore[assignment]  # it equals a tuple of the same people

    def __repr__(self) -> str:
        return f"Subjects({len(self)}, ****)"


def refers_by_identity(subjects: Subjects) -> bool:
    """Whether any reference, household or mandate number contains an identity number (`holds_identity`)."""
    digits = _SOME_DIGITS if FOREIGN_OLD in subjects.id_types else _MANY_DIGITS
    return any(
        holds_identity(column[row], subjects.identities(row))
        for column in (subjects.refs, subjects.households, subjects.mandates)
        for row in _rows_with(digits, column)
    )


def hold_identities(numbers: Sequence[str]) -> bool:
    """Whether any of some numbers contains an identity number, whoever's."""
    return any(holds_identity(numbers[row], ()) for row in _rows_with(_MANY_DIGITS, numbers))


def _rows_with(digits: re.Pattern[str], column: Sequence[str]) -> Iterator[int]:
    """Where a column has so many digits in a row. One search finds that none has."""
    if digits.search("\n".join(column)) is not None:
        yield from (row for row, text in enumerate(column) if digits.search(text))
