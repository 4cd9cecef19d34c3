"""The libraries' BLAKE3 and AES-256-GCM-SIV over many short inputs, one input a row of an array.

Building an index hashes and seals millions of short inputs in arrays; these functions loop over the
rows and leave the algorithms to the libraries. The cost is the number of interpreter calls for each
row: one hasher is reset to its key for each row, which costs half of a new one.
"""

from collections.abc import Iterable, Sequence

import numpy as np
from blake3 import blake3
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV
from numpy.typing import NDArray

from matcher.errors import LabelError
from matcher.label import NONCE

Bytes = NDArray[np.uint8]

BLOCK = 64


def keyed(key: bytes, messages: Sequence[bytes], size: int, at: int = 0) -> Bytes:
    """BLAKE3_keyed of n messages of any length: (n, size) bytes of the output stream from byte `at` on."""
    return _digests(blake3(key=key), messages, size, at)


def hash_each(messages: Sequence[bytes], size: int) -> Bytes:
    """BLAKE3 of n messages of any length, the first `size` bytes: (n, size)."""
    return _digests(blake3(), messages, size, 0)


def derive(context: str, materials: Bytes) -> Bytes:
    """BLAKE3_derive_key of n key materials of one length (n, m): (n, 32)."""
    return _digests(blake3(derive_key_context=context), rows_of(materials), 32, 0)


def derive_stream(context: str, messages: Sequence[bytes], size: int, at: int = 0) -> Bytes:
    """BLAKE3_derive_key of n messages: (n, size) bytes of the output stream from byte `at` on."""
    return _digests(blake3(derive_key_context=context), messages, size, at)


def expand(keys: Bytes, message: bytes, size: int) -> Bytes:
    """BLAKE3_keyed of one message under n keys (n, 32): the first `size` bytes of each, (n, size)."""
    found = b"".join([blake3(message, key=key).digest(size) for key in rows_of(keys)])
    return np.frombuffer(found, dtype=np.uint8).reshape(-1, size)


def seal(keys: Bytes, plain: Bytes, associated: Iterable[bytes]) -> Bytes:
    """AES-256-GCM-SIV of n plain texts of one length (n, m): ciphertext || tag, (n, m + 16).

    `keys` is (n, 32), one use for each; the nonce is zero; `associated` gives n byte strings.
    """
    rows = zip(rows_of(keys), rows_of(plain), associated, strict=True)
    found = b"".join([AESGCMSIV(key).encrypt(NONCE, text, bound) for key, text, bound in rows])
    return np.frombuffer(found, dtype=np.uint8).reshape(len(plain), plain.shape[1] + 16)


def unseal(keys: Bytes, sealed: Bytes, associated: Iterable[bytes]) -> Bytes:
    """The plain texts of sealed rows, (n, m). Raises LabelError when one of them was altered."""
    rows = zip(rows_of(keys), rows_of(sealed), associated, strict=True)
    try:
        found = b"".join([AESGCMSIV(key).decrypt(NONCE, text, bound) for key, text, bound in rows])
    except InvalidTag:
        raise LabelError("a label does not open") from None
    return np.frombuffer(found, dtype=np.uint8).reshape(len(sealed), max(sealed.shape[1] - 16, 0))


def rows_of(data: Bytes) -> list[bytes]:
    """The rows as bytes."""
    width = data.shape[1]
    if not width:  # numpy has no item of no size
        return [b""] * len(data)
    found: list[bytes] = np.ascontiguousarray(data).view(f"V{width}").ravel().tolist()
    return found


def _digests(hasher: blake3, messages: Iterable[bytes], size: int, at: int) -> Bytes:
    reset, update, digest, found = hasher.reset, hasher.update, hasher.digest, list[bytes]()
    for message in messages:
        reset()
        update(message)
        found.append(digest(size, seek=at))
    return np.frombuffer(b"".join(found), dtype=np.uint8).reshape(-1, size)
