"""Renews certificates as the commands do."""

from datetime import UTC, datetime
from pathlib import Path

from keys import accept_bundle, issue_bundle, make_request
from node.config import load, open_key_store


def put(path: Path, content: bytes) -> None:
    """Write a file as the commands do: under a temporary name, then renamed."""
    partial = path.with_suffix(".part")
    partial.write_bytes(content)
    partial.replace(path)


def renew(home: Path, authority, salt: bytes) -> None:
    """Do what `heqiao ca issue` and `heqiao join` do."""
    store, name = open_key_store(load(home / "node.toml")), f"province {home.name}"
    request, now = make_request(store, "node", home.name, name, ["127.0.0.1"]), datetime.now(UTC)
    bundle = issue_bundle(authority, request, salt, 1, now)
    member = accept_bundle(store, bundle, "node", home.name, name, now)
    put(home / "tls/node.pem", member.certificate)
