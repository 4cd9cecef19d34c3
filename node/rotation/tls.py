"""The next TLS key of a home and the request for its certificate.

The federation's CA answers the request, and `heqiao join` puts key and certificate in use: so the one step
here is `make`. The states are not in the database: the key of the certificate is the active one.
"""

import contextlib
from pathlib import Path

from keys import KeyStore, load_request, make_request
from keys import rotation as plans
from keys.errors import KeyringError
from keys.pki.certificates import hosts_of, tls_epoch
from keys.pki.issuing import requested_key
from keys.rotation import Action, Step
from keys.store.atomic_files import replace
from keys.store.key_pairs import load_tls_key
from keys.store.kinds import fingerprint, generate_secret
from keys.types import EpochKey, KeyState, RotationPolicy
from node.config import REQUEST, Config
from node.database import audit_log as audit_rows
from node.domain.audit_chain import Detail
from node.errors import PreconditionError
from node.files import disk_errors
from node.rotation.run import Home, Keyring, Rotation, Run
from node.rotation.signing import read_signer

TLS = plans.TLS


class TlsRotation(Rotation):
    """Of the key that the CA certifies; nothing is stored under it, so imports go on."""

    purposes = (TLS,)
    is_exclusive = False

    def read(self, home: Home, keys: KeyStore) -> Keyring:
        """All keys. Raises PreconditionError before `heqiao join`."""
        used, now = tls_epoch(keys, read_certificate(home.config)), home.clock()
        named = {epoch: fingerprint(TLS, keys.get(f"{TLS}.{epoch}")) for epoch in keys.epochs(TLS)}
        return tuple(EpochKey(TLS, epoch, _state(epoch, used), named[epoch], now) for epoch in named)

    def plan(self, _home: Home, ring: Keyring, _policy: RotationPolicy) -> tuple[Step, ...]:
        """The key that waits for its certificate, or a new one."""
        waiting = plans.pending(ring, TLS)
        epoch = waiting[-1].epoch if waiting else plans.newest(ring, TLS) + 1
        return (Step(Action.MAKE, TLS, epoch),)

    def plan_retirement(self, _ring: Keyring, _now: object, *, early: bool) -> tuple[Step, ...]:  # noqa: ARG002
        """None: a certificate is good until it ends, or is revoked."""
        return ()

    def make(self, run: Run) -> None:
        """The key, unless it waits already, and its request. Raises InputError for a full disk."""
        _make_key(run, run.epoch(TLS))
        config = run.home.config
        node, certificate = config.node, read_certificate(config)
        hosts = hosts_of(certificate) if node.role == "node" else ()
        signing = read_signer(config, run.keys).epoch
        request = make_request(
            run.keys, node.role, node.code, node.name, hosts, signing, certificate=certificate
        )
        with disk_errors("make room in the home's folder, then run this again"):
            replace(request_path(config), request.to_json())


def read_certificate(config: Config) -> bytes:
    """The certificate in use. Raises PreconditionError before `heqiao join`."""
    if not config.tls.certificate.exists():
        raise PreconditionError("this home has no certificate yet", "its request.json is still good")
    with disk_errors("correct [tls] certificate in node.toml"):
        return config.tls.certificate.read_bytes()


def request_path(config: Config) -> Path:
    """Where the request for a certificate is written."""
    return config.folder / REQUEST


def is_requested(config: Config, keys: KeyStore) -> bool:
    """Whether the request of the home is for its newest key: then only the CA has something to do."""
    newest = load_tls_key(keys.newest(TLS)[1]).public_key()
    with contextlib.suppress(KeyringError, OSError):
        return requested_key(load_request(request_path(config)).csr.encode()) == newest
    return False


def _state(epoch: int, used: int) -> KeyState:
    if epoch == used:
        return KeyState.ACTIVE
    return KeyState.PENDING if epoch > used else KeyState.GRACE


def _make_key(run: Run, epoch: int) -> None:
    if epoch in run.keys.epochs(TLS):
        return
    secret = generate_secret(TLS, run.home.random_bytes)
    details: dict[str, Detail] = {
        "purpose": TLS,
        "epoch": epoch,
        "state": KeyState.PENDING.value,
        "fingerprint": fingerprint(TLS, secret),
    }
    # The event first: no key may exist without one; the next run handles an event without its key.
    with run.home.store.transaction("audit tls key", write=True) as tx:
        audit_rows.append(tx, "key_state_changed", details, run.home.clock())
        run.keys.add(f"{TLS}.{epoch}", secret)
