"""The next TLS key of a node, which the CA certifies."""

from keys import KeyStore
from keys.store.kinds import fingerprint, generate_secret
from keys.types import KeyState
from node.clock import utc_now
from node.config import Config, database_url
from node.database import audit_log as audit_rows
from node.database import open_store


def _make_key(config: Config, store: KeyStore, active: int) -> int:
    """Epoch of the key that waits for its certificate; a new one where none does."""
    newest = store.epochs("tls")[-1]
    if newest > active:
        return newest
    secret = generate_secret("tls")
    details: dict[str, str | int | list[str]] = {
        "purpose": "tls",
        "epoch": newest + 1,
        "state": KeyState.PENDING.value,
        "fingerprint": fingerprint("tls", secret),
    }
    # First the event: a key without one must not be, an event without its key is seen by the next run.
    with open_store(database_url(config)).transaction("audit tls key", write=True) as tx:
        audit_rows.append(tx, "key_state_changed", details, utc_now())
        store.add(f"tls.{newest + 1}", secret)
    return newest + 1
