"""The libraries' BLAKE3 and ChaCha20-Poly1305 over many short inputs, one input a row of an array.

Building an index hashes and seals millions of short inputs that lie in arrays; these functions walk the
rows and leave the algorithms to the libraries.
"""

import numpy as np
from blake3 import blake3
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from numpy.typing import NDArray

from matcher.errors import LabelError

Bytes = NDArray[np.uint8]

BLOCK = 64


def keyed(keys: Bytes, messages: Bytes, lengths: NDArray[np.integer] | int, size: int, at: int = 0) -> Bytes:
    """BLAKE3_keyed of n messages: (n, size) bytes of the output stream from 64-byte block `at` on.

    `keys` is (n, 32) or (1, 32) for one key, `messages` (n, m) or (1, m) for one message, with m <= 64;
    `lengths` says how much of each message counts. Raises ValueError for longer messages.
    """
    if messages.shape[1] > BLOCK:
        raise ValueError("a message is longer than one block")
    count = min(len(keys), len(messages)) and max(len(keys), len(messages))
    skip = BLOCK * at
    found = b"".join(
        blake3(message[:length], key=key).digest(length=size, seek=skip)
        for key, message, length in zip(
            _rows(keys, count), _rows(messages, count), np.broadcast_to(lengths, count).tolist(), strict=True
        )
    )
    return np.frombuffer(found, dtype=np.uint8).reshape(count, size)


def derive(context: str, materials: Bytes) -> Bytes:
    """BLAKE3_derive_key of n key materials of one length (n, m): (n, 32)."""
    count = len(materials)
    found = b"".join(blake3(row, derive_key_context=context).digest() for row in _rows(materials, count))
    return np.frombuffer(found, dtype=np.uint8).reshape(count, 32)


def seal(keys: Bytes, nonces: Bytes, plain: Bytes, associated: Bytes) -> Bytes:
    """ChaCha20-Poly1305 of n plain texts of one length (n, m): ciphertext || tag, (n, m + 16).

    `keys` is (n, 32), `nonces` (n, 12), one use for each pair of them, `associated` (n, a).
    """
    count = len(plain)
    found = b"".join(
        ChaCha20Poly1305(key).encrypt(nonce, text, bound)
        for key, nonce, text, bound in zip(
            _rows(keys, count),
            _rows(nonces, count),
            _rows(plain, count),
            _rows(associated, count),
            strict=True,
        )
    )
    return np.frombuffer(found, dtype=np.uint8).reshape(count, plain.shape[1] + 16)


def unseal(keys: Bytes, nonces: Bytes, sealed: Bytes, associated: Bytes) -> Bytes:
    """The plain texts of what `seal` made, (n, m). Raises LabelError when one of them was altered."""
    count = len(sealed)
    rows = zip(*(_rows(each, count) for each in (keys, nonces, sealed, associated)), strict=True)
    try:
        found = b"".join(
            ChaCha20Poly1305(key).decrypt(nonce, text, bound) for key, nonce, text, bound in rows
        )
    except InvalidTag:
        raise LabelError("a label does not open") from None
    return np.frombuffer(found, dtype=np.uint8).reshape(count, max(sealed.shape[1] - 16, 0))


def _rows(data: Bytes, count: int) -> list[bytes]:
    """The rows as bytes; a single row stands for all `count` of them."""
    whole, width = data.tobytes(), data.shape[1]
    rows = [whole[at : at + width] for at in range(0, len(whole), width)] if width else [b""] * len(data)
    return rows * count if len(rows) == 1 else rows
