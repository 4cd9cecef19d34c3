"""Folders of a home's secrets, and the passphrase of a new home."""

import secrets
from pathlib import Path
from typing import Final

from keys.store.atomic_files import read_passphrase, write_new
from node.config import PASSPHRASE

KEEP_APART: Final = (
    "A random passphrase was written to {path}.\n"
    "Anyone who has this folder and that file has the keys:\n"
    "in production move the file to another medium (a mounted secret, a systemd\n"
    "credential), keep a copy in a safe, and {how}."
)


def prepare_passphrase(folder: Path, given: Path | None) -> bytes:
    """The passphrase of a file given, else a random one in a new file of the folder."""
    if given is not None:
        return read_passphrase(given)
    write_new(folder / PASSPHRASE, secrets.token_urlsafe(32).encode() + b"\n")
    return read_passphrase(folder / PASSPHRASE)
