"""Labels: one fixed-size sealed record per entry (design.md section 3.2).

Plain record, 10 + w bytes: flags (1), name check (1), date (u16), value (w), record number (6), all big
endian. w is fixed by the item: 0 where the entry itself is the answer (its value is 1), else 1, 2, 4 or 8.
The date is in days since 1970-01-01; 0 is the date of the partition. The two lower bits of the flags are
HAS_NAME and PLANTED, the upper six those of the name check after conversion to simplified characters.

Sealed with AES-256-GCM-SIV (RFC 8452) under the entry's label key with a nonce of zeros, so that the same
record in the same place is the same bytes: ciphertext (10 + w), authentication tag (16).
"""

import struct
from typing import Final

from blake3 import blake3
from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV

from matcher.errors import CipherMissingError, LabelError
from matcher.names import normalise_name, simplify
from matcher.types import LabelRecord

NAME_CONTEXT = b"heqiao v1 name"
RECORD_CONTEXT = b"heqiao v1 record"
NONCE: Final = bytes(12)  # a label key seals one record only, and the seal resists a second one
OVERHEAD = 16  # the authentication tag
RECORD_NUMBER_SIZE = 6
WIDTHS: Final = (0, 1, 2, 4, 8)  # bytes of a value
HAS_NAME, PLANTED = 1, 2  # flags
CONVERTED = 0xFC  # the bits of the flags that check the name after conversion
MAX_DATE = 2**16 - 1
_HEAD = struct.Struct(">BBH")


def record_size(width: int) -> int:
    """Bytes of a plain record whose value has `width` bytes."""
    return _HEAD.size + width + RECORD_NUMBER_SIZE


def width_of(size: int) -> int:
    """The width of the value in plain records of `size` bytes. Raises LabelError where no record has it."""
    width = size - record_size(0)
    if width not in WIDTHS:
        raise LabelError("no record has this size")
    return width


def sealed_size(width: int) -> int:
    """Bytes of a sealed label."""
    return record_size(width) + OVERHEAD


def associated_data(item: str, origin: str, epoch: int, tag: bytes) -> bytes:
    """The associated data of a label: item, partition (origin), epoch, and the tag of its entry."""
    place = b"heqiao v1 label\x00" + item.encode() + b"\x00" + origin.encode() + b"\x00"
    return place + epoch.to_bytes(4, "big") + tag


def require_cipher() -> None:
    """Raises CipherMissingError where the OpenSSL of this Python has no AES-GCM-SIV: it is older than 3.2."""
    try:
        AESGCMSIV(bytes(32))
    except UnsupportedAlgorithm:
        raise CipherMissingError("this OpenSSL has no AES-256-GCM-SIV (RFC 8452)") from None


def seal(label_key: bytes, record: LabelRecord, width: int, associated: bytes) -> bytes:
    """Ciphertext and tag (`sealed_size`). Raises LabelError where the record does not fit the layout."""
    return AESGCMSIV(label_key).encrypt(NONCE, _pack(record, width), associated)


def open_label(label_key: bytes, sealed: bytes, width: int, associated: bytes) -> LabelRecord:
    """Open a sealed label. Raises LabelError for any alteration and for a malformed record.

    Only the encoding that `seal` writes is accepted.
    """
    if len(sealed) != sealed_size(width):
        raise LabelError("a label has the wrong size")
    try:
        plain = AESGCMSIV(label_key).decrypt(NONCE, sealed, associated)
    except (InvalidTag, ValueError):
        raise LabelError("a label does not open") from None
    flags, check, as_of = _HEAD.unpack_from(plain)
    end = _HEAD.size + width
    record = LabelRecord(
        value=int.from_bytes(plain[_HEAD.size : end], "big") if width else 1,
        as_of=as_of,
        name_check=check,
        has_name=bool(flags & HAS_NAME),
        record=plain[end:],
        planted=bool(flags & PLANTED),
        converted=flags & CONVERTED,
    )
    if _pack(record, width) != plain:
        raise LabelError("a label is not in canonical form")
    return record


def record_context(item: str) -> bytes:
    """The context of the record numbers of an item; what follows is the identity."""
    return RECORD_CONTEXT + item.encode() + b"\x00"


def name_check(record: bytes, name: str) -> int:
    """One byte of a name under a record number: detects a wrong name 255 times in 256, reveals none.

    It is sealed together with the record number, so it stays valid after the epoch ends (docs/adr/0007).
    """
    # A badly decoded name may contain lone surrogates; it counts as a different name and raises nothing.
    text = normalise_name(name).encode("utf-8", "surrogatepass")
    return blake3(NAME_CONTEXT + record + text).digest(length=1)[0]


def converted_check(record: bytes, name: str) -> int:
    """The upper six bits of the check of a name after conversion to simplified characters."""
    return name_check(record, simplify(normalise_name(name))) & CONVERTED


def _pack(record: LabelRecord, width: int) -> bytes:
    flags = (HAS_NAME if record.has_name else 0) | (PLANTED if record.planted else 0)
    check = record.name_check if record.has_name else 0
    if record.has_name:
        flags |= record.converted & CONVERTED
    if len(record.record) != RECORD_NUMBER_SIZE:
        raise LabelError(f"a record number must be {RECORD_NUMBER_SIZE} bytes")
    if not width and record.value != 1:
        raise LabelError("a label without a value says 1")
    try:
        value = record.value.to_bytes(width, "big") if width else b""
        return _HEAD.pack(flags, check, record.as_of) + value + record.record
    except (struct.error, OverflowError):
        raise LabelError("a value or a date does not fit a label") from None
