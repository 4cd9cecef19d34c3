"""What may be granted to a peer: origins that exist, items of the catalogue."""

import re
from collections.abc import Collection, Iterable, Sequence

from keys.pki.names import PROVINCE_CODES
from matcher.identity import NO_ORIGIN, PROVINCES
from node.domain.catalogue import CODE_PATTERN
from node.domain.peers import ORDINARY_ITEMS, Grant, read_grants
from node.errors import InputError

_CODE = re.compile(CODE_PATTERN)
_ORIGINS = frozenset({*PROVINCES, *PROVINCE_CODES, NO_ORIGIN, "83"})


def parse_grants(texts: Iterable[str]) -> tuple[Grant, ...]:
    """Grants as they are written, `45` or `C23:45`. Raises InputError for an origin or code that is none."""
    granted = read_grants(text.strip() for text in texts)
    for one in granted:
        if one.origin not in _ORIGINS:
            raise InputError(f"{one.origin[:12]!r} is no origin: two digits of a province, or 00")
        if one.item != ORDINARY_ITEMS and not _CODE.fullmatch(one.item):
            raise InputError(f"{one.item[:12]!r} is no code of an item, such as C23")
    return granted


def require_items(granted: Sequence[Grant], codes: Collection[str]) -> None:
    """Raises InputError for an item that is not in the catalogue."""
    for one in granted:
        if one.item != ORDINARY_ITEMS and one.item not in codes:
            raise InputError(f"there is no item {one.item}", "`heqiao catalogue` shows the items")
