"""`heqiao ca roll`: from one root of the federation to the next, with both trusted in between."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from keys.certs import CA_DAYS, Authority, create_ca
from keys.enrol import ca_fingerprint
from keys.files import KeyStore
from keys.kinds import generate_secret, load_tls_key
from keys.revocation import make_lists
from keys.roots import sign_root
from node.cli.ca_folder import (
    CERTIFICATE,
    REVOKED,
    describe,
    folder_option,
    open_roots,
    passphrase_option,
    trusted,
)
from node.cli.options import disk_errors, json_option, show, write_output
from node.errors import PreconditionError


@click.command()
@folder_option
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False),
              help="File to write for all members: the new root, signed by the old one.")  # fmt: skip
@click.option("--switch", is_flag=True, help="From now on the new root issues; after all members took it.")
@click.option("--end", is_flag=True, help="Erase the old root; after all members have new certificates.")
@click.option("--days", type=click.IntRange(1, 36_500), default=CA_DAYS, show_default=True,
              help="Life of the new root's certificate, in days.")  # fmt: skip
@passphrase_option
@json_option
def roll(
    folder: Path,
    out: Path | None,
    switch: bool,
    end: bool,
    days: int,
    passphrase_file: Path | None,
    *,
    as_json: bool,
) -> None:
    """Replace the CA's key, with both roots trusted in between.

    Three steps, each when all members have followed the one before. With --out: make the new root; members
    take the file with `heqiao peers roots`. With --switch: certificates are issued by the new root;
    members renew theirs. With --end: the old root goes; members drop it with `heqiao peers roots --drop-old`.

    \b
    heqiao ca roll --dir ca --out roots.json
    heqiao ca roll --dir ca --switch
    heqiao ca roll --dir ca --end
    """  # noqa: D301 - click wants the real \b character
    if sum((out is not None, switch, end)) != 1:
        raise click.UsageError("give --out, --switch or --end", click.get_current_context())
    store, roots = open_roots(folder, passphrase_file)
    if out is not None:
        roots = _begin(folder, store, roots, days)
        write_output(out, sign_root(roots[0], roots[1].certificate).to_json())
    elif switch:
        roots = _switch(folder, store, roots)
    else:
        roots = _end(folder, store, roots)
    revoked = _sign_lists(folder, roots)
    result: dict[str, object] = {
        "issues": ca_fingerprint(roots[0].pem),
        "also_trusted": [ca_fingerprint(root.pem) for root in roots[1:]],
        "revocation_list": str(revoked) if revoked else "",
    }
    if out is not None:
        result = {"out": str(out), **result}
    show(result, describe(result), as_json=as_json)


def _begin(folder: Path, store: KeyStore, roots: Sequence[Authority], days: int) -> list[Authority]:
    """The old root and the new one. A key that an earlier run made is used."""
    if len(roots) > 1:
        _require_newer_last(
            store, roots, "the new root issues already: send its members the old file, or --end"
        )
        return list(roots)
    epoch, secret = store.newest("ca")
    key = load_tls_key(secret)
    if key.public_key() == roots[0].key.public_key():
        epoch, secret = epoch + 1, generate_secret("ca")
        store.add(f"ca.{epoch}", secret)
        key = load_tls_key(secret)
    new = create_ca(roots[0].federation, datetime.now(UTC), days, key=key, generation=epoch)
    return _write(folder, [roots[0], new])


def _switch(folder: Path, store: KeyStore, roots: Sequence[Authority]) -> list[Authority]:
    if len(roots) < 2:
        raise PreconditionError("there is no new root", "make it with `heqiao ca roll --out`")
    _require_newer_last(store, roots, "the new root issues already")
    return _write(folder, [roots[1], roots[0]])


def _end(folder: Path, store: KeyStore, roots: Sequence[Authority]) -> list[Authority]:
    if len(roots) > 1 and _epoch(store, roots[0]) < _epoch(store, roots[1]):
        raise PreconditionError("the old root still issues", "first `heqiao ca roll --switch`")
    left = _write(folder, [roots[0]])
    for epoch in store.epochs("ca"):  # also what an earlier run did not erase
        if epoch < _epoch(store, roots[0]):
            store.remove(f"ca.{epoch}")
    return left


def _write(folder: Path, roots: list[Authority]) -> list[Authority]:
    write_output(folder / CERTIFICATE, trusted(roots))
    return roots


def _sign_lists(folder: Path, roots: Sequence[Authority]) -> Path | None:
    """The revocation list once more, signed by every root that members trust; None where there is none."""
    path = folder / REVOKED
    with disk_errors("run as the account that owns the folder of the CA"):
        before = path.read_bytes() if path.exists() else None
    if before is None:
        return None
    write_output(path, make_lists(roots, before, (), datetime.now(UTC)))
    return path


def _epoch(store: KeyStore, root: Authority) -> int:
    for epoch in store.epochs("ca"):
        if load_tls_key(store.get(f"ca.{epoch}")).public_key() == root.key.public_key():
            return epoch
    return 0


def _require_newer_last(store: KeyStore, roots: Sequence[Authority], message: str) -> None:
    if _epoch(store, roots[0]) > _epoch(store, roots[1]):
        raise PreconditionError(message, "members renew their certificates; then `heqiao ca roll --end`")
