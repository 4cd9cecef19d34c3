"""The seal of labels, AES-256-GCM-SIV (RFC 8452) over AES (FIPS 197), in plain Python.

Part of the second implementation (reference.py): written from the standards, sharing no code with `matcher`,
slow and not constant time.
"""


def seal_label(label_key, plain, associated):
    """A sealed label: the nonce is zero."""
    return seal_siv(label_key, bytes(12), plain, associated)


def seal_siv(key, nonce, plain, associated):
    """Ciphertext and 16-byte tag (RFC 8452 section 4)."""
    halves = [_aes(key, n.to_bytes(4, "little") + nonce)[:8] for n in range(6)]
    authentication, encryption = b"".join(halves[:2]), b"".join(halves[2:])
    sizes = b"".join((8 * len(data)).to_bytes(8, "little") for data in (associated, plain))
    digest = _polyval(authentication, _whole(associated) + _whole(plain) + sizes)
    masked = bytes(a ^ b for a, b in zip(digest, nonce + bytes(4), strict=True))
    tag = _aes(encryption, masked[:15] + bytes([masked[15] & 0x7F]))
    first, rest = int.from_bytes(tag[:4], "little"), tag[4:15] + bytes([tag[15] | 0x80])
    counters = ((first + n) % 2**32 for n in range(len(_whole(plain)) // 16))
    stream = b"".join(_aes(encryption, n.to_bytes(4, "little") + rest) for n in counters)
    return bytes(a ^ b for a, b in zip(plain, stream, strict=False)) + tag


def _whole(data):
    return data + bytes(-len(data) % 16)


def _polyval(key, data):
    """RFC 8452 section 3: dot(a, b) = a * b * x^-128 in GF(2^128)."""
    found, shift = 0, 1 << 127 | 1 << 124 | 1 << 121 | 1 << 114 | 1
    point = _times(int.from_bytes(key, "little"), shift, _POLYVAL)
    for at in range(0, len(data), 16):
        found = _times(found ^ int.from_bytes(data[at : at + 16], "little"), point, _POLYVAL)
    return found.to_bytes(16, "little")


_POLYVAL = 1 << 128 | 1 << 127 | 1 << 126 | 1 << 121 | 1
_RIJNDAEL = 0x11B


def _times(one, other, polynomial):
    """The product of two polynomials over GF(2), reduced."""
    found, top = 0, polynomial.bit_length() - 1
    while other:
        if other & 1:
            found ^= one
        one, other = one << 1, other >> 1
        if one >> top:
            one ^= polynomial
    return found


def _substitute(byte):
    """The S-box of FIPS 197 by its definition: the inverse, then an affine map."""
    inverse = 1
    for _ in range(254):
        inverse = _times(inverse, byte, _RIJNDAEL)
    doubled = inverse << 8 | inverse
    return (
        0x63
        ^ inverse
        ^ (doubled >> 4 & 255)
        ^ (doubled >> 5 & 255)
        ^ (doubled >> 6 & 255)
        ^ (doubled >> 7 & 255)
    )


_SBOX = [_substitute(byte) for byte in range(256)]


def _round_keys(key):
    """The fifteen round keys of AES-256, 16 bytes each."""
    words, constant = [list(key[at : at + 4]) for at in range(0, 32, 4)], 1
    while len(words) < 60:
        word = words[-1]
        if len(words) % 8 == 0:
            word = [_SBOX[byte] for byte in word[1:] + word[:1]]
            word[0] ^= constant
            constant = _times(constant, 2, _RIJNDAEL)
        elif len(words) % 8 == 4:
            word = [_SBOX[byte] for byte in word]
        words.append([a ^ b for a, b in zip(words[-8], word, strict=True)])
    return [[byte for word in words[at : at + 4] for byte in word] for at in range(0, 60, 4)]


def _aes(key, block):
    """One block of AES-256 (FIPS 197 section 5.1); bytes in columns."""
    first, *others = _round_keys(key)
    state = [a ^ b for a, b in zip(block, first, strict=True)]
    for number, round_key in enumerate(others, 1):
        state = [_SBOX[state[(at + 4 * (at % 4)) % 16]] for at in range(16)]
        if number < len(others):
            state = [byte for at in range(0, 16, 4) for byte in _mix(state[at : at + 4])]
        state = [a ^ b for a, b in zip(state, round_key, strict=True)]
    return bytes(state)


def _mix(column):
    rows = ((2, 3, 1, 1), (1, 2, 3, 1), (1, 1, 2, 3), (3, 1, 1, 2))
    found = []
    for row in rows:
        total = 0
        for factor, byte in zip(row, column, strict=True):
            total ^= _times(byte, factor, _RIJNDAEL)
        found.append(total)
    return found
