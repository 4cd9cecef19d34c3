"""`heqiao keys rotate tls`: a new TLS key and the request for its certificate, beside those in use."""

from pathlib import Path

import click

from keys import load_request
from node.cli.approvals import guard
from node.cli.options import admin_option, home_option, json_option, load_config, show
from node.config import open_key_store
from node.rotation import driver
from node.rotation.kinds import TLS
from node.rotation.run import open_key_home
from node.rotation.tls import read_certificate, request_path


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
    keys = open_key_store(config)
    read_certificate(config)  # before a database is made where there is none
    with open_key_home(config) as opened:
        policy = TLS.policy(config)
        run = driver.prepare(TLS, opened, keys, policy)
        epoch = run.epoch("tls")
        guard(config, admin, "keys rotate", {"purpose": "tls", "epoch": epoch})
        key = driver.rotate(TLS, opened, keys, policy, epoch=epoch).keys[0]
    path, used = request_path(config), run.old("tls").epoch
    named = load_request(path).fingerprint()
    result = {
        "request": str(path),
        "request_fingerprint": named,
        "epoch": key.epoch,
        "fingerprint": key.fingerprint,
        "active": used,
    }
    lines = (
        f"tls.{key.epoch} {key.fingerprint}: pending; tls.{used} stays in use\n"
        f"Request for its certificate: {path}\n"
        f"Its fingerprint, for the CA to compare: {named}"
    )
    show(result, lines, as_json=as_json)
