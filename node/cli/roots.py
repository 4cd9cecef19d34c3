"""`heqiao peers roots`: the roots of the federation that this home trusts."""

from datetime import UTC, datetime
from pathlib import Path

import click

from keys.pki.certificates import load_roots, roots_pem
from keys.pki.enrolment import ca_fingerprint
from keys.pki.roots import NextRoot, add_root, drop_roots
from node.cli.approvals import guard
from node.cli.options import admin_option, home_option, json_option, load_config, show, write_output
from node.federation.trusted_roots import record_change, require_readable_list
from node.files import disk_errors


@click.command()
@home_option
@json_option
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False), required=False)
@click.option("--drop-old", is_flag=True, help="Trust only the newest root.")
@admin_option
def roots(home: Path, as_json: bool, file: Path | None, drop_old: bool, admin: Path | None) -> None:
    """Show, add or drop trusted roots of the federation's CA.

    FILE is the new root that `heqiao ca roll` wrote, signed by the root that this home trusts. A running node
    trusts both from its next connection on, as a server and as a client. --drop-old is refused while this
    home's own certificate was issued by the old root.
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
        require_readable_list(config, after)
    names = [ca_fingerprint(roots_pem([root])) for root in after]
    if after != load_roots(before):
        guard(config, admin, "peers roots", {"trusted": names})
        record_change(config, load_roots(before), after)
        write_output(config.tls.ca, roots_pem(after))
    show({"roots": names}, "\n".join(f"root {name}" for name in names), as_json=as_json)
