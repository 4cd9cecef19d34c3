"""Homes accept a bundle with the federation's next salt."""

from datetime import UTC, datetime
from pathlib import Path

from keys import accept_bundle, issue_bundle, make_request
from node.config import load, open_key_store
from tests.support.federation import Federation


def take_salt(federation: Federation, salt: bytes, *homes: Path, version: int = 2) -> None:
    """Do what `heqiao ca salt` and `heqiao join` do."""
    for home in homes:
        store, name = open_key_store(load(home / "node.toml")), f"province {home.name}"
        asking = make_request(store, "node", home.name, name, ["127.0.0.1"])
        now = datetime.now(UTC)
        certificate = (home / "tls/node.pem").read_bytes()
        bundle = issue_bundle(federation.authority, asking, salt, version, now, certificate=certificate)
        accept_bundle(store, bundle, "node", home.name, name, now)
        (home / "tls/node.pem").write_bytes(certificate)
