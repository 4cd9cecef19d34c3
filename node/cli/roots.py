"""`heqiao peers roots`: the roots of the federation that this home trusts."""

from datetime import UTC, datetime
from pathlib import Path

import click

from keys.certs import Root, load_roots, roots_pem
from keys.enrol import ca_fingerprint
from keys.errors import KeyringError
from keys.revocation import load_list
from keys.roots import NextRoot, add_root, drop_roots
from node.cli.options import disk_errors, home_option, json_option, load_config, show, write_output
from node.clock import utc_now
from node.config import Config, database_url
from node.errors import PreconditionError
from node.store import audit as audit_rows
from node.store import open_store


@click.command()
@home_option
@json_option
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False), required=False)
@click.option("--drop-old", is_flag=True, help="Trust the newest root alone.")
def roots(home: Path, as_json: bool, file: Path | None, drop_old: bool) -> None:
    """Show, take or drop roots of the federation's CA.

    FILE is the new root that `heqiao ca roll` wrote; the root that this home trusts has signed it. A running
    node trusts both from its next connection on, as a server and as a client. --drop-old is refused while
    this home's own certificate is of the old root.
    """
    if file is not None and drop_old:
        raise click.UsageError("give FILE or --drop-old, not both", click.get_current_context())
    config = load_config(home)
    with disk_errors("correct [tls] ca in node.toml; `heqiao join` writes the CA's certificate"):
        before = config.tls.ca.read_bytes()
        own = config.tls.certificate.read_bytes()
    after = load_roots(before)
    if file is not None:
        after = add_root(before, NextRoot.load(file), datetime.now(UTC))
    elif drop_old:
        after = drop_roots(before, own)
        _require_list(config, after)
    if after != load_roots(before):
        _record(config, load_roots(before), after)
        write_output(config.tls.ca, roots_pem(after))
    names = [ca_fingerprint(roots_pem([root])) for root in after]
    show({"roots": names}, "\n".join(f"root {name}" for name in names), as_json=as_json)


def _require_list(config: Config, left: tuple[Root, ...]) -> None:
    """The revocation list here must be one of a root that stays: the node could not read it any more."""
    if not config.tls.revocations.exists():
        return
    try:
        load_list(config.tls.revocations.read_bytes(), roots_pem(left))
    except KeyringError:
        raise PreconditionError(
            "the revocation list of this home is of the old root",
            "take the newest list first: `heqiao peers revocations`",
        ) from None


def _record(config: Config, before: tuple[Root, ...], after: tuple[Root, ...]) -> None:
    with open_store(database_url(config)).transaction("audit roots", write=True) as tx:
        for event, changed in (
            ("root_trusted", [root for root in after if root not in before]),
            ("root_dropped", [root for root in before if root not in after]),
        ):
            for root in changed:
                audit_rows.append(tx, event, {"fingerprint": ca_fingerprint(roots_pem([root]))}, utc_now())
