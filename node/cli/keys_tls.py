"""`heqiao keys rotate tls`: a new TLS key and the request for its certificate, beside those in use."""

from pathlib import Path

import click

from keys import make_request
from keys.pki.certificates import hosts_of, tls_epoch
from keys.store.kinds import fingerprint
from node.cli.approvals import admin_option, guard
from node.cli.options import home_option, json_option, load_config, show, write_output
from node.config import REQUEST, open_key_store
from node.errors import PreconditionError
from node.files import disk_errors
from node.rotation.signing import read_signer
from node.rotation.tls import _make_key


@click.command("tls")
@home_option
@json_option
@admin_option
def rotate_tls(home: Path, as_json: bool, admin: Path | None) -> None:
    """Make the next TLS key and request its certificate.

    Writes a new request.json; the federation's CA answers it (`heqiao ca issue`), and `heqiao join` puts the
    new certificate in use. Until then nothing changes. The running node uses it from its next connection on.
    A second run before that keeps the pending key.
    """
    config = load_config(home)
    store = open_key_store(config)
    if not config.tls.certificate.exists():
        raise PreconditionError("this home has no certificate yet", "its request.json is still good")
    with disk_errors("correct [tls] certificate in node.toml"):
        certificate = config.tls.certificate.read_bytes()
    active = tls_epoch(store, certificate)
    guard(config, admin, "keys rotate", {"purpose": "tls", "epoch": max(store.epochs("tls")[-1], active + 1)})
    epoch = _make_key(config, store, active)
    node = config.node
    hosts = hosts_of(certificate) if node.role == "node" else ()
    signing = read_signer(config, store).epoch
    request = make_request(store, node.role, node.code, node.name, hosts, signing)
    path = config.folder / REQUEST
    write_output(path, request.to_json())
    named = fingerprint("tls", store.get(f"tls.{epoch}"))
    result = {
        "request": str(path),
        "request_fingerprint": request.fingerprint(),
        "epoch": epoch,
        "fingerprint": named,
        "active": active,
    }
    lines = (
        f"tls.{epoch} {named}: pending; tls.{active} stays in use\n"
        f"Request for its certificate: {path}\n"
        f"Its fingerprint, for the CA to compare: {request.fingerprint()}"
    )
    show(result, lines, as_json=as_json)
