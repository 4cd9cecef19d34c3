"""The request of a sum as a platform submits it, and its packed form (sealed when stored)."""

import json
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import ClassVar

from matcher import Identity
from node.domain.jobs import SUM
from node.domain.packed import add_version, strip_version
from node.domain.sum_rules import STATISTICS

_FORM = 1


@dataclass(frozen=True, slots=True)
class Person:
    """A person of a cohort."""

    identities: tuple[Identity, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Summation:
    """The queried items, provinces and people; people have no names in it.

    `cohort` holds the identities of each person, in order.
    """

    kind: ClassVar[str] = SUM

    items: tuple[str, ...]
    peers: tuple[str, ...]
    legal_basis: str
    cohort: tuple[tuple[Identity, ...], ...] = field(repr=False)

    @property
    def purpose(self) -> str:
        """The purpose of every sum."""
        return STATISTICS


def in_cohort(people: Iterable[Iterable[Identity]]) -> tuple[tuple[Identity, ...], ...]:
    """People in the canonical form of a cohort: each once, sorted."""

    def key(one: Identity) -> tuple[str, str]:
        return one.id_type, one.value

    distinct = {tuple(sorted(set(person), key=key)) for person in people}
    return tuple(sorted(distinct, key=lambda person: [key(one) for one in person]))


def pack_summation(summation: Summation) -> bytes:
    """Canonical bytes: the same sum always packs to the same bytes."""
    plain = {
        "items": summation.items,
        "peers": summation.peers,
        "legal_basis": summation.legal_basis,
        "cohort": [[[one.id_type, one.value] for one in person] for person in summation.cohort],
    }
    text = json.dumps(plain, ensure_ascii=False, separators=(",", ":")).encode()
    return add_version(_FORM, zlib.compress(text, 1))


def unpack_summation(packed: bytes) -> Summation:
    """The opposite of `pack_summation`; its input was sealed under this node's own key.

    Raises PreconditionError for a form of another version.
    """
    plain = json.loads(zlib.decompress(strip_version(_FORM, packed)))
    return Summation(
        items=tuple(plain["items"]),
        peers=tuple(plain["peers"]),
        legal_basis=plain["legal_basis"],
        cohort=tuple(tuple(Identity(*one) for one in person) for person in plain["cohort"]),
    )
