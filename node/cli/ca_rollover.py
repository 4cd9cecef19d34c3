"""`heqiao ca roll`: from one root of the federation to the next, with both trusted in between."""

from collections.abc import Sequence
from pathlib import Path

import click

from keys.pki.enrolment import ca_fingerprint
from keys.pki.issuing import CA_DAYS, Authority
from keys.pki.roots import sign_root
from node.cli.ca_options import folder_option, passphrase_option
from node.cli.options import json_option, show, write_output
from node.federation.authority_folder import CERTIFICATE, REVOKED, describe, open_roots, trusted
from node.federation.root_rollover import (
    add_root,
    drop_old_root,
    erase_older_keys,
    issue_by_new_root,
    sign_lists,
)


@click.command()
@folder_option
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False),
              help="File to write for all members: the new root, signed by the old one.")  # fmt: skip
@click.option("--switch", is_flag=True, help="Issue by the new root from now on; after all members trust it.")
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

    Three steps, each after all members have completed the one before. --out makes the new root; members
    trust it with `heqiao peers roots`. --switch issues certificates by the new root; members renew theirs,
    then drop the old root with `heqiao peers roots --drop-old`. --end erases the old root.

    \b
    heqiao ca roll --dir ca --out roots.json
    heqiao ca roll --dir ca --switch
    heqiao ca roll --dir ca --end
    """  # noqa: D301 - click wants the real \b character
    if sum((out is not None, switch, end)) != 1:
        raise click.UsageError("give --out, --switch or --end", click.get_current_context())
    with open_roots(folder, passphrase_file) as (store, roots):
        if out is not None:
            roots = add_root(store, roots, days)
        else:
            roots = issue_by_new_root(store, roots) if switch else drop_old_root(store, roots)
        lists = sign_lists(folder, roots)  # before anything is written: it refuses a clock that was set back
        _write(folder, roots, lists)
        if out is not None:
            write_output(out, sign_root(roots[0], roots[1].certificate).to_json())
        if end:
            erase_older_keys(store, roots[0])
    result = _result(folder, roots, lists, out)
    show(result, describe(result), as_json=as_json)


def _result(folder: Path, roots: Sequence[Authority], lists: bytes, out: Path | None) -> dict[str, object]:
    result: dict[str, object] = {
        "issues": ca_fingerprint(roots[0].pem),
        "also_trusted": [ca_fingerprint(root.pem) for root in roots[1:]],
        "revocation_list": str(folder / REVOKED) if lists else "",
    }
    return result if out is None else {"out": str(out), **result}


def _write(folder: Path, roots: Sequence[Authority], lists: bytes) -> None:
    write_output(folder / CERTIFICATE, trusted(roots))
    if lists:
        write_output(folder / REVOKED, lists)
