"""The federation's list of revoked certificates, taken into a home."""

from datetime import timedelta
from pathlib import Path
from typing import Final

from keys.pki.revocation import RevocationList, load_list
from node.clock import utc_now
from node.config import Config
from node.errors import InputError
from node.files import disk_errors

LATEST: Final = timedelta(days=1)  # by which clocks may differ: a list counts by its date


def is_newer(config: Config, content: bytes) -> bool:
    """Whether a home has no list, or one of a lower number. Raises CertificateError for what is no list."""
    with disk_errors("correct [tls] in node.toml; `heqiao join` writes the CA's certificate"):
        ca = config.tls.ca.read_bytes()
        before = config.tls.revocations.read_bytes() if config.tls.revocations.exists() else None
    return before is None or load_list(before, ca).number < load_list(content, ca).number


def check_newer(config: Config, content: bytes, file: Path) -> RevocationList:
    """The list in a file, signed by the CA that this home trusts, and not older than the one of this home.

    Raises:
        InputError: it is older than the list here, lacks a certificate that was revoked before, or is of
            tomorrow.
        CertificateError: it is no list of this CA.
    """
    with disk_errors("correct [tls] in node.toml; `heqiao join` writes the CA's certificate"):
        ca = config.tls.ca.read_bytes()
        before = config.tls.revocations.read_bytes() if config.tls.revocations.exists() else None
    found = load_list(content, ca)
    if found.made_at > utc_now() + LATEST:
        raise InputError(
            f"{file}: list {found.number} was made in the future, {found.made_at:%Y-%m-%d %H:%M} UTC",
            "compare the clocks of this machine and of the CA's",
        )
    known = None if before is None else load_list(before, ca)
    if known is not None and known.number <= found.number and not known.serials <= found.serials:
        raise InputError(
            f"{file}: list {found.number} lacks certificates that were revoked before",
            "a list of the CA never does that; ask its administrator over another channel",
        )
    if known is not None and known.number > found.number:
        raise InputError(
            f"{file}: list {found.number} is older than list {known.number} of this home",
            "ask the CA's administrator for the newest",
        )
    return found
