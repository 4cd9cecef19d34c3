"""`heqiao ca issue`: certificates for members, one key a name unless its administrator wants a second."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from keys.pki.enrolment import EnrolmentRequest, ca_fingerprint, is_same_holder, issue_bundle, load_request
from keys.pki.issuing import LEAF_DAYS, Authority, create_request, issue
from keys.pki.names import check_code, check_name
from keys.store.atomic_files import PUBLIC, write_new
from keys.store.key_pairs import generate_tls_key, load_tls_key
from keys.store.key_store import KeyStore
from node.cli.ca_options import folder_option, passphrase_option
from node.cli.fingerprint_check import compare, fingerprint_option
from node.cli.options import checked, json_option, show, write_output
from node.federation.authority_folder import (
    choose_salt,
    describe,
    newest_list,
    open_roots,
    record,
    require_same_holder,
    trusted,
)
from node.files import new_folder


@click.command("issue")
@folder_option
@click.argument("request", type=click.Path(path_type=Path, dir_okay=False), required=False)
@click.option("--out", type=click.Path(path_type=Path), required=True,
              help="Bundle file to write, or with --client-cert the folder to make.")  # fmt: skip
@click.option("--days", type=click.IntRange(1, 3_650), default=LEAF_DAYS, show_default=True,
              help="Life of the certificate, in days.")  # fmt: skip
@fingerprint_option("the request")
@click.option("--client-cert", "client", metavar="NAME", callback=checked(check_name),
              help="Instead of a request: make key and certificate of a platform of this name.")  # fmt: skip
@click.option("--code", callback=checked(check_code), help="Province code of that platform.")
@click.option("--salt-version", "wanted", type=click.IntRange(1), metavar="N",
              help="Version of the salt to seal, while two are in use.  [default: the newest]")  # fmt: skip
@click.option("--second", is_flag=True,
              help="Also where the name has a certificate of another key: then two hold it.")  # fmt: skip
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
    second: bool,
    passphrase_file: Path | None,
    *,
    as_json: bool,
) -> None:
    """Answer a request to join with a bundle.

    REQUEST is the request.json of a node or platform, which takes the bundle with `heqiao join`. Its
    fingerprint must be given, or typed when it is asked for, as the sender reads it out by telephone: the
    bundle makes its receiver a member and gives it the federation's salt.

    A province or platform that has a valid certificate gets another one for the same key, or for a request
    of `heqiao keys rotate tls`, which the key in use has signed. For any other key it is refused: somebody
    else may be asking. Revoke the certificate first (`heqiao ca revoke`), or give --second.

    With --client-cert NAME --code CODE there is no request: OUT becomes a folder with client.pem,
    client.key and ca.pem, for a stock gRPC client that calls the platform port of its own province's
    node. That key is UNENCRYPTED on the disk (mode 0600), because stock clients read plain PEM
    files: give it to one program on one machine, for a short time (--days).
    """
    if (request is None) == (client is None) or (client is None) != (code is None):
        raise click.UsageError(
            "give either REQUEST, or --client-cert NAME with --code CODE", click.get_current_context()
        )
    if client is not None and fingerprint is not None:
        raise click.UsageError("--fingerprint is that of a REQUEST", click.get_current_context())
    now = datetime.now(UTC)
    asked = None if request is None else load_request(request)
    if asked is not None:  # before the CA is opened: other commands would wait for the answer
        compare(_describe(asked), asked.fingerprint(), fingerprint)
    with open_roots(folder, passphrase_file) as (store, authorities):
        if not second:
            _require_same_holder(folder, authorities, asked, str(client), str(code), now)
        if asked is not None:
            result = _answer(folder, store, authorities, asked, out, now, days, wanted)
        else:
            result = _make_client(folder, authorities, str(client), str(code), out, now, days)
    show(result, describe(result), as_json=as_json)


def _describe(request: EnrolmentRequest) -> str:
    hosts = f" for {', '.join(request.hosts)}" if request.hosts else ""
    return f"the request of {request.role} {request.code} {request.name}{hosts}"


def _require_same_holder(
    folder: Path,
    authorities: Sequence[Authority],
    request: EnrolmentRequest | None,
    client: str,
    code: str,
    now: datetime,
) -> None:
    """Refuse a second key for a name. Raises PreconditionError."""
    roots = trusted(authorities)
    if request is None:  # its key is made here, so no certificate can be of it
        require_same_holder(folder, roots, now, ("platform", code, client), lambda _certificate: False)
        return
    who = (request.role, request.code, request.name if request.role == "platform" else "")
    require_same_holder(folder, roots, now, who, lambda certificate: is_same_holder(request, certificate))


def _answer(
    folder: Path,
    store: KeyStore,
    authorities: Sequence[Authority],
    request: EnrolmentRequest,
    out: Path,
    now: datetime,
    days: int,
    wanted: int | None,
) -> dict[str, object]:
    version, salt = choose_salt(store, wanted)
    lists = newest_list(folder, authorities, now)
    bundle = issue_bundle(
        authorities[0],
        request,
        salt,
        version,
        now,
        days,
        roots=trusted(authorities),
        revocations=lists,
    )
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
