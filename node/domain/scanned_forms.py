"""Scanned forms of mandates: their type by the first bytes, and the digest that a mandate names. Pure."""

import hashlib
from typing import Final

from blake3 import blake3

# How a form begins: PDF (ISO 32000), PNG (RFC 2083), JPEG (ITU T.81).
_FORMATS: Final = ((b"%PDF-", "pdf"), (b"\x89PNG\r\n\x1a\n", "png"), (b"\xff\xd8\xff", "jpeg"))
# Prefixes of digests; without one it is SHA-256.
_HASHES: Final = {
    "": "sha256",
    "sha256": "sha256",
    "sha-256": "sha256",
    "sha512": "sha512",
    "sha-512": "sha512",
}


def form_type(content: bytes) -> str | None:
    """The type of a scanned form by its first bytes: pdf, png or jpeg; None for any other."""
    return next((name for start, name in _FORMATS if content.startswith(start)), None)


def fits(doc_hash: str, content: bytes) -> bool:
    """Whether a form has the digest that its mandate names: SHA-256, or with a prefix another one."""
    name, _, digest = doc_hash.rpartition(":")
    if name == "blake3":
        return blake3(content).hexdigest() == digest
    return name in _HASHES and hashlib.new(_HASHES[name], content).hexdigest() == digest
