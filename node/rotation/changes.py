"""How far the next certificate and the next salt are: what a person must do next, and with whom."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from keys import KeyStore, load_request
from keys import rotation as plans
from keys.pki.certificates import identity_of
from keys.types import EpochKey, KeyState
from node.context import Node
from node.credentials.active_keys import OPRF, SALT
from node.database import peers as peer_rows
from node.database import seen_manifests
from node.database.epoch_usage import read_uses
from node.domain.audit_chain import Detail
from node.domain.missing_partitions import MissingPartitions
from node.errors import PreconditionError
from node.rotation import kinds
from node.rotation.tls import TLS, is_requested, read_certificate, request_path

STEPS = ("begin", "switch", "abandon")


@dataclass(frozen=True, slots=True)
class CertificateChange:
    """`epoch` of the TLS key in use, of one that is `pending` (0: none); `request` is the fingerprint of the
    request for the newest key, empty where there is none.
    """

    until: datetime
    epoch: int
    pending: int
    request: str


@dataclass(frozen=True, slots=True)
class PeerSalt:
    """The salt that a peer's newest manifest offers (0: none was seen), and whether it still asks under an
    old one.
    """

    peer: str
    offers: int
    at: datetime | None
    behind: bool


@dataclass(frozen=True, slots=True)
class SaltChange:
    """`used`, and the newest that was taken (`next`, 0: none is newer). `state` is current, taken, importing
    or ready; `missing` is what the switch waits for; `old` are earlier salts that are not destroyed.
    """

    used: int
    next: int
    state: str
    missing: tuple[MissingPartitions, ...]
    old: tuple[EpochKey, ...]
    peers: tuple[PeerSalt, ...]


def read_certificate_change(node: Node, keys: KeyStore) -> CertificateChange:
    """Of the TLS key. Raises PreconditionError before `heqiao join`."""
    ring = kinds.TLS.read(node, keys)
    waiting = [key.epoch for key in plans.pending(ring, TLS)]
    until = identity_of(read_certificate(node.config)).not_after
    requested = is_requested(node.config, keys)
    named = load_request(request_path(node.config)).fingerprint() if requested else ""
    return CertificateChange(until, plans.active(ring, TLS).epoch, max(waiting, default=0), named)


def read_salt_change(node: Node, keys: KeyStore) -> SaltChange:
    """Of the salt. Raises KeyringError."""
    ring = kinds.SALT.read(node, keys)
    used = plans.active(ring, SALT).epoch
    newest = max((key.epoch for key in plans.pending(ring, SALT) if key.epoch > used), default=0)
    missing = kinds.SALT.missing(node, ring)
    old = tuple(
        key for key in ring if key.purpose == SALT and key.state in (KeyState.GRACE, KeyState.RETIRED)
    )
    state = _state(ring, newest, missing)
    # Before the first import under the next salt everything is missing; that is nothing to wait for yet.
    return SaltChange(
        used, newest, state, missing if state == "importing" else (), old, _peers(node, ring, used)
    )


def plan_salt_step(node: Node, keys: KeyStore, step: str) -> tuple[int, dict[str, Detail]]:
    """The salt that a step leads to (0 where it is given up), and what an approval of it is for.

    Raises PreconditionError (rule `salt_step`, `salt_waits`) for a step that is not the next one.
    """
    found = read_salt_change(node, keys)
    if step == "abandon":
        if found.state not in ("importing", "ready"):
            raise _not_next()
        return 0, {"abandon": 1}
    if step == "switch" and found.state == "importing":
        raise waits_for(found.missing)
    if found.state != {"begin": "taken", "switch": "ready"}.get(step):
        raise _not_next()
    grace = kinds.SALT.policy(node.config).grace.days
    return found.next, {"salt_version": found.next, "step": step, "grace_days": grace}


def waits_for(missing: Sequence[MissingPartitions]) -> PreconditionError:
    """Of a switch that something is missing for."""
    items = ", ".join(one.item for one in missing)
    return PreconditionError(
        f"not switched: missing under the next salt: {items}",
        "import these in full, then try again",
        {"rule": "salt_waits"},
    )


def _not_next() -> PreconditionError:
    return PreconditionError("this is not the next step", "look again", {"rule": "salt_step"})


def _state(ring: Sequence[EpochKey], newest: int, missing: Sequence[MissingPartitions]) -> str:
    if not newest:
        return "current"
    if not any(key.salt_version == newest for key in plans.pending(ring, OPRF)):
        return "taken"
    return "importing" if missing else "ready"


def _peers(node: Node, ring: Sequence[EpochKey], used: int) -> tuple[PeerSalt, ...]:
    older = {
        (key.purpose, key.epoch)
        for key in ring
        if key.purpose in plans.SALTED and key.salt_version and key.salt_version < used
    }
    with node.store.transaction("read salts of peers") as tx:
        codes = [peer.code for peer in peer_rows.list_peers(tx)]
        seen = seen_manifests.newest_salts(tx)
        behind = {use.peer for use in read_uses(tx) if (use.purpose, use.epoch) in older}
    none: tuple[int, datetime | None] = (0, None)
    offers = {code: seen.get(code, none) for code in codes}
    return tuple(PeerSalt(code, salt, at, code in behind) for code, (salt, at) in offers.items())
