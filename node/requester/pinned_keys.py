"""The pinned signing key of a peer, read and replaced in the database (design.md section 6).

`trusted_manifest.PeerKeys` decides whether the key of a manifest may be accepted. This module then pins the
last key of the chain without an administrator, with an audit event for each step.
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
        """Check a manifest that just came; pins the last key of `chain` where it is newer.

        Raises DishonestPeerError.
        """
        steps = self._known().verify(serialised, signature, chain, self._clock())
        if steps:
            self._store.retry_write("follow a peer's key", lambda tx: self._pin(tx, steps))

    def verify_kept(self, serialised: bytes, signature: bytes) -> None:
        """Check a kept manifest again; the peer's key may have been replaced since it came.

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
        # Another process may have pinned the newer key already.
        all(rows.pin_next(tx, statement, self._clock()) for statement in steps)
