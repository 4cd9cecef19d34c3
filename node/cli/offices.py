"""`heqiao offices`: the offices (委托单位) of a province, which sign mandates."""

from datetime import UTC, datetime
from pathlib import Path

import click

from keys.pki.names import check_name
from keys.pki.offices import (
    OFFICE_DAYS,
    OfficeAuthority,
    OfficeCertificate,
    load_office_card,
    make_office_card,
    sign_mandate,
)
from keys.store.atomic_files import PUBLIC, read_passphrase, write_new
from keys.store.key_store import KeyStore
from keys.store.kinds import generate_secret
from node.cli.approvals import guard
from node.cli.folders import KEEP_APART, prepare_passphrase
from node.cli.options import (
    admin_option,
    checked,
    count,
    home_option,
    json_option,
    json_text,
    load_config,
    read_config,
    show,
    write_output,
)
from node.cli.record_rejects import refuse_rejects
from node.cli.terminal import print_table
from node.config import PASSPHRASE
from node.credentials.tls_identity import load_tls_identity
from node.domain.days import china_day
from node.domain.offices import OfficeRow
from node.domain.records import Reject
from node.domain.stored_mandates import StoredMandate, signed_part, to_plain
from node.errors import InputError
from node.files import new_folder
from node.governance import offices as records
from node.tabular.record_lists import read_mandate_records

KEYS, CARD = "keys", "office.json"
file_type = click.Path(path_type=Path, dir_okay=False)


@click.group()
def offices() -> None:
    """Manage the offices that sign mandates.

    An office (委托单位) has a key of its own. The province's node certifies it, with a key that the
    federation's CA has authorised. With [mandates] signed_offices = true only signed mandates count.
    """


@offices.command("key")
@click.option("--dir", "folder", type=click.Path(path_type=Path), required=True, help="Folder to make.")
@click.option("--code", required=True, help="Administrative code of the office, 6 to 12 digits.")
@click.option("--name", required=True, callback=checked(check_name), help="Name of the office.")
@click.option("--passphrase-file", type=file_type,
              help="File with its passphrase; without it a random one is made.")  # fmt: skip
@json_option
def make_key(folder: Path, code: str, name: str, passphrase_file: Path | None, *, as_json: bool) -> None:
    """Make an office's key.

    Run it at the office. office.json in the folder is public: send it to the province's node.
    """
    if not (code.isascii() and code.isdigit() and 6 <= len(code) <= 12):
        raise InputError("the code of an office is 6 to 12 digits", "correct --code")
    with new_folder(folder) as partial:
        given = read_passphrase(passphrase_file) if passphrase_file else None
        if given is not None:
            write_new(partial / PASSPHRASE, given + b"\n")
        store = KeyStore.create(partial / KEYS, prepare_passphrase(partial, None) if given is None else given)
        store.add("signing.1", generate_secret("signing"))
        card = make_office_card(store, code, name)
        write_new(partial / CARD, card.to_json(), PUBLIC)
    lines = [f"{folder / CARD}: {code} {name}, fingerprint {card.fingerprint()}"]
    if passphrase_file is None:
        lines.append(KEEP_APART.format(path=folder / PASSPHRASE, how="put it back to sign"))
    show({"office": str(folder / CARD), "code": code, "fingerprint": card.fingerprint()}, "\n".join(lines),
         as_json=as_json)  # fmt: skip


@offices.command()
@home_option
@json_option
@click.option("--out", type=file_type, required=True, help="File to write.")
@click.option("--renew", is_flag=True, help="Make a new key, also where there is one.")
def request(home: Path, as_json: bool, out: Path, renew: bool) -> None:
    """Ask the CA to let this node certify offices.

    Makes the node's key for it. OUT is signed by the node's certificate and is not secret; the CA answers
    with `heqiao ca offices`.
    """
    config = load_config(home)
    identity = load_tls_identity(config)
    asked = records.ask_authority(config, identity.certificate, identity.key, renew=renew)
    write_output(out, asked.to_json())
    show({"request": str(out), "code": asked.code}, f"{out}: send it to the federation's CA", as_json=as_json)


@offices.command()
@home_option
@json_option
@click.argument("authority", type=file_type)
@admin_option
def accept(home: Path, as_json: bool, authority: Path, admin: Path | None) -> None:
    """Accept the CA's answer to `heqiao offices request`."""
    config, given = load_config(home), OfficeAuthority.load(authority)
    guard(config, admin, "offices accept", {"fingerprint": given.fingerprint()})
    epoch = records.accept_authority(config, given, datetime.now(UTC))
    last = china_day(datetime.fromtimestamp(given.not_after, UTC))
    text = f"offices of {given.code} are certified with the key office.{epoch} until {last}"
    show({"epoch": epoch, "not_after": last.isoformat()}, text, as_json=as_json)


@offices.command()
@home_option
@json_option
@click.argument("card", type=file_type)
@click.option("--out", type=file_type, required=True, help="File to write, for the office.")
@click.option("--days", type=click.IntRange(1, 1_095), default=OFFICE_DAYS, show_default=True,
              help="Life of the certificate, in days.")  # fmt: skip
@admin_option
def issue(home: Path, as_json: bool, card: Path, out: Path, days: int, admin: Path | None) -> None:
    """Certify an office by its office.json.

    Compare the card's fingerprint with what the office reads out: `heqiao fingerprint FILE`.
    """
    config, given = load_config(home), load_office_card(card)
    guard(config, admin, "offices issue", {"office": given.code, "fingerprint": given.fingerprint()})
    made = records.issue(config, given, datetime.now(UTC), days)
    write_output(out, made.to_json())
    last = china_day(datetime.fromtimestamp(made.not_after, UTC)).isoformat()
    result = {"certificate": str(out), "number": made.number, "office": made.code, "not_after": last}
    show(result, f"{out}: {made.code} {made.name}, number {made.number}, until {last}", as_json=as_json)


@offices.command("list")
@home_option
@json_option
def list_(home: Path, as_json: bool) -> None:
    """List the certificates of offices."""
    found = records.list_offices(read_config(home))
    if as_json:
        show({"offices": [_plain(one) for one in found]}, "", as_json=True)
        return
    rows = [tuple(map(str, _plain(one).values())) for one in found]
    print_table(("number", "office", "name", "issued", "until", "revoked"), rows)


@offices.command()
@home_option
@json_option
@click.argument("number")
@admin_option
def revoke(home: Path, as_json: bool, number: str, admin: Path | None) -> None:
    """Revoke the certificate of an office by its NUMBER.

    Parts of jobs that begin from now on ask about nobody under mandates that were signed with it, and none is
    added any more.
    """
    config = load_config(home)
    guard(config, admin, "offices revoke", {"number": number})
    found = records.revoke(config, number, datetime.now(UTC))
    show(_plain(found), f"revoked: {found.number} {found.code} {found.name}", as_json=as_json)


@offices.command()
@click.option("--dir", "folder", type=click.Path(path_type=Path, file_okay=False), required=True,
              help="The office's folder.")  # fmt: skip
@click.option("--certificate", type=file_type, required=True, help="The office's certificate.")
@click.argument("source", metavar="LIST", type=file_type)
@click.option("--out", type=file_type, required=True, help="File to write (JSON), for `heqiao mandates add`.")
@json_option
def sign(folder: Path, certificate: Path, source: Path, out: Path, *, as_json: bool) -> None:
    """Sign a list of mandates as an office.

    LIST is CSV, a spreadsheet or JSON, as for `heqiao mandates add`. All rows are signed, or none.
    """
    held = OfficeCertificate.load(certificate)
    store = KeyStore.open(folder / KEYS, read_passphrase(folder / PASSPHRASE))
    if make_office_card(store, held.code, held.name).key != held.key:
        raise InputError("the certificate is not of this office's key", "name the office's own --certificate")
    mandates, files, rejects, lines = read_mandate_records(source)
    foreign = [
        Reject(str(source), line, "office", "other_office", "an office signs its own mandates only")
        for one, line in zip(mandates, lines, strict=True)
        if one.mandate.office not in (held.code, held.name)
    ]
    refuse_rejects(rejects + foreign, out.parent, "nothing was signed")
    plain = [_signed(store, held, one, files.get(one.mandate.number, "")) for one in mandates]
    write_output(out, json_text({"mandates": plain}, indent=1).encode() + b"\n")
    show(
        {"signed": len(plain), "out": str(out)},
        f"{out}: {count(len(plain), 'mandate')} signed",
        as_json=as_json,
    )


def _signed(
    store: KeyStore, certificate: OfficeCertificate, one: StoredMandate, form: str
) -> dict[str, object]:
    bare = StoredMandate(one.mandate, one.household_no, one.application_no, one.guardians)
    signature = sign_mandate(store, signed_part(bare))
    held = StoredMandate(
        one.mandate, one.household_no, one.application_no, one.guardians, signature, certificate.to_json()
    )
    return {**to_plain(held), **({"form_file": form} if form else {})}


def _plain(row: OfficeRow) -> dict[str, object]:
    return {
        "number": row.number,
        "office": row.code,
        "name": row.name,
        "issued": china_day(row.issued_at).isoformat(),
        "until": china_day(row.not_after).isoformat(),
        "revoked": china_day(row.revoked_at).isoformat() if row.revoked_at else "",
    }
