"""The steps of a root roll-over at the CA: add a root, issue with it, drop the old one."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from keys.pki.issuing import Authority, create_ca
from keys.pki.revocation import make_lists
from keys.store.key_pairs import load_tls_key
from keys.store.key_store import KeyStore
from keys.store.kinds import generate_secret
from node.errors import PreconditionError
from node.federation.authority_folder import REVOKED
from node.files import disk_errors


def add_root(store: KeyStore, roots: Sequence[Authority], days: int) -> list[Authority]:
    """The old root and the new one. A key that an earlier run made is used.

    Raises PreconditionError where the new root issues already.
    """
    if len(roots) > 1:
        if _epoch(store, roots[0]) > _epoch(store, roots[1]):
            raise PreconditionError(
                "the new root issues certificates already: send members the file made before, or use --end",
                "members renew their certificates; then `heqiao ca roll --end`",
            )
        return list(roots)
    epoch, secret = store.newest("ca")
    key = load_tls_key(secret)
    if key.public_key() == roots[0].key.public_key():
        epoch, secret = epoch + 1, generate_secret("ca")
        store.add(f"ca.{epoch}", secret)
        key = load_tls_key(secret)
    new = create_ca(roots[0].federation, datetime.now(UTC), days, key=key, generation=epoch)
    return [roots[0], new]


def issue_by_new_root(store: KeyStore, roots: Sequence[Authority]) -> list[Authority]:
    """The roots with the new one first. Raises PreconditionError where there is none."""
    if len(roots) < 2:
        raise PreconditionError("there is no new root", "make it with `heqiao ca roll --out`")
    return sorted(roots, key=lambda root: _epoch(store, root), reverse=True)


def drop_old_root(store: KeyStore, roots: Sequence[Authority]) -> list[Authority]:
    """The new root alone. Raises PreconditionError while the old one issues."""
    if len(roots) > 1 and _epoch(store, roots[0]) < _epoch(store, roots[1]):
        raise PreconditionError("the old root still issues certificates", "first `heqiao ca roll --switch`")
    return [roots[0]]


def erase_older_keys(store: KeyStore, root: Authority) -> None:
    """Erase the keys of all roots before this one, including those that an earlier run left."""
    for epoch in store.epochs("ca"):
        if epoch < _epoch(store, root):
            store.remove(f"ca.{epoch}")


def sign_lists(folder: Path, roots: Sequence[Authority]) -> bytes:
    """The revocation list, signed again by every root that members trust; empty where there is none."""
    path = folder / REVOKED
    with disk_errors("run as the account that owns the folder of the CA"):
        before = path.read_bytes() if path.exists() else None
    return b"" if before is None else make_lists(roots, before, (), datetime.now(UTC))


def _epoch(store: KeyStore, root: Authority) -> int:
    for epoch in store.epochs("ca"):
        if load_tls_key(store.get(f"ca.{epoch}")).public_key() == root.key.public_key():
            return epoch
    return 0
