"""Rotates keys of a home while its node runs, as the commands do, but with a clock of the test."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from keys import KeyStore, accept_bundle, issue_bundle
from keys.pki.enrolment import load_request
from keys.pki.issuing import Authority
from keys.types import RotationPolicy
from node.clock import Clock
from node.config import REQUEST, load, open_key_store
from node.context import Node
from node.rotation import driver
from node.rotation.kinds import OPRF, SALT, SIGNING, SUMS
from tests.support.certificates import put
from tests.support.cli_runner import ok
from tests.support.cluster import open_home

POLICIES = {
    "oprf": RotationPolicy(timedelta(days=90), timedelta(days=7)),
    "sums": RotationPolicy(timedelta(days=90), timedelta(days=7)),
    "signing": RotationPolicy(timedelta(days=730), timedelta(days=30)),
    "salt": RotationPolicy(timedelta(days=3_650), timedelta(days=90)),
}
_KINDS = {"oprf": OPRF, "sums": SUMS, "signing": SIGNING}


def opened(home: Path, clock: Clock) -> tuple[Node, KeyStore]:
    """The node of a home and its key store."""
    return open_home(home, clock), open_key_store(load(home / "node.toml"))


def rotate(home: Path, purpose: str, clock: Clock) -> None:
    """`heqiao keys rotate oprf`, `sum` or `signing`."""
    node, store = opened(home, clock)
    driver.rotate(_KINDS[purpose], node, store, POLICIES[purpose])
    node.store.dispose()


def rotate_salt(home: Path, clock: Clock) -> bool:
    """`heqiao keys rotate salt`; returns whether it switched: if not, registers must be imported first."""
    node, store = opened(home, clock)
    done = driver.rotate(SALT, node, store, POLICIES["salt"])
    node.store.dispose()
    return done.switched


def rotate_tls(home: Path, authority: Authority, salt_now: bytes, version: int) -> None:
    """`heqiao keys rotate tls`, `ca issue` and `join`."""
    ok("keys", "rotate", "tls", "--home", home)
    config, now = load(home / "node.toml"), datetime.now(UTC)
    bundle = issue_bundle(authority, load_request(home / REQUEST), salt_now, version, now)
    node = config.node
    member = accept_bundle(open_key_store(config), bundle, "node", node.code, node.name, now)
    put(home / "tls/node.pem", member.certificate)
