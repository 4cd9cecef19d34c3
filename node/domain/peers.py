"""A peer province in this node's database, and what it is granted."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from matcher.types import TokenClass
from node.domain.catalogue import Item

ORDINARY_ITEMS: Final = "*"


@dataclass(frozen=True, slots=True, order=True)
class Grant:
    """People of one origin for one item, or for all ordinary items; each sensitive item is named."""

    item: str
    origin: str

    @classmethod
    def parse(cls, text: str) -> "Grant":
        """`45`: all ordinary items about people of 45; `C23:45`: the item C23 about them. Not checked."""
        item, colon, origin = text.rpartition(":")
        return cls(item if colon else ORDINARY_ITEMS, origin)

    def __str__(self) -> str:
        return self.origin if self.item == ORDINARY_ITEMS else f"{self.item}:{self.origin}"

    def covers(self, item: Item) -> bool:
        """Whether it is for this item, by the class that the item has in the catalogue now."""
        ordinary = item.token_class is TokenClass.ORDINARY
        return self.item == item.code or (ordinary and self.item == ORDINARY_ITEMS)


def read_grants(texts: Iterable[str]) -> tuple[Grant, ...]:
    """Each grant once, in order."""
    return tuple(sorted({Grant.parse(text) for text in texts}))


@dataclass(frozen=True, slots=True)
class Certificate:
    """A peer's certificate: SHA-256 in hex, from when until when it is valid."""

    fingerprint: str
    valid_from: datetime
    valid_until: datetime


@dataclass(frozen=True, slots=True)
class Registration:
    """Since when a peer is known, and the newest certificate that it showed here, None before the first."""

    added_at: datetime
    certificate: Certificate | None = None


@dataclass(frozen=True, slots=True)
class PeerRow:
    """A peer of this node."""

    code: str
    name: str
    address: str
    signing_key: bytes
    allow_platforms: bool
    grants: tuple[Grant, ...]
    # Whether it may ask for monitoring, and keep tokens for it.
    allow_monitoring: bool = True
    # Neither asked nor answered until administrators end that.
    paused: bool = False

    @property
    def rights(self) -> tuple[bool, bool, tuple[Grant, ...]]:
        """What it may ask, why, and whether its platforms may; an open stream ends when they change."""
        return self.allow_platforms, self.allow_monitoring, self.grants

    @property
    def origins(self) -> frozenset[str]:
        """The origins of all its grants."""
        return frozenset(grant.origin for grant in self.grants)

    @property
    def granted(self) -> list[str]:
        """Its grants as they are written."""
        return [str(grant) for grant in self.grants]

    def origins_of(self, item: Item) -> frozenset[str]:
        """The origins of the people about whom it may ask for an item."""
        return frozenset(grant.origin for grant in self.grants if grant.covers(item))
