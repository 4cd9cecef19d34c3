"""Aliases of rows of sums as they are stored: points under a keyed tag, everything else sealed.

Which points are of one record says that numbers are of one person. A requester knows points of people whom
it asked about, so neither point is in the table: look-ups go by tags under a key made from the sum key.
"""

from collections.abc import Sequence

from blake3 import blake3

from keys.errors import StoreDamagedError, StoreVersionError
from keys.store.vault import Vault
from node.credentials.sum_keys import SumKeys
from node.database.sum_tables import Alias, StoredAlias
from node.domain import sealed_names
from node.errors import UnavailableError
from node.wire.sum_messages import POINT

TAG_SIZE = 16
_TAG_CONTEXT = "heqiao v1 sum alias tag"
_AREA = 4  # bytes of an area, big endian


def tags_of(keys: SumKeys, points: Sequence[bytes]) -> list[bytes]:
    """The tag of each point, under the keys of its epoch."""
    key = blake3(keys.sum_key, derive_key_context=_TAG_CONTEXT).digest()
    return [blake3(point, key=key).digest(length=TAG_SIZE) for point in points]


def seal_aliases(vault: Vault, keys: SumKeys, item: str, found: Sequence[Alias]) -> list[StoredAlias]:
    """Aliases of an item, under the keys of their epoch, as they are stored; one of each tag."""
    tags = tags_of(keys, [one.alias for one in found])
    rows = tags_of(keys, [one.point for one in found])
    made = {}
    for tag, row, one in zip(tags, rows, found, strict=True):
        plain = one.alias + one.point + one.area.to_bytes(_AREA, "big")
        made[tag] = StoredAlias(tag, row, vault.seal(sealed_names.of_alias(item, keys.epoch, tag), plain))
    return list(made.values())


def open_aliases(vault: Vault, epoch: int, item: str, found: Sequence[StoredAlias]) -> list[Alias]:
    """What `seal_aliases` made. Raises UnavailableError for damage."""
    opened = []
    for one in found:
        try:
            plain = vault.unseal(sealed_names.of_alias(item, epoch, one.tag), one.sealed)
        except (StoreDamagedError, StoreVersionError):
            raise _damaged(item) from None
        if len(plain) != 2 * POINT + _AREA:
            raise _damaged(item)
        area = int.from_bytes(plain[2 * POINT :], "big")
        opened.append(Alias(plain[:POINT], plain[POINT : 2 * POINT], area))
    return opened


def _damaged(item: str) -> UnavailableError:
    return UnavailableError(
        f"{item}: the other numbers of people in the rows of sums are damaged", "import a full export"
    )
