"""Labels: one fixed-size sealed record per entry (design.md section 3).

Plain record, 24 bytes: level (1), flags (1), name check (1), zero (1), as-of date in days since
1970-01-01 (u32), value (u64), record number (8), all big endian. Sealed with ChaCha20-Poly1305
(RFC 8439) under the entry's label key: nonce (12), ciphertext (24), authentication tag (16).
"""

import struct

from blake3 import blake3
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from matcher.errors import LabelError
from matcher.names import normalise_name
from matcher.types import LabelRecord, Level

NAME_CONTEXT = b"heqiao v1 name"
NONCE_SIZE = 12
RECORD_SIZE = 24
OVERHEAD = 16  # the authentication tag
SEALED_SIZE = NONCE_SIZE + RECORD_SIZE + OVERHEAD
RECORD_NUMBER_SIZE = 8
_LAYOUT = struct.Struct(">BBBxIQ8s")
HAS_NAME, PLANTED = 1, 2  # flags


def associated_data(item: str, origin: str, epoch: int) -> bytes:
    """The associated data of a label, its place: item, partition (origin) and epoch."""
    return (
        b"heqiao v1 label\x00"
        + item.encode()
        + b"\x00"
        + origin.encode()
        + b"\x00"
        + epoch.to_bytes(4, "big")
    )


def seal(label_key: bytes, record: LabelRecord, associated: bytes, nonce: bytes) -> bytes:
    """Nonce, ciphertext and tag (SEALED_SIZE bytes). `nonce` is 12 fresh random bytes every time.

    Raises LabelError where the record does not fit the layout.
    """
    return nonce + ChaCha20Poly1305(label_key).encrypt(nonce, _pack(record), associated)


def open_label(label_key: bytes, sealed: bytes, associated: bytes) -> LabelRecord:
    """Open a sealed label. Raises LabelError for any alteration and for a malformed record.

    Only the encoding that `seal` writes is accepted: no unknown flag, no use of spare bytes.
    """
    if len(sealed) != SEALED_SIZE:
        raise LabelError("a label has the wrong size")
    try:
        plain = ChaCha20Poly1305(label_key).decrypt(sealed[:NONCE_SIZE], sealed[NONCE_SIZE:], associated)
        level, flags, check, as_of, value, number = _LAYOUT.unpack(plain)
        record = LabelRecord(
            Level(level), value, as_of, check, bool(flags & HAS_NAME), number, bool(flags & PLANTED)
        )
    except (InvalidTag, struct.error, ValueError):
        raise LabelError("a label does not open") from None
    if _pack(record) != plain:
        raise LabelError("a label is not in canonical form")
    return record


def name_check(record: bytes, name: str) -> int:
    """One byte of a name under a record number: detects a wrong name 255 times in 256, reveals none.

    It is sealed together with the record number, so it stays valid after the epoch ends (docs/adr/0007).
    """
    # A badly decoded name may contain lone surrogates; it counts as a different name and raises nothing.
    text = normalise_name(name).encode("utf-8", "surrogatepass")
    return blake3(NAME_CONTEXT + record + text).digest(length=1)[0]


def _pack(record: LabelRecord) -> bytes:
    flags = (HAS_NAME if record.has_name else 0) | (PLANTED if record.planted else 0)
    check = record.name_check if record.has_name else 0
    if len(record.record) != RECORD_NUMBER_SIZE:  # struct would cut or fill it in silence
        raise LabelError("a record number must be 8 bytes")
    try:
        return _LAYOUT.pack(record.level, flags, check, record.as_of, record.value, record.record)
    except struct.error:
        raise LabelError("a value or an as-of date does not fit a label") from None
