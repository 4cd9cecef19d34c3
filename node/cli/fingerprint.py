"""`heqiao fingerprint`: what the sender of a file reads out by telephone."""

import contextlib
from collections.abc import Callable, Mapping
from pathlib import Path

import click

from keys.errors import EnrolmentError
from keys.pki.administrators import load_card as load_admin
from keys.pki.enrolment import ca_fingerprint, load_card, load_request
from keys.store.atomic_files import MAX_BYTES
from keys.store.backup import Recipient
from node.cli.options import json_option, show
from node.errors import InputError
from node.files import disk_errors

_READ: Mapping[str, Callable[[Path], str]] = {
    "request": lambda path: load_request(path).fingerprint(),
    "card": lambda path: load_card(path).fingerprint(),
    "administrator": lambda path: load_admin(path).fingerprint(),
    "recipient": lambda path: Recipient.load(path).fingerprint(),
}


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@json_option
def fingerprint(file: Path, *, as_json: bool) -> None:
    """Print the fingerprint of a file, for its sender to read out.

    FILE is the request.json of a home, a card, the ca.pem of a CA, or the recipient.json or admin.json of a
    person. Who receives one of these gets the fingerprint from its sender over another channel, not by this
    command: that would only show that the file is equal to itself.
    """
    kind, found = _read(file)
    show({"file": str(file), "kind": kind, "fingerprint": found}, found, as_json=as_json)


def _read(file: Path) -> tuple[str, str]:
    """What a file is, and its fingerprint. Raises InputError, CertificateError."""
    with disk_errors("give the path of the file"), file.open("rb") as opened:
        content = opened.read(MAX_BYTES)
    if content.startswith(b"-----BEGIN CERTIFICATE"):
        return "CA", ca_fingerprint(content)
    for kind, read in _READ.items():
        with contextlib.suppress(EnrolmentError):
            return kind, read(file)
    raise InputError(
        f"{file}: no file whose fingerprint is compared",
        "give a request.json, a card, a ca.pem, a recipient.json or an admin.json, unaltered",
    )
