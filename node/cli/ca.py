"""`heqiao ca`: the federation's certificate authority (its folder: node/federation/authority_folder.py)."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click

from keys.errors import EnrolmentError
from keys.pki.certificates import identity_of
from keys.pki.enrolment import EnrolmentRequest, ca_fingerprint, issue_bundle, load_request
from keys.pki.issuing import CA_DAYS, LEAF_DAYS, Authority, create_ca, create_request, issue
from keys.pki.names import check_code, check_federation, check_name
from keys.pki.revocation import load_list, make_lists
from keys.store.atomic_files import PUBLIC, write_new
from keys.store.key_pairs import generate_tls_key, load_tls_key
from keys.store.key_store import KeyStore
from keys.store.kinds import CA_KEYS, generate_secret
from node.cli import ca_rollover, ca_salt
from node.cli.ca_options import folder_option, passphrase_option
from node.cli.folders import KEEP_APART, prepare_passphrase
from node.cli.options import checked, json_option, show, write_output
from node.config import PASSPHRASE
from node.errors import InputError
from node.federation.authority_folder import (
    CERTIFICATE,
    ISSUED,
    KEYS,
    REVOKED,
    choose_salt,
    describe,
    open_roots,
    record,
    trusted,
)
from node.files import disk_errors, new_folder

_SHORTEST: Final = 8  # hex digits of a fingerprint that name a certificate


@click.group()
def ca() -> None:
    """Run a federation's certificate authority.

    The CA decides who is a member of the federation, and distributes its salt.
    """


ca.add_command(ca_salt.salt)
ca.add_command(ca_rollover.roll)


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


@ca.command("issue")
@folder_option
@click.argument("request", type=click.Path(path_type=Path, dir_okay=False), required=False)
@click.option("--out", type=click.Path(path_type=Path), required=True,
              help="Bundle file to write, or with --client-cert the folder to make.")  # fmt: skip
@click.option("--days", type=click.IntRange(1, 3_650), default=LEAF_DAYS, show_default=True,
              help="Life of the certificate, in days.")  # fmt: skip
@click.option("--fingerprint", help="Fingerprint of the request as its sender gave it; any other is refused.")
@click.option("--client-cert", "client", metavar="NAME", callback=checked(check_name),
              help="Instead of a request: make key and certificate of a platform of this name.")  # fmt: skip
@click.option("--code", callback=checked(check_code), help="Province code of that platform.")
@click.option("--salt-version", "wanted", type=click.IntRange(1), metavar="N",
              help="Version of the salt to seal, while two are in use.  [default: the newest]")  # fmt: skip
@passphrase_option
@json_option
def issue_(
    folder: Path,
    request: Path | None,
    out: Path,
    days: int,
    fingerprint: str | None,
    client: str | None,
    code: str | None,
    wanted: int | None,
    passphrase_file: Path | None,
    *,
    as_json: bool,
) -> None:
    """Answer a request to join with a bundle.

    REQUEST is the request.json of a node or platform, which takes the bundle with `heqiao join`. Check the
    role, code and hosts that the command prints, and compare the fingerprint with the sender by telephone:
    the bundle makes its receiver a member and gives it the federation's salt.

    With --client-cert NAME --code CODE there is no request: OUT becomes a folder with client.pem,
    client.key and ca.pem, for a stock gRPC client that calls the platform port of its own province's
    node. That key is UNENCRYPTED on the disk (mode 0600), because stock clients read plain PEM
    files: give it to one program on one machine, for a short time (--days).
    """
    if (request is None) == (client is None) or (client is None) != (code is None):
        raise click.UsageError(
            "give either REQUEST, or --client-cert NAME with --code CODE", click.get_current_context()
        )
    now = datetime.now(UTC)
    with open_roots(folder, passphrase_file) as (store, authorities):
        if request is not None:
            result = _answer(
                folder, store, authorities, load_request(request), fingerprint, out, now, days, wanted
            )
        else:
            result = _make_client(folder, authorities, str(client), str(code), out, now, days)
    show(result, describe(result), as_json=as_json)


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
    let a province back in, issue it a new one.
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
        wanted = given.strip().lower()
        found = [name for name in issued if len(wanted) >= _SHORTEST and name.startswith(wanted)]
        if len(found) != 1:
            raise InputError(
                f"{len(found)} certificates have the fingerprint {given}",
                f"give more digits, {_SHORTEST} at least; their files are in {folder / ISSUED}",
            )
        chosen.update(found)
    return {name: issued[name] for name in chosen}


def _answer(
    folder: Path,
    store: KeyStore,
    authorities: Sequence[Authority],
    request: EnrolmentRequest,
    expected_fingerprint: str | None,
    out: Path,
    now: datetime,
    days: int,
    wanted: int | None,
) -> dict[str, object]:
    if expected_fingerprint is not None and expected_fingerprint.strip().lower() != request.fingerprint():
        raise EnrolmentError(
            "the request has another fingerprint than the one given",
            "do not answer it: ask its sender for it over another channel",
        )
    version, salt = choose_salt(store, wanted)
    bundle = issue_bundle(authorities[0], request, salt, version, now, days, roots=trusted(authorities))
    result = record(folder, bundle.certificate.encode(), request)
    write_output(out, bundle.to_json())
    return {
        "bundle": str(out),
        **result,
        "name": request.name,
        "hosts": list(request.hosts),
        "salt_version": version,
        "request_fingerprint": request.fingerprint(),
        "ca_fingerprint": ca_fingerprint(authorities[0].pem),
    }


def _make_client(
    folder: Path, authorities: Sequence[Authority], name: str, code: str, out: Path, now: datetime, days: int
) -> dict[str, object]:
    key = generate_tls_key()
    with new_folder(out) as partial:
        certificate = issue(
            authorities[0], create_request(load_tls_key(key)), "platform", code, now, days, name=name
        )
        write_new(partial / "client.key", key)
        write_new(partial / "client.pem", certificate, PUBLIC)
        write_new(partial / "ca.pem", trusted(authorities), PUBLIC)
        result = record(folder, certificate)
    return {"folder": str(out), **result, "name": name, "key": f"{out / 'client.key'} (unencrypted)"}
