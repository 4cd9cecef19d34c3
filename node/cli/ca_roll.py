"""`heqiao ca roll`: from one root of the federation to the next, with both trusted in between."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from keys.enrol import ca_fingerprint
from keys.files import KeyStore
from keys.issuing import CA_DAYS, Authority, create_ca
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
        roots = _begin(store, roots, days)
    else:
        roots = _switch(store, roots) if switch else _end(store, roots)
    lists = _sign_lists(folder, roots)  # before anything is written: it refuses a clock that was set back
    _write(folder, roots, lists)
    if out is not None:
        write_output(out, sign_root(roots[0], roots[1].certificate).to_json())
    if end:
        _erase_older(store, roots[0])
    result: dict[str, object] = {
        "issues": ca_fingerprint(roots[0].pem),
        "also_trusted": [ca_fingerprint(root.pem) for root in roots[1:]],
        "revocation_list": str(folder / REVOKED) if lists else "",
    }
    if out is not None:
        result = {"out": str(out), **result}
    show(result, describe(result), as_json=as_json)


def _begin(store: KeyStore, roots: Sequence[Authority], days: int) -> list[Authority]:
    """The old root and the new one. A key that an earlier run made is used."""
    if len(roots) > 1:
        if _epoch(store, roots[0]) > _epoch(store, roots[1]):
            raise PreconditionError(
                "the new root issues already: send its members the old file, or --end",
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


def _switch(store: KeyStore, roots: Sequence[Authority]) -> list[Authority]:
    if len(roots) < 2:
        raise PreconditionError("there is no new root", "make it with `heqiao ca roll --out`")
    return sorted(roots, key=lambda root: _epoch(store, root), reverse=True)


def _end(store: KeyStore, roots: Sequence[Authority]) -> list[Authority]:
    if len(roots) > 1 and _epoch(store, roots[0]) < _epoch(store, roots[1]):
        raise PreconditionError("the old root still issues", "first `heqiao ca roll --switch`")
    return [roots[0]]


def _erase_older(store: KeyStore, root: Authority) -> None:
    """Also what an earlier run did not erase."""
    for epoch in store.epochs("ca"):
        if epoch < _epoch(store, root):
            store.remove(f"ca.{epoch}")


def _write(folder: Path, roots: Sequence[Authority], lists: bytes) -> None:
    write_output(folder / CERTIFICATE, trusted(roots))
    if lists:
        write_output(folder / REVOKED, lists)


def _sign_lists(folder: Path, roots: Sequence[Authority]) -> bytes:
    """The revocation list once more, signed by every root that members trust; empty where there is none."""
    path = folder / REVOKED
    with disk_errors("run as the account that owns the folder of the CA"):
        before = path.read_bytes() if path.exists() else None
    return b"" if before is None else make_lists(roots, before, (), datetime.now(UTC))


def _epoch(store: KeyStore, root: Authority) -> int:
    for epoch in store.epochs("ca"):
        if load_tls_key(store.get(f"ca.{epoch}")).public_key() == root.key.public_key():
            return epoch
    return 0
