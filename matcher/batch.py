"""Identities and plain labels of many records at once: the same bytes as `identity` and `label`.

Arrays hold one record a row: identity values as (n, 18) ASCII bytes filled up with zeros (planted ones may
be wider), plain labels as (n, 24). The steps between the two depend on the suite (matcher/suites/suite.py).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from matcher import identity, label
from matcher.errors import LabelError
from matcher.types import Identity, LabelRecord, Level
from matcher.vectorised import Bytes

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


def associated_data(item: str, origin_codes: NDArray[np.uint8], epoch: int) -> list[bytes]:
    """`label.associated_data` of each label's place."""
    places = [label.associated_data(item, f"{code:02}", epoch) for code in range(100)]
    return [places[code] for code in origin_codes.tolist()]


def pack_records(
    level: Level,
    values: NDArray[np.integer],
    as_of: NDArray[np.integer],
    records: Bytes,
    checks: NDArray[np.uint8],
    has_name: NDArray[np.bool_],
    planted: NDArray[np.bool_],
) -> Bytes:
    """The plain records of n labels of one level, (n, 24), as `label.seal` lays them out."""
    plain = np.zeros(len(values), dtype=RECORD)
    plain["level"] = int(level)
    plain["flags"] = has_name * label.HAS_NAME + planted * label.PLANTED
    plain["check"] = np.where(has_name, checks, 0)
    plain["as_of"], plain["value"] = as_of, values
    plain["record"] = np.ascontiguousarray(records).view("V8").ravel()
    return plain.view(np.uint8).reshape(-1, label.RECORD_SIZE)


def read_records(plain: Bytes) -> NDArray[np.void]:
    """Plain records (n, 24) as rows of RECORD. Raises LabelError where one is not in its form."""
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


def messages(context: bytes, types: NDArray[np.uint8], values: Bytes) -> list[bytes]:
    """The bytes that are hashed for each identity: context, type and value."""
    heads = [context + name.encode() + b"\0" for name in ID_TYPES]
    width = values.shape[1]
    texts = np.ascontiguousarray(values).view(f"S{width}").ravel().tolist()  # without the filling zeros
    if len(types) and (types == types[0]).all():
        head = heads[types[0]]
        return [head + text for text in texts]
    return [heads[code] + text for code, text in zip(types.tolist(), texts, strict=True)]
