"""`heqiao ca publish`: the revocation list again, for the next 30 days."""

from datetime import UTC, datetime
from pathlib import Path

import click

from keys.pki.revocation import load_list, make_lists
from node.cli.ca_options import folder_option, passphrase_option
from node.cli.options import json_option, show, write_output
from node.domain.days import china_day
from node.federation.authority_folder import REVOKED, describe, open_roots, trusted
from node.files import disk_errors


@click.command()
@folder_option
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True,
              help="File for the list, to be sent to all members.")  # fmt: skip
@passphrase_option
@json_option
def publish(folder: Path, out: Path, passphrase_file: Path | None, *, as_json: bool) -> None:
    """Publish the revocation list again, with a new date.

    Do it every 30 days, also when nothing was revoked: members that get no new list ask for one after 35
    days, and after 95 serve nobody, because a list that was kept from them looks the same. `heqiao ca revoke`
    does it too. Every member takes the list with `heqiao peers revocations`.
    """
    with open_roots(folder, passphrase_file) as (_, authorities):
        kept = folder / REVOKED
        with disk_errors("run as the account that owns the folder of the CA"):
            before = kept.read_bytes() if kept.exists() else None
        content = make_lists(authorities, before, (), datetime.now(UTC))
        write_output(kept, content)  # first: what is once sent out must be on every later list
        write_output(out, content)
        made = load_list(content, trusted(authorities))
    result = {
        "out": str(out),
        "list": made.number,
        "revoked_in_all": len(made.serials),
        "next": china_day(made.next_at).isoformat(),
    }
    show(result, describe(result), as_json=as_json)
