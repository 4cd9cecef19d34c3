"""Meters what a peer fetches: each call is audited once, and its bytes are charged before they are sent."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, Protocol, TypeVar

from node.context import Node
from node.database import Connection
from node.database import audit_log as audit_rows
from node.database import peers as peer_rows
from node.domain.audit_chain import Detail
from node.domain.peers import PeerRow
from node.domain.quotas import Measure
from node.errors import UnknownCallerError
from node.governance.quotas import Charge, audit, charge, settle

FIRST_BYTES: Final = 1 << 20  # charged, and held in memory, at once; then twice as much, up to MOST_BYTES
MOST_BYTES: Final = 1 << 22


class Sized(Protocol):
    """A message that knows its size."""

    def ByteSize(self) -> int:  # noqa: N802  as generated messages name it
        """Bytes on the wire."""


M = TypeVar("M", bound=Sized)


def metered(
    node: Node, peer: PeerRow, event: str, details: Mapping[str, Detail], messages: Iterable[M]
) -> Iterator[M]:
    """The messages of one call, in order, each charged before it is sent; `event` with `details` is audited.

    A few are charged together, so that a large partition costs few transactions. A call that fails before its
    first message is not audited. Raises LimitError when a quota is used up, UnknownCallerError.
    """
    opening: Mapping[str, Mapping[str, Detail]] = {event: {"peer": peer.code, **details}}
    for some, size in _gather(messages):
        settle(_charge(node, peer, size, opening))
        opening = {}
        yield from some


def _gather(messages: Iterable[M]) -> Iterator[tuple[list[M], int]]:
    """Messages a few at a time, with their bytes; at least one, also where there are none at all."""
    some, size, most, was_empty = list[M](), 0, FIRST_BYTES, True
    for message in messages:
        some.append(message)
        size += message.ByteSize()
        if size >= most:
            yield some, size
            some, size, most, was_empty = [], 0, min(2 * most, MOST_BYTES), False
    if some or was_empty:
        yield some, size


def _charge(node: Node, peer: PeerRow, size: int, events: Mapping[str, Mapping[str, Detail]]) -> Charge:
    now = node.clock()

    def write(tx: Connection) -> Charge:
        if not peer_rows.lock_peer(tx, peer.code):
            raise UnknownCallerError("this node does not serve the caller")
        charged = charge(tx, node.config.quotas, peer.code, {Measure.BYTES: size}, now)
        for event, details in events.items() if charged.refusal is None else ():
            audit_rows.append(tx, event, details, now)
        audit(tx, charged, now)
        return charged

    return node.store.retry_write("charge a fetch", write)
