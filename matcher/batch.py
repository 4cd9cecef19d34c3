"""Identities and plain labels of many records at once: the same bytes as `identity` and `label`.

Arrays hold one record a row: identity values as (n, 18) ASCII bytes filled up with zeros (planted ones may
be wider), plain labels as (n, 10 + w), w the width of the item's value. The steps between the two depend on
the suite (matcher/suites/suite.py).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from matcher import identity, label
from matcher.errors import LabelError
from matcher.types import Identity, LabelRecord
from matcher.vectorised import Bytes, rows_of

VALUE_SIZE = 18
# A type is stored as its place in this list: append only, never reorder.
ID_TYPES = (*identity.TYPES, identity.PLANTED)
_RESIDENT = ID_TYPES.index(identity.RESIDENT)
_MONTH_DAYS = np.array([0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31, 0, 0, 0, 0, 0, 0, 0] + [0] * 80)
_WEIGHTS = np.array(identity.WEIGHTS, dtype=np.int64)
_CHECK = np.frombuffer(identity.CHECK_DIGITS.encode(), dtype=np.uint8)
_KNOWN_AREAS: NDArray[np.bool_] = np.asarray(
    np.isin(np.arange(100), [int(code) for code in identity.PROVINCES])
)
# A plain label that was read: `flags` without the bits of `converted`, `as_of` in days since 1970-01-01.
RECORD = np.dtype(
    [
        ("flags", "u1"),
        ("check", "u1"),
        ("converted", "u1"),
        ("as_of", "<u4"),
        ("value", "<u8"),
        ("record", f"V{label.RECORD_NUMBER_SIZE}"),
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


def join_identities(
    parts: Sequence[tuple[NDArray[np.uint8], Bytes]],
) -> tuple[NDArray[np.uint8], Bytes]:
    """Types and values of several parts, one after the other; those of a narrower part are filled up."""
    values = np.zeros(
        (sum(len(part) for part, _ in parts), max(part.shape[1] for _, part in parts)), np.uint8
    )
    at = 0
    for types, part in parts:
        values[at : at + len(types), : part.shape[1]] = part
        at += len(types)
    return np.concatenate([types for types, _ in parts]), values


def prefixes(found: Bytes) -> NDArray[np.uint32]:
    """The bucket prefix that each digest of `Suite.digests` begins with."""
    return np.ascontiguousarray(found[:, :4]).view(">u4")[:, 0].astype(np.uint32)


def unpack_identity(id_type: int, value: bytes) -> Identity:
    """The identity of a row."""
    return Identity(ID_TYPES[id_type], value.rstrip(b"\0").decode())


def are_resident(values: Bytes) -> NDArray[np.bool_]:
    """Which values (n, 18) are resident numbers in canonical form, as `identity.parse` would return them.

    False means only that the value must be parsed singly: it may be another document or a faulty number.
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


def associated_data(item: str, origin_codes: NDArray[np.uint8], epoch: int, tags: Bytes) -> list[bytes]:
    """`label.associated_data` of each label's place."""
    codes = origin_codes.tolist()
    places = {code: label.associated_data(item, f"{code:02}", epoch, b"") for code in set(codes)}
    return [places[code] + tag for code, tag in zip(codes, rows_of(tags), strict=True)]


def pack_records(
    width: int,
    values: NDArray[np.integer],
    as_of: NDArray[np.integer],
    records: Bytes,
    checks: Bytes,
    has_name: NDArray[np.bool_],
    planted: NDArray[np.bool_],
) -> Bytes:
    """The plain records of n labels, (n, 10 + width), as `label.seal` lays them out.

    `checks` (n, 2) are those of `Suite.name_checks`. Raises LabelError where a value or date does not fit.
    """
    most = 256**width - 1 if width else 1
    if len(values) and (int(values.min()) < 0 or int(values.max()) > most):
        raise LabelError("a value does not fit a label")
    if len(as_of) and (int(as_of.min()) < 0 or int(as_of.max()) > label.MAX_DATE):
        raise LabelError("a date does not fit a label")
    plain = np.zeros(len(values), dtype=_plain_type(width))
    plain["flags"] = np.where(has_name, checks[:, 1] & label.CONVERTED | label.HAS_NAME, 0)
    plain["flags"] |= np.where(planted, np.uint8(label.PLANTED), np.uint8(0))
    plain["check"] = np.where(has_name, checks[:, 0], 0)
    plain["as_of"] = as_of
    if width:
        plain["value"] = values
    plain["record"] = np.ascontiguousarray(records).view(plain["record"].dtype).ravel()
    return plain.view(np.uint8).reshape(-1, label.record_size(width))


def read_records(plain: Bytes, width: int, day: int) -> NDArray[np.void]:
    """Plain records (n, 10 + width) as rows of RECORD; `day` is the date of their partition.

    Raises LabelError where one is not in its form.
    """
    packed = np.ascontiguousarray(plain).view(_plain_type(width)).reshape(-1)
    named = (packed["flags"] & label.HAS_NAME) != 0
    bare = (packed["check"] == 0) & (packed["flags"] <= label.PLANTED)
    if not bool((named | bare).all()):
        raise LabelError("a label is not in canonical form")
    found = np.zeros(len(packed), dtype=RECORD)
    found["flags"] = packed["flags"] & (label.HAS_NAME | label.PLANTED)
    found["check"], found["converted"] = packed["check"], packed["flags"] & label.CONVERTED
    found["as_of"] = np.where(packed["as_of"] == 0, day, packed["as_of"])
    found["value"] = packed["value"] if width else 1
    found["record"] = packed["record"]
    return found


def unpack_label(row: np.void) -> LabelRecord:
    """The record of one row of RECORD."""
    return LabelRecord(
        value=int(row["value"]),
        as_of=int(row["as_of"]),
        name_check=int(row["check"]),
        has_name=bool(row["flags"] & label.HAS_NAME),
        record=bytes(row["record"].tobytes()),
        planted=bool(row["flags"] & label.PLANTED),
        converted=int(row["converted"]),
    )


def _plain_type(width: int) -> np.dtype[np.void]:
    value = [("value", f">u{width}")] if width else []
    number = ("record", f"V{label.RECORD_NUMBER_SIZE}")
    return np.dtype([("flags", "u1"), ("check", "u1"), ("as_of", ">u2"), *value, number])


def messages(context: bytes, types: NDArray[np.uint8], values: Bytes) -> list[bytes]:
    """The bytes that are hashed for each identity: context, type and value."""
    heads = [context + name.encode() + b"\0" for name in ID_TYPES]
    width = values.shape[1]
    texts = np.ascontiguousarray(values).view(f"S{width}").ravel().tolist()  # without the filling zeros
    if len(types) and (types == types[0]).all():
        head = heads[types[0]]
        return [head + text for text in texts]
    return [heads[code] + text for code, text in zip(types.tolist(), texts, strict=True)]
