"""`heqiao ca offices`: let a province's node certify the offices of its province."""

from datetime import UTC, datetime
from pathlib import Path

import click

from keys.pki.offices import AUTHORITY_DAYS, AuthorityRequest, sign_authority
from keys.pki.revocation import load_list, serial_of
from node.cli.ca_options import folder_option, passphrase_option
from node.cli.options import json_option, show, write_output
from node.domain.days import china_day
from node.errors import InputError
from node.federation.authority_folder import REVOKED, open_roots, trusted
from node.files import disk_errors


@click.command()
@folder_option
@click.argument("request", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="File to write.")
@click.option("--days", type=click.IntRange(1, 3_650), default=AUTHORITY_DAYS, show_default=True,
              help="Life of the authority, in days.")  # fmt: skip
@passphrase_option
@json_option
def offices(
    folder: Path, request: Path, out: Path, days: int, passphrase_file: Path | None, *, as_json: bool
) -> None:
    """Let a node certify offices.

    REQUEST is the file of `heqiao offices request`. It is signed by the key of the node's certificate, which
    this CA issued, so no fingerprint is compared. OUT goes back to the node: `heqiao offices accept`.
    """
    asked, now = AuthorityRequest.load(request), datetime.now(UTC)
    with open_roots(folder, passphrase_file) as (_, authorities):
        roots = trusted(authorities)
        _require_unrevoked(folder, roots, asked)
        made = sign_authority(authorities[0], roots, asked, now, days)
    write_output(out, made.to_json())
    last = china_day(datetime.fromtimestamp(made.not_after, UTC))
    text = f"{out}: province {made.code} certifies its offices until {last}"
    show({"authority": str(out), "code": made.code, "not_after": last.isoformat()}, text, as_json=as_json)


def _require_unrevoked(folder: Path, roots: bytes, asked: AuthorityRequest) -> None:
    with disk_errors("run as the account that owns the folder of the CA"):
        content = (folder / REVOKED).read_bytes() if (folder / REVOKED).exists() else None
    if content is not None and serial_of(asked.certificate.encode()) in load_list(content, roots).serials:
        raise InputError(
            "the certificate that signed the request was revoked", "the node must join again first"
        )
