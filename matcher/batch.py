"""The way from identity to entry for many records at once: the same bytes as `identity`, `token` and `label`.

Arrays hold one record a row: identity values as (n, 18) ASCII bytes filled up with zeros (planted ones may
be wider), points as (n, 32), tags as (n, 16), sealed labels as (n, 52). Design.md sections 2 and 3 say what
is computed; `lanes` computes the digests and seals, `x25519` everything on the curve.
"""

from collections.abc import Sequence
from itertools import count as count_up

import numpy as np
from numpy.typing import NDArray

from matcher import identity, label, oprf, vectorised
from matcher.errors import LabelError
from matcher.suites import tokens as token
from matcher.suites import x25519
from matcher.types import Identity, LabelRecord, Level
from matcher.vectorised import Bytes

VALUE_SIZE = 18
DIGEST_SIZE = 16
_STREAM = 64  # bytes of the stream taken at once: two candidates, of which three in four need no more
# A type is stored as its place in this list: append only, never reorder.
ID_TYPES = (*identity.TYPES, identity.PLANTED)
_RESIDENT = ID_TYPES.index(identity.RESIDENT)
_MONTH_DAYS = np.array([0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31, 0, 0, 0, 0, 0, 0, 0] + [0] * 80)
_WEIGHTS = np.array(identity.WEIGHTS, dtype=np.int64)
_CHECK = np.frombuffer(identity.CHECK_DIGITS.encode(), dtype=np.uint8)
_KNOWN_AREAS: NDArray[np.bool_] = np.asarray(
    np.isin(np.arange(100), [int(code) for code in identity.PROVINCES])
)
RECORD = np.dtype(
    [
        ("level", "u1"),
        ("flags", "u1"),
        ("check", "u1"),
        ("zero", "u1"),
        ("as_of", ">u4"),
        ("value", ">u8"),
        ("record", "V8"),
    ]
)


def pack_identity(found: Identity) -> tuple[int, bytes]:
    """(type, value) of an identity as the arrays hold them."""
    return ID_TYPES.index(found.id_type), found.value.encode()


def pack_identities(found: Sequence[tuple[str, str]]) -> tuple[NDArray[np.uint8], Bytes]:
    """Types and values of many identities, given as (type, value)."""
    codes = {name: place for place, name in enumerate(ID_TYPES)}
    types = np.array([codes[id_type] for id_type, _ in found], dtype=np.uint8)
    values = np.array([value for _, value in found], dtype=np.bytes_)
    width = max(values.dtype.itemsize, VALUE_SIZE)
    return types, values.astype(f"S{width}").view(np.uint8).reshape(len(found), width)


def prefixes(found: Bytes) -> NDArray[np.uint32]:
    """The bucket prefix that each digest of `digests` begins with."""
    return np.ascontiguousarray(found[:, :4]).view(">u4")[:, 0].astype(np.uint32)


def unpack_identity(id_type: int, value: bytes) -> Identity:
    """The identity of a row."""
    return Identity(ID_TYPES[id_type], value.rstrip(b"\0").decode())


def are_resident(values: Bytes) -> NDArray[np.bool_]:
    """Which values (n, 18) are resident numbers in canonical form, as `identity.parse` would return them.

    False says only that the value needs a closer look: it may be another document or a faulty number.
    """
    digits = values.astype(np.int64) - 48
    good: NDArray[np.bool_] = np.asarray(((digits[:, :17] >= 0) & (digits[:, :17] <= 9)).all(axis=1))
    digits = np.where(good[:, None], digits, 0)
    year = digits[:, 6:10] @ np.array([1000, 100, 10, 1])
    month = digits[:, 10] * 10 + digits[:, 11]
    day = digits[:, 12] * 10 + digits[:, 13]
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    good &= (year >= identity.EARLIEST_YEAR) & (day >= 1) & (day <= _MONTH_DAYS[month])
    good &= (month != 2) | (day <= 28) | leap
    good &= _CHECK[digits[:, :17] @ _WEIGHTS % 11] == values[:, 17]
    # 9 starts the card of foreigners, 81, 82 and 83 with 0000 the permits (domain.md section 5).
    area = digits[:, :6] @ np.array([100000, 10000, 1000, 100, 10, 1])
    return np.asarray(good & (digits[:, 0] != 9) & ~np.isin(area, (810000, 820000, 830000)))


def origins(types: NDArray[np.uint8], values: Bytes) -> NDArray[np.uint8]:
    """The origin of each identity as a number (`00` is 0); planted subjects carry theirs in their value."""
    with_area = (types == _RESIDENT) | (types == ID_TYPES.index(identity.PERMIT))
    found = np.where(with_area, (values[:, 0] - 48) * 10 + (values[:, 1] - 48), 0).astype(np.uint8)
    for row in np.flatnonzero(types == ID_TYPES.index(identity.PLANTED)):
        found[row] = int(identity.origin(unpack_identity(int(types[row]), values[row].tobytes())))
    return found


def have_known_area(types: NDArray[np.uint8], values: Bytes) -> NDArray[np.bool_]:
    """`identity.has_known_area` of each."""
    return np.asarray((types != _RESIDENT) | _KNOWN_AREAS[origins(types, values)])


def digests(salt: bytes, types: NDArray[np.uint8], values: Bytes) -> Bytes:
    """(n, 16): the first bytes of the digest that places identities into buckets, the same for one identity.

    The first four, big endian, are `token.bucket_prefix`.
    """
    return vectorised.keyed(salt, _messages(token.BUCKET_CONTEXT, types, values), DIGEST_SIZE)


def map_to_curve(salt: bytes, types: NDArray[np.uint8], values: Bytes) -> Bytes:
    """The points M, (n, 32): `token.map_to_curve` of each identity."""
    points = np.empty((len(values), 32), dtype=np.uint8)
    pending, messages = np.arange(len(values)), _messages(token.IDENTITY_CONTEXT, types, values)
    for start in count_up(0, _STREAM):
        stream = vectorised.keyed(salt, [messages[at] for at in pending.tolist()], _STREAM, start)
        for at in range(0, _STREAM, x25519.POINT_SIZE):
            candidates = stream[:, at : at + x25519.POINT_SIZE].copy()
            candidates[:, 31] &= 0x7F
            found = x25519.are_on_curve(candidates.tobytes())
            points[pending[found]] = candidates[found]
            pending, stream = pending[~found], stream[~found]
        if not len(pending):
            break
    return points


def evaluate(key: bytes, points: Bytes) -> Bytes:
    """T = k * M of own records, (n, 32)."""
    return np.frombuffer(oprf.evaluate_own(key, points.tobytes()), dtype=np.uint8).reshape(-1, 32)


def entry_keys(tokens: Bytes, item: str, epoch: int) -> tuple[Bytes, Bytes]:
    """Tags (n, 16) and label keys (n, 32) of tokens (design.md section 2, step 5)."""
    return secret_keys(vectorised.derive(token.TOKEN_CONTEXT, tokens), item, epoch)


def secret_keys(secrets: Bytes, item: str, epoch: int) -> tuple[Bytes, Bytes]:
    """The same of the secrets of tokens (n, 32), which are the same for all items and epochs."""
    size = token.TAG_SIZE + token.LABEL_KEY_SIZE
    stream = vectorised.expand(secrets, token.entry_context(item, epoch), size)
    return stream[:, : token.TAG_SIZE], stream[:, token.TAG_SIZE :]


def name_checks(records: Bytes, names: Sequence[bytes]) -> NDArray[np.uint8]:
    """`label.name_check` of record numbers (n, 8) and normalised names (UTF-8), one byte each."""
    head = label.NAME_CONTEXT
    messages = [head + number + name for number, name in zip(vectorised.rows_of(records), names, strict=True)]
    return vectorised.hash_each(messages, 1)[:, 0]


def associated_data(item: str, origin_codes: NDArray[np.uint8], epoch: int) -> list[bytes]:
    """`label.associated_data` of each label's place."""
    places = [label.associated_data(item, f"{code:02}", epoch) for code in range(100)]
    return [places[code] for code in origin_codes.tolist()]


def seal_labels(
    label_keys: Bytes,
    level: Level,
    values: NDArray[np.integer],
    as_of: NDArray[np.integer],
    records: Bytes,
    checks: NDArray[np.uint8],
    has_name: NDArray[np.bool_],
    planted: NDArray[np.bool_],
    associated: Sequence[bytes],
    nonces: Bytes,
) -> Bytes:
    """`label.seal` of n records of one level, (n, 52); `nonces` (n, 12) are fresh random bytes."""
    plain = np.zeros(len(values), dtype=RECORD)
    plain["level"] = int(level)
    plain["flags"] = has_name * label.HAS_NAME + planted * label.PLANTED
    plain["check"] = np.where(has_name, checks, 0)
    plain["as_of"], plain["value"] = as_of, values
    plain["record"] = np.ascontiguousarray(records).view("V8").ravel()
    rows = plain.view(np.uint8).reshape(-1, label.RECORD_SIZE)
    return np.hstack([nonces, vectorised.seal(label_keys, nonces, rows, associated)])


def open_labels(label_keys: Bytes, sealed: Bytes, associated: Sequence[bytes]) -> Bytes:
    """The plain records, (n, 24), of sealed labels (n, 52). Raises LabelError when one does not open."""
    return vectorised.unseal(
        label_keys, sealed[:, : label.NONCE_SIZE], sealed[:, label.NONCE_SIZE :], associated
    )


def reseal_labels(label_keys: Bytes, records: Bytes, associated: Sequence[bytes], nonces: Bytes) -> Bytes:
    """Labels (n, 52) of plain records as `open_labels` gave them; `nonces` (n, 12) are fresh random bytes."""
    return np.hstack([nonces, vectorised.seal(label_keys, nonces, records, associated)])


def read_labels(label_keys: Bytes, sealed: Bytes, associated: bytes) -> NDArray[np.void]:
    """`label.open_label` of n sealed labels of one place (n, 52): rows of RECORD. Raises LabelError."""
    plain = open_labels(label_keys, sealed, [associated] * len(sealed))
    found = plain.view(RECORD).reshape(-1)
    named = (found["flags"] & label.HAS_NAME) != 0
    good = np.isin(found["level"], list(Level)) & (found["flags"] <= label.HAS_NAME + label.PLANTED)
    if not bool((good & (found["zero"] == 0) & (named | (found["check"] == 0))).all()):
        raise LabelError("a label is not in canonical form")
    return found


def unpack_label(row: np.void) -> LabelRecord:
    """The record of one row of RECORD."""
    return LabelRecord(
        level=Level(int(row["level"])),
        value=int(row["value"]),
        as_of=int(row["as_of"]),
        name_check=int(row["check"]),
        has_name=bool(row["flags"] & label.HAS_NAME),
        record=bytes(row["record"].tobytes()),
        planted=bool(row["flags"] & label.PLANTED),
    )


def _messages(context: bytes, types: NDArray[np.uint8], values: Bytes) -> list[bytes]:
    """What is hashed of each identity: context, type and value."""
    heads = [context + name.encode() + b"\0" for name in ID_TYPES]
    width = values.shape[1]
    texts = np.ascontiguousarray(values).view(f"S{width}").ravel().tolist()  # without the filling zeros
    if len(types) and (types == types[0]).all():
        head = heads[types[0]]
        return [head + text for text in texts]
    return [heads[code] + text for code, text in zip(types.tolist(), texts, strict=True)]
