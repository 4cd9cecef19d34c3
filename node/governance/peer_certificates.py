"""Which certificate each peer showed here: kept as it is seen, so that its end is known before it comes."""

import time
from contextlib import suppress
from typing import Final

from keys import CertifiedIdentity
from node.database import Store
from node.database import peers as rows
from node.domain.peers import Certificate
from node.errors import NodeError

_AGAIN_S: Final = 60.0


class PeerCertificates:
    """Notes certificates of peers, the same one at most once a minute: calls come by the hundred."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._noted: dict[str, tuple[str, float]] = {}

    def note(self, shown: CertifiedIdentity) -> None:
        """Keep that a node showed a certificate that TLS verified; a platform's is not its province's."""
        if shown.role != "node":
            return
        fingerprint, at = self._noted.get(shown.code, ("", 0.0))
        now = time.monotonic()
        if fingerprint == shown.fingerprint and now - at < _AGAIN_S:
            return
        self._noted[shown.code] = (shown.fingerprint, now)
        note_certificate(self._store, shown)


def note_certificate(store: Store, shown: CertifiedIdentity) -> None:
    """Keep a certificate that a peer showed. Nothing that it asks depends on that: a busy database is no
    reason to refuse it.
    """
    found = Certificate(shown.fingerprint, shown.not_before, shown.not_after)
    with suppress(NodeError):
        with store.transaction("read certificates of peers") as tx:
            known = rows.read_registrations(tx).get(shown.code)
        if known is None or known.certificate == found:
            return
        with store.transaction("note certificate", write=True) as tx:
            rows.note_certificate(tx, shown.code, found)
