"""From an identity to its point, and from a token to tag and label key (design.md section 2).

One value at a time, as the definition reads; `Suite` computes the same bytes of many at once. Every context
string of the suite X25519-BLAKE3-TAI that concerns identities and tokens is here.
A salted hash never leaves the node: it is only the input of the map to the curve.
"""

from blake3 import blake3

from matcher.suites import x25519
from matcher.types import Identity

IDENTITY_CONTEXT = b"heqiao v1 identity"
BUCKET_CONTEXT = b"heqiao v1 bucket"
CLASS_KEY_CONTEXT = b"heqiao v1 class key"
TOKEN_CONTEXT = "heqiao v1 token"  # noqa: S105 - a public domain-separation string
CANARY_CONTEXT = "heqiao v1 canary"
POINT_BLIND_CONTEXT = "heqiao v1 point blind"
COHORT_BLIND_CONTEXT = "heqiao v1 cohort blind"
SALT_CHECK_CONTEXT = "heqiao v1 salt check"
CANARIES = 16
TAG_SIZE = 10
LABEL_KEY_SIZE = 32
SALT_CHECK_SIZE = 8
_FIRST_CANDIDATES = 4


def map_to_curve(salt: bytes, identity: Identity) -> bytes:
    """The point M of an identity: 32 bytes, on Curve25519, by try and increment (steps 2 and 3)."""
    message = IDENTITY_CONTEXT + identity.id_type.encode() + b"\x00" + identity.value.encode()
    return _first_point(blake3(message, key=salt))


def bucket_prefix(salt: bytes, identity: Identity) -> int:
    """The first 32 bits that place an identity into buckets (design.md section 3).

    It is the same for every item and epoch; a larger number of buckets uses more of its leading bits.
    """
    message = BUCKET_CONTEXT + identity.id_type.encode() + b"\x00" + identity.value.encode()
    return int.from_bytes(blake3(message, key=salt).digest(length=4), "big")


def token_secret(token: bytes) -> bytes:
    """y, the 32-byte secret of a token point T (step 5)."""
    return blake3(token, derive_key_context=TOKEN_CONTEXT).digest()


def entry_keys(secret: bytes, item: str, epoch: int) -> tuple[bytes, bytes]:
    """The tag (10 bytes) and label key (32 bytes) of one item and epoch (step 5).

    The epoch is written as four bytes, big endian.
    """
    stream = blake3(entry_context(item, epoch), key=secret).digest(length=TAG_SIZE + LABEL_KEY_SIZE)
    return stream[:TAG_SIZE], stream[TAG_SIZE:]


def entry_context(item: str, epoch: int) -> bytes:
    """The context from which entry keys are derived: item and epoch."""
    return item.encode() + b"\x00" + epoch.to_bytes(4, "big")


def canary_points() -> bytes:
    """The public constants M_c whose evaluations a manifest pins: CANARIES points of 32 bytes."""
    return b"".join(
        _first_point(blake3(index.to_bytes(4, "big"), derive_key_context=CANARY_CONTEXT))
        for index in range(CANARIES)
    )


def salt_check(salt: bytes) -> bytes:
    """Eight bytes that distinguish two salts without helping anyone to find one (the salt is random)."""
    return blake3(salt, derive_key_context=SALT_CHECK_CONTEXT).digest(length=SALT_CHECK_SIZE)


def _first_point(stream: blake3) -> bytes:
    """The first 32-byte candidate of the XOF stream, bit 255 cleared, that is a point of the curve."""
    count, seen = _FIRST_CANDIDATES, 0
    while True:
        block = stream.digest(length=32 * count)
        for at in range(32 * seen, 32 * count, 32):
            u = int.from_bytes(block[at : at + 32], "little") & ((1 << 255) - 1)
            if u < x25519.PRIME and x25519.on_curve(u):
                return u.to_bytes(32, "little")
        seen, count = count, count * 4
