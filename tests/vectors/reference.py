"""A second implementation of the suite X25519-BLAKE3-TAI, in plain Python integers.

From an identity number to a plain record, which reference_siv.py seals; written from the standards and from
docs/protocol.md: RFC 7748, RFC 6962, the BLAKE3 specification, ISO 7064. It shares no code with the package
`matcher` and imports nothing but the standard library. It is slow and not constant time: for vectors only.
"""

import unicodedata

# --- RFC 7748: the field, the ladder, curve and twist -------------------------------------------------

P = 2**255 - 19
A = 486662
L = 2**252 + 27742317777372353535851937790883648493
LOW_ORDER = (  # every u whose point, on the curve or on its twist, has an order that divides 8
    0,
    1,
    325606250916557431795983626356110631294008115727848805560023387167927233504,
    39382357235489614581723060781553021112529911719440698176882885853963445705823,
    P - 1,
)


def clamp(raw):
    number = int.from_bytes(raw, "little")
    number -= number % 8
    return (number % 2**254 + 2**254).to_bytes(32, "little")


def x25519(scalar, point):
    """RFC 7748 section 5, on integers; the swap is an ordinary branch."""
    k = int.from_bytes(clamp(scalar), "little")
    u = int.from_bytes(point, "little") % 2**255 % P
    x2, z2, x3, z3 = 1, 0, u, 1
    for position in range(254, -1, -1):
        bit = k >> position & 1
        if bit:
            x2, z2, x3, z3 = x3, z3, x2, z2
        a, b, c, d = x2 + z2, x2 - z2, x3 + z3, x3 - z3
        da, cb, aa, bb = d * a, c * b, a * a % P, b * b % P
        x3, z3 = (da + cb) ** 2 % P, u * (da - cb) ** 2 % P
        e = aa - bb
        x2, z2 = aa * bb % P, e * (aa + (A - 2) // 4 * e) % P
        if bit:
            x2, z2, x3, z3 = x3, z3, x2, z2
    return (x2 * pow(z2, P - 2, P) % P).to_bytes(32, "little")


def is_on_curve(u):
    """Euler's criterion on v^2 = u^3 + A u^2 + u; zero is not a square here."""
    return pow(u**3 + A * u**2 + u, (P - 1) // 2, P) == 1


def inverse(scalar):
    """The clamped scalar that is +1/scalar or -1/scalar modulo l, or None."""
    return _clamped(pow(int.from_bytes(scalar, "little"), L - 2, L))


def ratio(new, old):
    """The clamped scalar that is +new/old or -new/old modulo l, or None."""
    return _clamped(int.from_bytes(new, "little") * pow(int.from_bytes(old, "little"), L - 2, L))


def _clamped(wanted):
    for sign in (wanted % L, -wanted % L):
        for lift in range(8):  # all numbers below 8 l that are `sign` modulo l
            number = sign + lift * L
            if number % 8 == 0 and 2**254 <= number < 2**255:
                return number.to_bytes(32, "little")
    return None


# --- BLAKE3: hash, keyed hash and key derivation, with extended output ---------------------------------

_IV = (0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A, 0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19)
_PERMUTATION = (2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8)
_START, _END, _PARENT, _ROOT, _KEYED, _CONTEXT, _MATERIAL = 1, 2, 4, 8, 16, 32, 64
_MASK = 0xFFFFFFFF
_QUARTERS = (
    (0, 4, 8, 12),
    (1, 5, 9, 13),
    (2, 6, 10, 14),
    (3, 7, 11, 15),
    (0, 5, 10, 15),
    (1, 6, 11, 12),
    (2, 7, 8, 13),
    (3, 4, 9, 14),
)


def blake3(data, length=32, key=None, context=None):
    """BLAKE3 of `data`: plain, keyed with 32 bytes, or deriving from `data` under a context string."""
    if context is not None:
        words = _words(_hash(context.encode(), _IV, _CONTEXT, 32))
        return _hash(data, words, _MATERIAL, length)
    if key is not None:
        return _hash(data, _words(key), _KEYED, length)
    return _hash(data, _IV, 0, length)


def _hash(data, key, flags, length):
    chaining, block, _, size, last = _tree(data, 0, key, flags)
    output = b""
    while len(output) < length:
        state = _compress(chaining, block, len(output) // 64, size, last | _ROOT)
        output += b"".join(word.to_bytes(4, "little") for word in state)
    return output[:length]


def _tree(data, first_chunk, key, flags):
    """The last compression's inputs of a subtree: the left child is the largest complete power of two."""
    if len(data) <= 1024:
        return _chunk(data, first_chunk, key, flags)
    left = 1024
    while left * 2 < len(data):
        left *= 2
    children = _chain(_tree(data[:left], first_chunk, key, flags))
    children += _chain(_tree(data[left:], first_chunk + left // 1024, key, flags))
    return key, children, 0, 64, flags | _PARENT


def _chunk(data, number, key, flags):
    chaining = key
    blocks = [data[at : at + 64] for at in range(0, len(data), 64)] or [b""]
    for index, block in enumerate(blocks):
        mark = flags | (_START if index == 0 else 0) | (_END if index == len(blocks) - 1 else 0)
        inputs = chaining, _words(block.ljust(64, b"\0")), number, len(block), mark
        if index < len(blocks) - 1:
            chaining = _chain(inputs)
    return inputs


def _chain(inputs):
    return tuple(_compress(*inputs)[:8])


def _compress(chaining, block, counter, size, flags):
    state = [*chaining, *_IV[:4], counter & _MASK, counter >> 32, size, flags]
    for _ in range(7):
        for index, (a, b, c, d) in enumerate(_QUARTERS):
            state[a] = state[a] + state[b] + block[2 * index] & _MASK
            state[d] = _rotate_right(state[d] ^ state[a], 16)
            state[c] = state[c] + state[d] & _MASK
            state[b] = _rotate_right(state[b] ^ state[c], 12)
            state[a] = state[a] + state[b] + block[2 * index + 1] & _MASK
            state[d] = _rotate_right(state[d] ^ state[a], 8)
            state[c] = state[c] + state[d] & _MASK
            state[b] = _rotate_right(state[b] ^ state[c], 7)
        block = [block[source] for source in _PERMUTATION]
    head = [state[i] ^ state[i + 8] for i in range(8)]
    return head + [state[i + 8] ^ chaining[i] for i in range(8)]


def _rotate_right(word, by):
    return (word >> by | word << (32 - by)) & _MASK


def _words(data):
    return tuple(int.from_bytes(data[at : at + 4], "little") for at in range(0, len(data), 4))


# --- Identity to label (docs/protocol.md, "The matcher") ----------------------------------------------


def canonical(raw):
    """Type and canonical value of a number that is known to be valid."""
    text = "".join(chr(ord(c) - 0xFEE0) if 0xFF01 <= ord(c) <= 0xFF5E else c for c in raw).strip().upper()
    if len(text) == 15 and text[:3].isalpha():
        return "foreign-permit-old", text
    if len(text) == 15:
        body = text[:6] + "19" + text[6:]
        text = body + check_character(body)
    if text[:6] in ("810000", "820000", "830000"):
        return "hmt-permit", text
    return ("foreign-permit" if text[0] == "9" else "resident"), text


def check_character(body):
    """ISO 7064 MOD 11-2 by its recursive method: no table of weights."""
    product = 0
    for digit in body:
        product = (product + int(digit)) * 2 % 11
    return "0123456789X"[(12 - product) % 11]


def map_to_curve(salt, id_type, value):
    message = b"heqiao v1 identity" + id_type.encode() + b"\0" + value.encode()
    return first_point(lambda length: blake3(message, length, key=salt))


def first_point(stream):
    count = 1
    while True:
        candidate = int.from_bytes(stream(32 * count)[-32:], "little") % 2**255
        if candidate < P and is_on_curve(candidate):
            return candidate.to_bytes(32, "little")
        count += 1


def canaries(count=16):
    return [
        first_point(lambda length, i=i: blake3(i.to_bytes(4, "big"), length, context="heqiao v1 canary"))
        for i in range(count)
    ]


def bucket_prefix(salt, id_type, value):
    return blake3(b"heqiao v1 bucket" + id_type.encode() + b"\0" + value.encode(), 4, key=salt)


def salt_check(salt):
    return blake3(salt, 8, context="heqiao v1 salt check")


def class_key(epoch_key, token_class):
    return clamp(blake3(b"heqiao v1 class key" + token_class.encode(), key=epoch_key))


def point_blind(seed, place):
    return _blind("heqiao v1 point blind", seed, place)


def cohort_blind(seed):
    return _blind("heqiao v1 cohort blind", seed, 0)


def _blind(context, seed, place):
    tries = 0
    while True:
        message = seed + place.to_bytes(8, "big") + tries.to_bytes(4, "big")
        scalar = clamp(blake3(message, context=context))
        if inverse(scalar) is not None:
            return scalar
        tries += 1


def token_secret(token):
    return blake3(token, context="heqiao v1 token")


def entry_keys(secret, item, epoch):
    stream = blake3(item.encode() + b"\0" + epoch.to_bytes(4, "big"), 42, key=secret)
    return stream[:10], stream[10:]


def associated_data(item, origin, epoch, tag):
    parts = b"heqiao v1 label", item.encode(), origin.encode(), epoch.to_bytes(4, "big") + tag
    return b"\0".join(parts)


def record_number(key, item, id_type, value):
    return blake3(
        b"heqiao v1 record" + item.encode() + b"\0" + id_type.encode() + b"\0" + value.encode(), 6, key=key
    )


def pad_key(key):
    return blake3(key, context="heqiao v1 pad key")


def pad(key, item, origin, epoch, number, size):
    """Place (4 bytes), tag and seal of one pad, whose entry has `size` bytes."""
    parts = item.encode(), origin.encode(), epoch.to_bytes(4, "big") + number.to_bytes(4, "big")
    drawn = blake3(b"\0".join(parts), 4 + size, key=key)
    return drawn[:4], drawn[4:]


DOTS = "·•・.‧∙⋅●"
# Of the characters that GBK kept in the private use area, those that Python's gb18030 still leaves there.
STILL_PRIVATE = dict(
    zip(
        "\ue816\ue817\ue818\ue81e\ue826\ue82b\ue82c\ue831\ue832\ue83b\ue843\ue854\ue855\ue864",
        "𠂇𠂉𠃌龴龵龶龷𡗗龸𢦏龹龺𤇾龻",
        strict=True,
    )
)
GBK_MOVED = {
    chr(0xE815 + place): STILL_PRIVATE.get(moved, moved)
    for place, moved in enumerate(
        bytes((0xFE, second)).decode("gb18030") for second in (*range(0x50, 0x7F), *range(0x80, 0xA1))
    )
} | {"\ue7c7": "ḿ", "\ue7c8": "ǹ"}


def is_seen(character):
    code = ord(character)
    return not (
        character.isspace()
        or character in DOTS + "\u034f\u115f\u1160\u17b4\u17b5\u2065\u3164\uffa0"
        or unicodedata.category(character) == "Cf"
        or 0x180B <= code <= 0x180F
        or 0xFE00 <= code <= 0xFE0F
        or 0xE0000 <= code <= 0xE01EF
    )


def fold_name(name):
    moved = "".join(GBK_MOVED.get(c, c) for c in name)
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", moved).upper())
    folded = unicodedata.normalize("NFKD", "".join(filter(is_seen, folded)))
    return folded if folded == name else fold_name(folded)


def name_check(record, name):
    return blake3(b"heqiao v1 name" + record + fold_name(name).encode(), 1)[0]


# Of the map from traditional to simplified characters, those that the vectors use, typed by hand.
SIMPLE = dict(
    zip(
        "張劉陳楊趙黃吳孫馬羅鄭謝韓馮蕭鄧葉蘇盧蔣賈閻鐘譚陸範龍萬錢湯賀賴龔國華麗蘭強軍偉東榮貴鳳飛",
        "张刘陈杨赵黄吴孙马罗郑谢韩冯萧邓叶苏卢蒋贾阎钟谭陆范龙万钱汤贺赖龚国华丽兰强军伟东荣贵凤飞",
        strict=True,
    )
)


def converted_check(record, name):
    """The upper six bits of the check of a name in simplified characters."""
    return name_check(record, "".join(SIMPLE.get(c, c) for c in fold_name(name))) & 0xFC


def pack_record(flags, check, as_of, value, width, record):
    return bytes([flags, check]) + as_of.to_bytes(2, "big") + value.to_bytes(width, "big") + record


# --- RFC 6962: Merkle trees, by its recursive definition ----------------------------------------------


def merkle_leaf(data):
    return blake3(b"\0" + data)


def merkle_root(leaves):
    if not leaves:
        return blake3(b"\2")
    if len(leaves) == 1:
        return leaves[0]
    left = _largest_power_below(len(leaves))
    return blake3(b"\1" + merkle_root(leaves[:left]) + merkle_root(leaves[left:]))


def merkle_path(leaves, index):
    """The sibling digests from the leaf upwards."""
    if len(leaves) == 1:
        return []
    left = _largest_power_below(len(leaves))
    if index < left:
        return [*merkle_path(leaves[:left], index), merkle_root(leaves[left:])]
    return [*merkle_path(leaves[left:], index - left), merkle_root(leaves[:left])]


def _largest_power_below(count):
    return 1 << ((count - 1).bit_length() - 1)


def points_root(points, first_point=0):
    """The root over granules of 16 points (docs/protocol.md, "Granules")."""
    first = first_point // 16
    return merkle_root(
        [
            merkle_leaf((first + at // 512).to_bytes(4, "big") + points[at : at + 512])
            for at in range(0, len(points), 512)
        ]
    )
