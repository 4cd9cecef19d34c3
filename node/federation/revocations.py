"""The federation's list of revoked certificates, taken into a home."""

from pathlib import Path

from keys.pki.revocation import RevocationList, load_list
from node.config import Config
from node.errors import InputError
from node.files import disk_errors


def check_newer(config: Config, content: bytes, file: Path) -> RevocationList:
    """The list in a file, signed by the CA that this home trusts, and not older than the one of this home.

    Raises:
        InputError: it is older than the list here, or lacks a certificate that was revoked before.
        CertificateError: it is no list of this CA.
    """
    with disk_errors("correct [tls] in node.toml; `heqiao join` writes the CA's certificate"):
        ca = config.tls.ca.read_bytes()
        before = config.tls.revocations.read_bytes() if config.tls.revocations.exists() else None
    found = load_list(content, ca)
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
