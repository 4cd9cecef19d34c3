"""What an administrator must know of the keys of a home: each with its state, what is due, what is wrong.

The key store says which keys there are, the database (where it can be reached) in which state. What is due
is planned from these and the policy (keys.rotation.plan): for `heqiao keys status`, for `heqiao keys rotate
--due`, and for the scheduler of a node.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from keys import CertifiedIdentity, KeyringError, KeyStore, verify_chain
from keys import rotation as plans
from keys.pki.certificates import tls_epoch
from keys.rotation import BEFORE_END, Due
from keys.store.inventory import KeyFacts, check_files, inspect
from keys.types import EpochKey, KeyState
from node.config import Config
from node.credentials.revocation_lists import Revocations
from node.database import Store, database_url, open_store
from node.database import key_epochs as epoch_rows
from node.database.epoch_usage import EpochUse, read_uses
from node.domain.catalogue import Catalogue
from node.domain.missing_partitions import MissingPartitions
from node.errors import NodeError
from node.federation.catalogue_file import load_catalogue
from node.rotation.run import policies
from node.rotation.salt import read_missing


@dataclass(frozen=True, slots=True)
class KeyLine:
    """One key as `heqiao keys status` shows it. `due` is when policy wants the next one, None for never;
    `grace_until` is set while the key is in grace and the database says until when.
    """

    facts: KeyFacts
    state: KeyState
    since: datetime
    due: datetime | None
    grace_until: datetime | None


@dataclass(frozen=True, slots=True)
class PeerUse:
    """The epoch of a key (`oprf`, or `sum` for sums) under which a peer asked last, and its state now."""

    peer: str
    purpose: str
    epoch: int
    at: datetime
    state: KeyState
    grace_until: datetime | None

    @property
    def behind(self) -> bool:
        """Whether the peer has not been seen under the active epoch yet."""
        return self.state is not KeyState.ACTIVE


@dataclass(frozen=True, slots=True)
class KeyStatus:
    """All keys of a home. `problems` are those of the store and the certificate, not of single keys;
    `database` says why the states are not from the database, and is empty when they are; `missing_salt` is
    what a rotation of the salt that was begun still waits for; `peers` are those that ask here, each with the
    epoch that it used; `due` are the steps that are due, in the order in which they are run.
    """

    keys: tuple[KeyLine, ...]
    problems: tuple[str, ...]
    certificate: CertifiedIdentity | None
    database: str
    missing_salt: tuple[MissingPartitions, ...] = ()
    peers: tuple[PeerUse, ...] = ()
    due: tuple[Due, ...] = ()

    @property
    def good(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems and not any(line.facts.problems for line in self.keys)


@dataclass(frozen=True, slots=True)
class _Stored:
    """What the database knows; `why` it could not be read."""

    known: tuple[EpochKey, ...] = ()
    missing: tuple[MissingPartitions, ...] = ()
    uses: tuple[EpochUse, ...] = ()
    why: str = ""


def read_status(
    config: Config, store: KeyStore, now: datetime, opened: tuple[Store, Catalogue] | None = None
) -> KeyStatus:
    """Open every key of a home's store and check the store's files and the certificate. A node has its
    database and its catalogue open already.
    """
    problems = check_files(store)
    fitting, certificate = 0, None
    if config.tls.certificate.exists():
        try:
            fitting, certificate = _check_certificate(config, store, now)
        except (NodeError, KeyringError) as error:
            problems.append(str(error))
    else:
        problems.append("no certificate yet: this home has not joined a federation")
    stored = _read_opened(*opened) if opened else _read_database(config)
    facts = inspect(store, now)
    problems += _missing(facts, stored.known)
    lines = tuple(_line(one, facts, stored, fitting, certificate, config) for one in facts)
    peers = tuple(_peer_use(use, stored.known) for use in stored.uses)
    due = _plan(config, lines, stored, certificate, now)
    return KeyStatus(lines, tuple(problems), certificate, stored.why, stored.missing, peers, due)


def read_due(config: Config, store: KeyStore, now: datetime) -> tuple[Due, ...]:
    """The steps that are due now, each with its reason, in the order in which they are run.

    Raises ConfigError, KeyringError; a database that cannot be reached is skipped, as in `read_status`.
    """
    return read_status(config, store, now).due


def _plan(
    config: Config,
    lines: Sequence[KeyLine],
    stored: _Stored,
    certificate: CertifiedIdentity | None,
    now: datetime,
) -> tuple[Due, ...]:
    known = {(key.purpose, key.epoch) for key in stored.known}
    # Of keys without a row the time is that of their files.
    unknown = (line for line in lines if (line.facts.purpose, line.facts.epoch) not in known)
    ring = (*stored.known, *(_key_of(line) for line in unknown))
    if config.node.role != "node":  # a platform rotates only its TLS key
        ring = tuple(key for key in ring if key.purpose == plans.TLS)
    return plans.plan(
        ring,
        policies(config),
        now,
        certificate_ends=certificate.not_after if certificate else None,
        whole=not stored.missing,
    )


def _key_of(line: KeyLine) -> EpochKey:
    facts = line.facts
    return EpochKey(facts.purpose, facts.epoch, line.state, facts.fingerprint, facts.made)


def _check_certificate(config: Config, store: KeyStore, now: datetime) -> tuple[int, CertifiedIdentity]:
    certificate = config.tls.certificate.read_bytes()
    epoch = tls_epoch(store, certificate)
    identity = verify_chain(certificate, config.tls.ca.read_bytes(), now)
    Revocations(config.tls.revocations, config.tls.ca).require_good(certificate, "this node")
    return epoch, identity


def _read_database(config: Config) -> _Stored:
    try:
        if config.database_file is not None and not config.database_file.exists():
            return _Stored(why="no database yet")  # opening would make it, and reading makes nothing
        store = open_store(database_url(config))
        found = _read_opened(store, load_catalogue(config))
        store.dispose()
    except (NodeError, KeyringError) as error:
        return _Stored(why=str(error))
    return found


def _read_opened(store: Store, catalogue: Catalogue) -> _Stored:
    try:
        with store.transaction("read key epochs") as tx:
            known = epoch_rows.read_epochs(tx)
            return _Stored(known, read_missing(tx, known, catalogue), tuple(read_uses(tx)))
    except NodeError as error:
        return _Stored(why=str(error))


def _peer_use(use: EpochUse, known: Sequence[EpochKey]) -> PeerUse:
    """What a peer used. Without a row a key never rotated, so what it used is the active one."""
    states = {(key.purpose, key.epoch): key for key in known}
    key = states.get((use.purpose, use.epoch))
    until = key.grace_until if key and key.state is KeyState.GRACE else None
    state = key.state if key else KeyState.ACTIVE
    return PeerUse(use.peer, use.purpose, use.epoch, use.at, state, until)


def _missing(facts: Sequence[KeyFacts], known: Sequence[EpochKey]) -> list[str]:
    held = {(one.purpose, one.epoch): one for one in facts}
    problems = []
    for key in known:
        found, name = held.get((key.purpose, key.epoch)), f"{key.purpose}.{key.epoch}"
        if found is None and key.state is not KeyState.DESTROYED:
            problems.append(f"{name}: {key.state} in the database, and not in the key store")
            if key.state is KeyState.RETIRED:  # it erases the key first
                problems[-1] += "; if `heqiao keys destroy` was interrupted, run it again"
        elif found is not None and key.state is KeyState.DESTROYED:
            problems.append(f"{name}: destroyed in the database, and still in the key store")
        elif found is not None and found.fingerprint and found.fingerprint != key.fingerprint:
            problems.append(f"{name}: another key than the one that the database knows")
    return problems


def _line(
    one: KeyFacts,
    every: Sequence[KeyFacts],
    stored: _Stored,
    certified: int,
    certificate: CertifiedIdentity | None,
    config: Config,
) -> KeyLine:
    row = next((key for key in stored.known if (key.purpose, key.epoch) == (one.purpose, one.epoch)), None)
    state = row.state if row else _state_of(one, every, stored, certified)
    since = (row.activated_at or row.created_at) if row else one.made
    policy = config.rotation.policy(one.purpose)
    due = since + policy.every if policy and state is KeyState.ACTIVE else None
    if due and certificate and one.purpose == "tls":
        due = min(due, certificate.not_after - BEFORE_END)
    grace = row.grace_until if row and state is KeyState.GRACE else None
    return KeyLine(one, state, since, due, grace)


def _state_of(one: KeyFacts, every: Sequence[KeyFacts], stored: _Stored, certified: int) -> KeyState:
    """State of a key without a row: of tls keys the certified one is active, of salts the oldest, of others
    the newest; where the database was read, the one that it names, and before any rotation the oldest.
    """
    held = [facts.epoch for facts in every if facts.purpose == one.purpose]
    rows = [key.epoch for key in stored.known if key.purpose == one.purpose and key.state is KeyState.ACTIVE]
    if one.purpose == "tls":
        active = certified or max(held)
    elif one.purpose == "salt" or not stored.why:
        # A newer one is of a rotation that was killed, or waits for that of the salt.
        active = min(rows or held)
    else:
        active = max(held)
    if one.epoch == active:
        return KeyState.ACTIVE
    return KeyState.PENDING if one.epoch > active else KeyState.GRACE
