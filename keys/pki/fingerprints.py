"""Fingerprints that people compare by telephone: how they are written, and how they are read."""

import hashlib
import re
from typing import Final

DIGITS: Final = 32  # hex digits: 128 bits, so that nobody finds a second file with the same ones
_SEPARATORS: Final = re.compile(r"[\s:\-]+")


def fingerprint_of(content: bytes) -> str:
    """The fingerprint of a file's content: of its SHA-256."""
    return write_fingerprint(hashlib.sha256(content).digest())


def write_fingerprint(digest: bytes) -> str:
    """The first 16 bytes of a digest in groups of four hex digits, as in 1f0c-93aa-..."""
    digits = digest[: DIGITS // 2].hex()
    return "-".join(digits[at : at + 4] for at in range(0, DIGITS, 4))


def read_fingerprint(text: str) -> str:
    """A fingerprint as a person typed it, in the form of `write_fingerprint`.

    Upper and lower case, and spaces, colons or hyphens anywhere, make no difference.

    Raises:
        ValueError: it has another number of digits, or other characters.
    """
    digits = read_digits(text)
    if not re.fullmatch(rf"[0-9a-f]{{{DIGITS}}}", digits):
        raise ValueError(f"a fingerprint has {DIGITS} hex digits, in groups such as 1f0c-93aa")
    return write_fingerprint(bytes.fromhex(digits))


def read_digits(text: str) -> str:
    """The digits of a fingerprint, or of its beginning, in lower case without separators."""
    return _SEPARATORS.sub("", text).lower()
