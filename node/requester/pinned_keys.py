"""The signing key under which a peer is known, read and followed in the database (design.md section 6).

Whether a manifest's key may be followed is judged by `trusted_manifest.PeerKeys`; here the peer is then known
under the last key of the chain from now on, without anybody's doing, with an event for each step.
"""

from collections.abc import Sequence

from keys.signing_chain import Succession
from node.clock import Clock
from node.database import Connection, Store
from node.database import signing_keys as rows
from node.domain.peers import PeerRow
from node.requester.trusted_manifest import PeerKeys


class PinnedKeys:
    """Checks the signatures of one peer's manifests."""

    def __init__(self, store: Store, peer: PeerRow, clock: Clock) -> None:
        self._store, self._peer, self._clock = store, peer, clock

    def verify(self, serialised: bytes, signature: bytes, chain: Sequence[Succession]) -> None:
        """Of a manifest that just came; follows `chain` where its key is a newer one.

        Raises DishonestPeerError.
        """
        steps = self._known().verify(serialised, signature, chain, self._clock())
        if steps:
            self._store.retry_write("follow a peer's key", lambda tx: self._pin(tx, steps))

    def verify_kept(self, serialised: bytes, signature: bytes) -> None:
        """Of a manifest that was checked when it came; the peer's key may have been replaced since.

        Raises DishonestPeerError.
        """
        self._known().verify_kept(serialised, signature)

    def _known(self) -> PeerKeys:
        with self._store.transaction("read a peer's key") as tx:
            found = rows.read_pinned(tx, self._peer.code)
        if found is None:
            return PeerKeys(self._peer.code, self._peer.signing_key)
        return PeerKeys(self._peer.code, found.key, found.replaced)

    def _pin(self, tx: Connection, steps: Sequence[Succession]) -> None:
        # Where another process was first, the key is the newer one already.
        all(rows.pin_next(tx, statement, self._clock()) for statement in steps)
