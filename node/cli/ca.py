"""`heqiao ca`: the federation's certificate authority (its folder: node/federation/authority_folder.py)."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click

from keys.pki.certificates import identity_of
from keys.pki.enrolment import ca_fingerprint
from keys.pki.fingerprints import read_digits
from keys.pki.issuing import CA_DAYS, create_ca
from keys.pki.names import check_code, check_federation
from keys.pki.revocation import load_list, make_lists
from keys.store.atomic_files import PUBLIC, write_new
from keys.store.key_pairs import load_tls_key
from keys.store.key_store import KeyStore
from keys.store.kinds import CA_KEYS, generate_secret
from node.cli import ca_issue, ca_offices, ca_publish, ca_rollover, ca_salt
from node.cli.ca_options import folder_option, passphrase_option
from node.cli.folders import KEEP_APART, prepare_passphrase
from node.cli.options import checked, json_option, show, write_output
from node.config import PASSPHRASE
from node.domain.days import china_day
from node.errors import InputError
from node.federation.authority_folder import (
    CERTIFICATE,
    ISSUED,
    KEYS,
    REVOKED,
    describe,
    open_roots,
    trusted,
)
from node.files import disk_errors, new_folder

_SHORTEST: Final = 8  # hex digits of a fingerprint that name a certificate


@click.group()
def ca() -> None:
    """Run a federation's certificate authority.

    The CA decides who is a member of the federation, and distributes its salt.
    """


ca.add_command(ca_issue.issue_)
ca.add_command(ca_publish.publish)
ca.add_command(ca_salt.salt)
ca.add_command(ca_rollover.roll)
ca.add_command(ca_offices.offices)


@ca.command("init")
@folder_option
@click.option("--federation", required=True, callback=checked(check_federation),
              help="Name of the federation: a-z, 0-9 and hyphens.")  # fmt: skip
@click.option("--days", type=click.IntRange(1, 36_500), default=CA_DAYS, show_default=True,
              help="Life of the CA certificate, in days.")  # fmt: skip
@passphrase_option
@json_option
def init_ca(folder: Path, federation: str, days: int, passphrase_file: Path | None, *, as_json: bool) -> None:
    """Make a new CA in a new folder.

    Without --passphrase-file a random passphrase is made. Keep the folder on a machine that no node
    runs on, and the passphrase on another medium.
    """
    with new_folder(folder) as partial:
        store = KeyStore.create(partial / KEYS, prepare_passphrase(partial, passphrase_file))
        for purpose in CA_KEYS:
            store.add(f"{purpose}.1", generate_secret(purpose))
        authority = create_ca(federation, datetime.now(UTC), days, key=load_tls_key(store.get("ca.1")))
        write_new(partial / CERTIFICATE, authority.pem, PUBLIC)
        (partial / ISSUED).mkdir(mode=0o700)
    fingerprint = ca_fingerprint(authority.pem)
    lines = [
        f"CA of federation {federation} made in {folder}",
        f"Its fingerprint, for members to compare when they join: {fingerprint}",
    ]
    if passphrase_file is None:
        how = "name it with --passphrase-file"
        lines.append(KEEP_APART.format(path=folder / PASSPHRASE, how=how))
    result = {"dir": str(folder), "federation": federation, "ca_fingerprint": fingerprint}
    show(result, "\n".join(lines), as_json=as_json)


@ca.command()
@folder_option
@click.argument("fingerprints", nargs=-1, metavar="[FINGERPRINTS]")
@click.option("--code", callback=checked(check_code), help="Revoke all certificates of this province.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True,
              help="File for the list, to be sent to all members.")  # fmt: skip
@passphrase_option
@json_option
def revoke(
    folder: Path,
    fingerprints: tuple[str, ...],
    code: str | None,
    out: Path,
    passphrase_file: Path | None,
    *,
    as_json: bool,
) -> None:
    """Revoke certificates and write the list for all members.

    FINGERPRINTS are those of certificates, as printed when they were issued; at least 8 hex digits each.
    Every member takes the list with `heqiao peers revocations`. A revoked certificate stays on the list: to
    let a province back in, issue it a new one. `heqiao ca publish` writes the list again every 30 days.
    """
    if not fingerprints and code is None:
        raise click.UsageError("give FINGERPRINTS or --code", click.get_current_context())
    with open_roots(folder, passphrase_file) as (_, authorities):
        chosen = _choose(folder, fingerprints, code)
        kept = folder / REVOKED
        with disk_errors("run as the account that owns the folder of the CA"):
            before = kept.read_bytes() if kept.exists() else None
        content = make_lists(authorities, before, chosen.values(), datetime.now(UTC))
        write_output(kept, content)  # first: what is once sent out must be on every later list
        write_output(out, content)
        made = load_list(content, trusted(authorities))
    result = {
        "out": str(out),
        "list": made.number,
        "revoked": sorted(chosen),
        "revoked_in_all": len(made.serials),
        "next": china_day(made.next_at).isoformat(),
    }
    show(result, describe(result), as_json=as_json)


def _choose(folder: Path, fingerprints: tuple[str, ...], code: str | None) -> dict[str, bytes]:
    """The issued certificates that are meant, by fingerprint."""
    with disk_errors(f"the folder of the CA must hold a folder {ISSUED!r}"):
        issued = {path.stem: path.read_bytes() for path in sorted((folder / ISSUED).glob("*.pem"))}
    chosen = {name for name, pem in issued.items() if code is not None and identity_of(pem).code == code}
    if code is not None and not chosen:
        raise InputError(f"no certificate was issued to {code}", "correct --code")
    for given in fingerprints:
        wanted = read_digits(given)
        found = [name for name in issued if len(wanted) >= _SHORTEST and name.startswith(wanted)]
        if len(found) != 1:
            raise InputError(
                f"{len(found)} certificates have the fingerprint {given}",
                f"give more digits, {_SHORTEST} at least; their files are in {folder / ISSUED}",
            )
        chosen.update(found)
    return {name: issued[name] for name in chosen}
