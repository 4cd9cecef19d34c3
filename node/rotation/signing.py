"""Rotation of the signing key: the old key signs the next one, and peers accept it (design.md 6).

With the switch a statement is kept that both keys sign. Running nodes sign with the new key within half a
second, and show the statement beside each manifest until the grace ends. The statement is the last thing that
the old key signs. Peers that see it within its grace pin the new key (node/requester/pinned_keys.py); a peer
that was offline for longer needs the new card.
"""

from dataclasses import dataclass

from keys import KeyStore, signing_chain
from keys.errors import KeyStateError
from keys.signing_chain import Succession
from keys.store.kinds import fingerprint, generate_secret
from keys.types import EpochKey
from node.clock import utc_now
from node.config import Config
from node.credentials.active_keys import SIGNING, active_epoch
from node.database import Connection, database_url, key_epochs, open_store
from node.database import signing_keys as signing_rows
from node.rotation.epochs import make_epoch, read_keyring
from node.rotation.run import Amount, Home, Keyring, Rotation, Run, require_node


class SigningRotation(Rotation):
    """Of the key that signs manifests and cards; nothing is stored under it, so imports go on."""

    purposes = (SIGNING,)
    is_exclusive = False

    def read(self, home: Home, keys: KeyStore) -> Keyring:
        """All epochs; before the first rotation the only key."""
        return read_keyring(home, keys, self.purposes)

    def make(self, run: Run) -> None:
        """A key. Raises KeyStateError unless the active one is what the database knows."""
        _require_known(run.keys, run.old(SIGNING))
        make_epoch(run, self.purposes, lambda one: generate_secret(one, run.home.random_bytes))

    def switch(self, tx: Connection, run: Run) -> Amount:
        """Store the statement by which peers accept the next key."""
        before, step, now = run.old(SIGNING), run.steps[-1], run.home.clock()
        old, new = (run.keys.get(f"{SIGNING}.{epoch}") for epoch in (before.epoch, step.epoch))
        code = require_node(run.home).code
        statement = signing_chain.sign(code, step.epoch, old, new, now, step.until or now)
        signing_rows.add_statement(tx, statement, before.epoch, now)
        return Amount()


@dataclass(frozen=True, slots=True)
class Signer:
    """Epoch of the active signing key, and the statements from keys in grace to it."""

    epoch: int
    successions: tuple[Succession, ...] = ()


def read_signer(config: Config, store: KeyStore) -> Signer:
    """What signs cards and requests. Of a store with one signing key, without asking the database.

    Raises KeyMissingError, UnavailableError.
    """
    held = store.epochs(SIGNING)
    if len(held) == 1:
        return Signer(held[0])
    database = open_store(database_url(config))
    try:
        with database.transaction("read signing keys") as tx:
            epoch = active_epoch(store, key_epochs.read_epochs(tx), SIGNING)
            return Signer(epoch, signing_rows.served_statements(tx, config.node.code, utc_now()))
    finally:
        database.dispose()


def _require_known(store: KeyStore, current: EpochKey) -> bytes:
    """The secret of the active key: peers would not follow from any other."""
    secret = store.get(f"{SIGNING}.{current.epoch}")
    if fingerprint(SIGNING, secret) != current.fingerprint:
        raise KeyStateError(
            f"{SIGNING}.{current.epoch}: the key store holds another key than the database knows",
            "restore the database and the key store from one backup",
        )
    return secret
