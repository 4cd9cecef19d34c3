"""People of a question as points of the curve, mapped in batches."""

import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, overload

import numpy as np
from numpy.typing import NDArray

from matcher import Identity, batch
from matcher.suites.suite import Suite
from matcher.vectorised import Bytes
from node.domain.subjects import Subjects

Numbers = NDArray[np.int64]


BATCH_POINTS = 4096  # identities mapped at a time: about 25 ms


@dataclass(frozen=True, slots=True)
class SubjectPoint:
    """One identity of one subject: `position` is its place in the batch."""

    subject: int
    origin: str
    prefix: int
    position: int


class SubjectPoints(Sequence[SubjectPoint]):
    """The identities of all subjects as columns, one row each, in the subjects' order.

    `subject`, `origin` (as a number, `00` is 0), `prefix` and `position` are arrays.
    """

    def __init__(self, subject: Numbers, origin: Numbers, prefix: Numbers, position: Numbers) -> None:
        self.subject, self.origin, self.prefix, self.position = subject, origin, prefix, position

    def __len__(self) -> int:
        return len(self.subject)

    @overload
    def __getitem__(self, at: int) -> SubjectPoint: ...
    @overload
    def __getitem__(self, at: slice) -> list[SubjectPoint]: ...
    def __getitem__(self, at: int | slice) -> SubjectPoint | list[SubjectPoint]:
        if isinstance(at, slice):
            return [self[place] for place in range(*at.indices(len(self)))]
        origin = f"{int(self.origin[at]):02}"
        return SubjectPoint(int(self.subject[at]), origin, int(self.prefix[at]), int(self.position[at]))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SubjectPoints) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]  # arrays may change

    def __repr__(self) -> str:
        return f"SubjectPoints({len(self)})"

    def chosen(self, rows: NDArray[np.bool_]) -> "SubjectPoints":
        """Those for which `rows` holds."""
        return SubjectPoints(self.subject[rows], self.origin[rows], self.prefix[rows], self.position[rows])


class HasIdentities(Protocol):
    """A person who is asked about: a subject, or a member of a cohort."""

    @property
    def identities(self) -> tuple[Identity, ...]:
        """Current and former numbers."""


def identity_pairs(people: Iterable[HasIdentities]) -> Iterable[tuple[str, str]]:
    """Type and value of every identity, in the people's order."""
    if isinstance(people, Subjects):
        return zip(people.id_types, people.id_values, strict=True)
    return ((found.id_type, found.value) for person in people for found in person.identities)


class MappedPoints:
    """Points, bucket prefixes and origins of people's identities, computed once for all peers of a job.

    Under one suite and salt. A row is an identity, each once; `prefixes` and `origins` are numbers. Points
    are computed when they are first asked for.
    """

    def __init__(self, suite: Suite, salt: bytes, people: Iterable[HasIdentities]) -> None:
        known = dict.fromkeys(identity_pairs(people))
        self._rows = {name: row for row, name in enumerate(known)}
        self.suite, self.salt = suite, salt
        self._types, self._values = batch.pack_identities(list(known))
        found = suite.digests(salt, self._types, self._values)
        self.prefixes: Numbers = batch.prefixes(found).astype(np.int64)
        self.origins: Numbers = batch.origins(self._types, self._values).astype(np.int64)
        self._points = np.empty((len(known), suite.sizes.point), dtype=np.uint8)
        self._mapped, self._lock = 0, threading.Lock()

    @property
    def points(self) -> Bytes:
        """The points M of all rows, (n, point)."""
        for _ in self.chunks():
            pass
        return self._points

    def chunks(self) -> Iterator[tuple[int, Bytes]]:
        """The points some at a time, each time with the row of the first."""
        for first in range(0, len(self._points), BATCH_POINTS):
            last = min(first + BATCH_POINTS, len(self._points))
            with self._lock:
                if self._mapped < last:
                    part = slice(first, last)
                    mapped = self.suite.map_to_curve(self.salt, self._types[part], self._values[part])
                    self._points[part], self._mapped = mapped, last
            yield first, self._points[first:last]

    def places(self, identities: Iterable[tuple[str, str]]) -> Numbers:
        """The rows of some identities, given as (type, value)."""
        return np.array([self._rows[pair] for pair in identities], dtype=np.int64)
