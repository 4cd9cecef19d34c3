"""By which signing key a peer is known, and how that follows the peer's rotations (design.md section 6).

A manifest under the key that is known is good. One under another key is good only if the chain that came
with it leads there from the known key: then the peer is known by its last key from now on, by itself,
with an event for each step.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from keys.errors import SuccessionError
from keys.signing_chain import Succession, follow
from node.clock import Clock
from node.database import Connection, Store
from node.database import signing_keys as rows
from node.database.signing_keys import Pinned
from node.domain.peers import PeerRow
from node.errors import DishonestPeerError
from node.wire import manifest as manifests
from node.wire.manifest import is_signed

# Several processes of a peer switch within half a second of each other, an answer may be on its way, and a
# kept connection goes by one manifest for a minute (node/transport/peer_client.py).
OVERLAP: Final = timedelta(minutes=2)


class PinnedKeys:
    """Checks manifests of one peer."""

    def __init__(self, store: Store, peer: PeerRow, clock: Clock) -> None:
        self._store, self._peer, self._clock = store, peer, clock

    def verify(self, serialised: bytes, signature: bytes, chain: Sequence[Succession]) -> None:
        """Of a manifest that just came; follows `chain` where its key is a newer one.

        Raises DishonestPeerError.
        """
        pinned = self._pinned()
        if is_signed(serialised, signature, pinned.key):
            return
        for key, replaced_at in pinned.replaced.items():
            if is_signed(serialised, signature, key):
                if replaced_at <= self._clock() <= replaced_at + OVERLAP:
                    return
                raise DishonestPeerError(
                    "the peer's manifest is signed by a key that was replaced",
                    "an old copy of the peer's node is running, or its old key was stolen: telephone",
                    {"check": "succession_replayed"},
                )
        rest = self._follow(pinned, chain)
        manifests.verify(serialised, signature, rest[-1].new_key if rest else pinned.key)
        self._store.retry_write("follow a peer's key", lambda tx: self._pin(tx, rest))

    def verify_kept(self, serialised: bytes, signature: bytes) -> None:
        """Of a manifest that was checked when it came; the peer's key may have been replaced since.

        Raises DishonestPeerError.
        """
        pinned = self._pinned()
        if not any(is_signed(serialised, signature, key) for key in pinned.replaced):
            manifests.verify(serialised, signature, pinned.key)

    def _pinned(self) -> Pinned:
        with self._store.transaction("read a peer's key") as tx:
            found = rows.read_pinned(tx, self._peer.code)
        return found or Pinned(self._peer.signing_key, {})

    def _follow(self, pinned: Pinned, chain: Sequence[Succession]) -> tuple[Succession, ...]:
        try:
            return follow(self._peer.code, pinned.key, chain, self._clock(), pinned.replaced)
        except SuccessionError as error:
            raise DishonestPeerError(str(error), error.hint, {"check": f"succession_{error.check}"}) from None

    def _pin(self, tx: Connection, rest: Sequence[Succession]) -> None:
        # Where another process was first, the key is the newer one already.
        all(rows.pin_next(tx, statement, self._clock()) for statement in rest)
