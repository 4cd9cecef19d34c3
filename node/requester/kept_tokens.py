"""Tokens that a watch list keeps of one query, so that later looks ask nothing (design.md section 3.4)."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from matcher.vectorised import Bytes
from node.domain.packed import add_version, strip_version
from node.requester.context import OpenSession
from node.requester.match_query import PlantedPoint, Query
from node.requester.points import Numbers, SubjectPoints
from node.wire.manifest import Manifest

_FORM = 1
_SIZE = 4 + 1 + 4  # bytes of an identity beside its token: person, origin, prefix


@dataclass(frozen=True, slots=True)
class KeptTokens:
    """Tokens of people and planted subjects of one class and epoch, in the form in which they are searched.

    `items` are those the query named: nothing else may be looked up. Row i of `tokens` (n, point) belongs to
    `subjects[i]`; the rows of `planted` follow.
    """

    epoch: int
    salt_version: int
    suite: str
    items: tuple[str, ...]
    subjects: SubjectPoints = field(repr=False)
    planted: tuple[PlantedPoint, ...] = field(repr=False)
    tokens: Bytes = field(repr=False)

    @property
    def misses(self) -> NDArray[np.int64]:
        """None are kept."""
        return np.empty((0, 2), np.int64)

    @property
    def people(self) -> int:
        """How many people they are of."""
        return len(np.unique(self.subjects.subject))

    @classmethod
    def of(cls, opened: OpenSession, query: Query, tokens: bytes) -> "KeptTokens":
        """Of a query that has been answered: canaries, misses and padding are left out."""
        size = opened.suite.sizes.point
        every = np.frombuffer(tokens, dtype=np.uint8).reshape(-1, size)
        people, hits = query.subjects, query.planted
        places = np.concatenate((people.position, np.array([hit.position for hit in hits], np.int64)))
        layout = opened.layout
        return cls(
            epoch=layout.epoch,
            salt_version=layout.salt_version,
            suite=opened.suite.name,
            items=query.items,
            subjects=_in_order(people.subject, people.origin, people.prefix),
            planted=_in_rows(hits, len(people)),
            tokens=every[places],
        )

    def fits(self, manifest: Manifest, suite: str, items: Sequence[str], counts: NDArray[np.int64]) -> bool:
        """Whether a look under a manifest can be made with them: the same keys, and no item or person more.

        `counts[i]` is how many identities of person i are to be looked for.
        """
        same = (self.epoch, self.salt_version, self.suite) == (manifest.epoch, manifest.salt_version, suite)
        if not same or not set(items) <= set(self.items):
            return False
        held = np.bincount(self.subjects.subject, minlength=len(counts))[: len(counts)]
        return bool((held >= counts).all())

    def only(self, rows: NDArray[np.int64]) -> "KeptTokens":
        """Of some people only: `rows[i]` is the new number of person i, -1 for one who has left."""
        new = rows[self.subjects.subject]
        stays = new >= 0
        chosen = self.subjects.chosen(stays)
        tokens = self.tokens[np.concatenate((stays, np.ones(len(self.planted), dtype=bool)))]
        subjects = _in_order(new[stays], chosen.origin, chosen.prefix)
        planted = _in_rows(self.planted, len(subjects))
        return KeptTokens(self.epoch, self.salt_version, self.suite, self.items, subjects, planted, tokens)

    def still_planted(self, manifest: Manifest) -> "KeptTokens":
        """With those planted subjects only that a manifest still names, with the same value."""
        named = {
            (part.item, part.origin, one.name): one.value
            for part in manifest.partitions
            for one in part.planted
        }
        planted = tuple(
            hit for hit in self.planted if named.get((hit.item, hit.origin, hit.name)) == hit.value
        )
        return KeptTokens(
            self.epoch, self.salt_version, self.suite, self.items, self.subjects, planted, self.tokens
        )


def _in_order(subject: Numbers, origin: Numbers, prefix: Numbers) -> SubjectPoints:
    return SubjectPoints(subject, origin, prefix, np.arange(len(subject), dtype=np.int64))


def _in_rows(hits: Sequence[PlantedPoint], first: int) -> tuple[PlantedPoint, ...]:
    return tuple(
        PlantedPoint(hit.item, hit.origin, hit.prefix, first + row, hit.value, hit.name)
        for row, hit in enumerate(hits)
    )


def pack_tokens(kept: KeptTokens) -> bytes:
    """A head as JSON with its length, then the columns, then the tokens."""
    plain = [
        kept.epoch,
        kept.salt_version,
        kept.suite,
        kept.items,
        len(kept.subjects),
        kept.tokens.shape[1],
        [(hit.item, hit.origin, hit.prefix, hit.value, hit.name) for hit in kept.planted],
    ]
    head = json.dumps(plain, separators=(",", ":")).encode()
    points = kept.subjects
    columns = (points.subject.astype("<u4"), points.origin.astype("u1"), points.prefix.astype("<u4"))
    body = b"".join(column.tobytes() for column in columns) + kept.tokens.tobytes()
    return add_version(_FORM, len(head).to_bytes(4, "big") + head + body)


def unpack_tokens(packed: bytes) -> KeptTokens:
    """What `pack_tokens` made, sealed under this node's key. Raises PreconditionError for another form."""
    plain = strip_version(_FORM, packed)
    end = 4 + int.from_bytes(plain[:4], "big")
    epoch, salt_version, suite, items, count, size, hits = json.loads(plain[4:end])
    subject = np.frombuffer(plain, "<u4", count, end).astype(np.int64)
    origin = np.frombuffer(plain, "u1", count, end + 4 * count).astype(np.int64)
    prefix = np.frombuffer(plain, "<u4", count, end + 5 * count).astype(np.int64)
    tokens = np.frombuffer(plain, np.uint8, offset=end + _SIZE * count).reshape(-1, size)
    planted = tuple(
        PlantedPoint(item, where, at, count + row, value, name)
        for row, (item, where, at, value, name) in enumerate(hits)
    )
    subjects = _in_order(subject, origin, prefix)
    return KeptTokens(epoch, salt_version, suite, tuple(items), subjects, planted, tokens)
