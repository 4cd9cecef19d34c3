"""BLAKE3 and ChaCha20-Poly1305 over many short inputs at once, one input a lane of numpy arrays.

The libraries take one input a call, and the call costs more than the work: 0.45 µs for a digest and
2.3 µs for a seal of which the arithmetic is a small part. Building an index makes five such calls a
record, so it goes through these functions; everything else uses the libraries, which are also the
oracles of the tests. Sources: the BLAKE3 paper, section 2; RFC 8439, sections 2.3 to 2.8. Nothing here
branches or indexes on the content of a lane.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint32]
Bytes = NDArray[np.uint8]

WIDTH = 4096  # lanes worked on at once: their state stays in the second-level cache
BLOCK = 64
_IV = np.array(
    [
        0x6A09E667,
        0xBB67AE85,
        0x3C6EF372,
        0xA54FF53A,
        0x510E527F,
        0x9B05688C,
        0x1F83D9AB,
        0x5BE0CD19,
    ],
    dtype=np.uint32,
)
_WHOLE = 1 | 2 | 8  # CHUNK_START, CHUNK_END, ROOT: the input is a single block
_KEYED, _CONTEXT, _MATERIAL = 16, 32, 64
_PERMUTATION = (2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8)
_ROUNDS = 7
_SIGMA = np.frombuffer(b"expand 32-byte k", dtype="<u4").astype(np.uint32)
_LIMB = np.uint64(0x3FFFFFF)
_26 = np.uint64(26)


def keyed(keys: Bytes, messages: Bytes, lengths: NDArray[np.integer] | int, size: int, at: int = 0) -> Bytes:
    """BLAKE3_keyed of n messages: (n, size) bytes of the output stream from 64-byte block `at` on.

    `keys` is (n, 32) or (1, 32) for one key, `messages` (n, m) with m <= 64 and zeros after each
    message's length; `size` is at most 64.
    """
    return _hash(keys, messages, lengths, size, _KEYED, at)


def derive(context: str, materials: Bytes) -> Bytes:
    """BLAKE3_derive_key of n key materials of one length (n, m), m <= 64: (n, 32)."""
    text = np.frombuffer(context.encode(), dtype=np.uint8).reshape(1, -1)
    key = _hash(_IV.view(np.uint8).reshape(1, 32), text, text.shape[1], 32, _CONTEXT, 0)
    return _hash(key, materials, materials.shape[1], 32, _MATERIAL, 0)


def seal(keys: Bytes, nonces: Bytes, plain: Bytes, associated: Bytes) -> Bytes:
    """ChaCha20-Poly1305 of n plain texts of one length (n, m), m <= 64: ciphertext || tag, (n, m + 16).

    `keys` is (n, 32), `nonces` (n, 12), one use for each pair of them, `associated` (n, a).
    """
    parts = [
        _seal(*(column[at : at + WIDTH] for column in (keys, nonces, plain, associated)))
        for at in range(0, len(plain), WIDTH)
    ]
    return np.concatenate(parts) if parts else np.zeros((0, plain.shape[1] + 16), dtype=np.uint8)


# ---- BLAKE3


def _hash(
    keys: Bytes, messages: Bytes, lengths: NDArray[np.integer] | int, size: int, flags: int, at: int
) -> Bytes:
    count = len(messages)
    if messages.shape[1] > BLOCK or size > BLOCK:
        raise ValueError("at most one block of 64 bytes goes in and comes out")
    found = np.empty((count, size), dtype=np.uint8)
    for start in range(0, count, WIDTH):
        part = slice(start, start + WIDTH)
        block = _words(messages[part], 16)
        key = _words(keys if len(keys) == 1 else keys[part], 8)
        length = lengths if isinstance(lengths, int) else lengths[part]
        state = _compress(key, block, length, flags | _WHOLE, at)
        found[part] = np.ascontiguousarray(state.T).view(np.uint8)[:, :size]
    return found


def _words(data: Bytes, words: int) -> Words:
    """(n, m) bytes as (words, n) little-endian words, filled up with zeros."""
    filled = data
    if data.shape[1] != 4 * words:
        filled = np.zeros((len(data), 4 * words), dtype=np.uint8)
        filled[:, : data.shape[1]] = data
    return np.ascontiguousarray(np.ascontiguousarray(filled).view("<u4").T.astype(np.uint32, copy=False))


def _compress(key: Words, block: Words, length: NDArray[np.integer] | int, flags: int, at: int) -> Words:
    count = block.shape[1]
    state = np.empty((16, count), dtype=np.uint32)
    state[:8] = key
    state[8:12] = _IV[:4, None]
    state[12], state[13], state[14], state[15] = at & 0xFFFFFFFF, at >> 32, length, flags
    a, b, c, d = state[0:4], state[4:8], state[8:12], state[12:16]
    spare, message = np.empty((4, count), dtype=np.uint32), np.empty((4, count), dtype=np.uint32)
    order = list(range(16))
    for _ in range(_ROUNDS):
        _mix(a, b, c, d, block, order[0:8], spare, message)
        _roll(b, c, d, 1, spare)
        _mix(a, b, c, d, block, order[8:16], spare, message)
        _roll(b, c, d, 3, spare)
        order = [order[each] for each in _PERMUTATION]
    state[:8] ^= state[8:]
    state[8:] ^= key
    return state


def _mix(
    a: Words, b: Words, c: Words, d: Words, block: Words, order: Sequence[int], spare: Words, message: Words
) -> None:
    for words, turns in ((order[0::2], (16, 12)), (order[1::2], (8, 7))):
        np.take(block, words, axis=0, out=message, mode="clip")
        np.add(a, b, out=a)
        np.add(a, message, out=a)
        np.bitwise_xor(d, a, out=d)
        _turn_right(d, turns[0], spare)
        np.add(c, d, out=c)
        np.bitwise_xor(b, c, out=b)
        _turn_right(b, turns[1], spare)


def _turn_right(x: Words, by: int, spare: Words) -> None:
    np.left_shift(x, 32 - by, out=spare)
    np.right_shift(x, by, out=x)
    np.bitwise_or(x, spare, out=x)


def _roll(b: Words, c: Words, d: Words, by: int, spare: Words) -> None:
    """Turn columns into diagonals (by 1) and back (by 3)."""
    for rows, places in ((b, by), (c, 2), (d, 4 - by)):
        spare[: 4 - places] = rows[places:]
        spare[4 - places :] = rows[:places]
        rows[:] = spare


# ---- ChaCha20-Poly1305


def _seal(keys: Bytes, nonces: Bytes, plain: Bytes, associated: Bytes) -> Bytes:
    (count, size), more = plain.shape, associated.shape[1]
    key, nonce = _words(keys, 8), _words(nonces, 3)
    one_time = np.ascontiguousarray(_chacha(key, nonce, 0).T).view(np.uint8)[:, :32]
    stream = np.ascontiguousarray(_chacha(key, nonce, 1).T).view(np.uint8)
    sealed = np.empty((count, size + 16), dtype=np.uint8)
    np.bitwise_xor(plain, stream[:, :size], out=sealed[:, :size])
    known = more + -more % 16
    text = np.zeros((count, known + size + -size % 16 + 16), dtype=np.uint8)
    text[:, :more] = associated
    text[:, known : known + size] = sealed[:, :size]
    sizes = more.to_bytes(8, "little") + size.to_bytes(8, "little")
    text[:, -16:] = np.frombuffer(sizes, dtype=np.uint8)
    sealed[:, size:] = poly1305(one_time, text)
    return sealed


def _chacha(key: Words, nonce: Words, counter: int) -> Words:
    count = key.shape[1]
    start = np.empty((16, count), dtype=np.uint32)
    start[:4], start[4:12], start[12], start[13:] = _SIGMA[:, None], key, counter, nonce
    state = start.copy()
    a, b, c, d = state[0:4], state[4:8], state[8:12], state[12:16]
    spare = np.empty((4, count), dtype=np.uint32)
    for _ in range(10):
        for by in (1, 3):
            for first, second in ((16, 12), (8, 7)):
                np.add(a, b, out=a)
                np.bitwise_xor(d, a, out=d)
                _turn_right(d, 32 - first, spare)
                np.add(c, d, out=c)
                np.bitwise_xor(b, c, out=b)
                _turn_right(b, 32 - second, spare)
            _roll(b, c, d, by, spare)
    state += start
    return state


def poly1305(one_time: Bytes, text: Bytes) -> Bytes:
    """Poly1305 under n one-time keys (n, 32) of n texts of whole 16-byte blocks (RFC 8439 section 2.5)."""
    clamp = np.frombuffer(bytes.fromhex("ffffff0ffcffff0ffcffff0ffcffff0f"), dtype=np.uint8)
    r = _limbs(one_time[:, :16] & clamp, 0)
    times5 = [limb * np.uint64(5) for limb in r]
    h = [np.zeros(len(text), dtype=np.uint64) for _ in range(5)]
    for at in range(0, text.shape[1], 16):
        h = [low + high for low, high in zip(h, _limbs(text[:, at : at + 16], 1), strict=True)]
        h = _carry(
            [
                sum((h[j] * (r[i - j] if j <= i else times5[5 + i - j]) for j in range(1, 5)), h[0] * r[i])
                for i in range(5)
            ]
        )
    return _finish(_carry(h), np.ascontiguousarray(one_time[:, 16:32]).view("<u8").astype(np.uint64))


def _limbs(data: Bytes, top: int) -> list[NDArray[np.uint64]]:
    """(n, 16) bytes as five limbs of 26 bits, with bit 128 set to `top`."""
    words = np.ascontiguousarray(data).view("<u8").astype(np.uint64)
    low, high = words[:, 0], words[:, 1]
    return [
        low & _LIMB,
        (low >> _26) & _LIMB,
        ((low >> np.uint64(52)) | (high << np.uint64(12))) & _LIMB,
        (high >> np.uint64(14)) & _LIMB,
        (high >> np.uint64(40)) | np.uint64(top << 24),
    ]


def _carry(h: list[NDArray[np.uint64]]) -> list[NDArray[np.uint64]]:
    for at in range(4):
        h[at + 1] = h[at + 1] + (h[at] >> _26)
        h[at] = h[at] & _LIMB
    h[0] = h[0] + (h[4] >> _26) * np.uint64(5)
    h[4] = h[4] & _LIMB
    h[1] = h[1] + (h[0] >> _26)
    h[0] = h[0] & _LIMB
    return h


def _finish(h: list[NDArray[np.uint64]], s: NDArray[np.uint64]) -> Bytes:
    """H mod 2^130 - 5, plus s, modulo 2^128."""
    for at in range(1, 4):  # after this every limb but the last is whole
        h[at + 1] = h[at + 1] + (h[at] >> _26)
        h[at] = h[at] & _LIMB
    h = _carry(h)
    less = [h[0] + np.uint64(5)]
    for at in range(1, 5):
        less.append(h[at] + (less[-1] >> _26))
    over = (less[4] >> _26).astype(bool)  # h >= 2^130 - 5
    h = [np.where(over, low & _LIMB, limb) for low, limb in zip(less, h, strict=True)]
    low = h[0] | (h[1] << _26) | (h[2] << np.uint64(52))
    high = (h[2] >> np.uint64(12)) | (h[3] << np.uint64(14)) | (h[4] << np.uint64(40))
    total = np.empty((len(low), 2), dtype="<u8")
    total[:, 0] = low + s[:, 0]
    total[:, 1] = high + s[:, 1] + (total[:, 0] < low)
    return total.view(np.uint8)
