"""Renews and revokes certificates as the commands do."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from keys import accept_bundle, issue_bundle, make_request
from keys.pki.certificates import load_certificate
from keys.pki.revocation import LIST_DAYS, load_list, make_list
from node.config import load, open_key_store
from tests.support.federation import Federation


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


def publish(federation: Federation, homes: Iterable[Path], now: datetime) -> None:
    """Once a month what `heqiao ca publish` and `peers revocations` do: without it nobody is served."""
    for home in homes:
        path, ca = home / "tls/revoked.pem", federation.authority.pem
        before = path.read_bytes() if path.exists() else None
        last = load_certificate((home / "tls/node.pem").read_bytes()).not_valid_before_utc
        if now - (load_list(before, ca).made_at if before else last) > timedelta(days=LIST_DAYS):
            put(path, make_list(federation.authority, before, [], now))


def revoke(federation: Federation, home: Path, *certificates: bytes) -> bytes:
    """Put certificates on the revocation list of a home; return the list."""
    path = home / "tls/revoked.pem"
    before = path.read_bytes() if path.exists() else None
    content = make_list(federation.authority, before, certificates, datetime.now(UTC))
    put(path, content)
    return content
