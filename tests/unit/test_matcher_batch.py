"""The batch functions against the ones that take a record at a time, and the lanes against the libraries."""

import secrets
from datetime import date

import numpy as np
import pytest
from blake3 import blake3
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from hypothesis import given, settings
from hypothesis import strategies as st

from matcher import batch, identity, label, lanes, oprf, token
from matcher.errors import IdentityError, LabelError
from matcher.types import Identity, LabelRecord, Level

SALT, KEY = bytes(range(32)), oprf.clamp(bytes(range(1, 33)))


def rows(*parts: bytes) -> np.ndarray:
    return np.frombuffer(b"".join(parts), dtype=np.uint8).reshape(len(parts), -1)


def pack(*identities: Identity):
    packed = [batch.pack_identity(each) for each in identities]
    types = np.array([id_type for id_type, _ in packed], dtype=np.uint8)
    return types, rows(*(value.ljust(batch.VALUE_SIZE, b"\0") for _, value in packed))


def number(area: str, birth: date, order: int) -> str:
    body = f"{area}{birth:%Y%m%d}{order:03d}"
    return body + identity.check_digit(body)


PEOPLE = [
    *(identity.parse(number("449999", date(1990, 1, 1 + i % 28), i)) for i in range(70)),
    identity.parse(number("939999", date(1985, 2, 28), 7)),
    Identity(identity.FOREIGN_OLD, "ABC999985022801"),
    identity.planted("C21", "45", "hit-3"),
]


# --- lanes: rows of arrays through the libraries ------------------------------------------------


@pytest.mark.parametrize("count", [0, 1, 2, 600])
@pytest.mark.parametrize("size", [0, 1, 45, 63, 64])
def test_keyed_digest_is_blake3(count, size):
    keys, messages = rows_of(count, 32), rows_of(count, size)
    found, later = lanes.keyed(keys, messages, size, 64), lanes.keyed(keys, messages, size, 32, at=3)
    for row in range(0, count, 509):
        stream = blake3(messages[row].tobytes(), key=keys[row].tobytes()).digest(224)
        assert found[row].tobytes() == stream[:64]
        assert later[row].tobytes() == stream[192:224]


@given(st.lists(st.binary(max_size=64), min_size=1, max_size=20))
def test_messages_of_mixed_lengths(messages):
    padded = rows(*(each.ljust(64, b"\0") for each in messages))
    found = lanes.keyed(rows(SALT), padded, np.array([*map(len, messages)]), 32)
    assert [row.tobytes() for row in found] == [blake3(each, key=SALT).digest() for each in messages]


@given(
    st.binary(min_size=32, max_size=32),
    st.text(min_size=1, max_size=15).filter(lambda t: len(t.encode()) <= 64),
)
def test_derived_key_is_blake3(material, context):
    assert (
        lanes.derive(context, rows(material))[0].tobytes()
        == blake3(material, derive_key_context=context).digest()
    )


@settings(max_examples=200)
@given(
    st.binary(min_size=32, max_size=32),
    st.binary(min_size=12, max_size=12),
    st.binary(max_size=64),
    st.binary(max_size=70),
)
def test_seal_is_chacha20_poly1305(key, nonce, plain, associated):
    found = lanes.seal(rows(key), rows(nonce), rows(plain), rows(associated))[0].tobytes()
    assert found == ChaCha20Poly1305(key).encrypt(nonce, plain, associated or None)


def test_more_than_a_block_is_refused():
    with pytest.raises(ValueError, match="one block"):
        lanes.keyed(rows(SALT), np.zeros((1, 65), dtype=np.uint8), 65, 32)


# --- batch: the same bytes as one record at a time -----------------------------------------------------


def test_identities_come_back():
    types, values = pack(*PEOPLE)
    assert [batch.unpack_identity(int(t), v.tobytes()) for t, v in zip(types, values, strict=True)] == PEOPLE


def test_points_digests_and_origins():
    types, values = pack(*PEOPLE)
    points, digests = batch.map_to_curve(SALT, types, values), batch.digests(SALT, types, values)
    assert [row.tobytes() for row in points] == [token.map_to_curve(SALT, each) for each in PEOPLE]
    assert [int.from_bytes(row[:4].tobytes(), "big") for row in digests] == [
        token.bucket_prefix(SALT, each) for each in PEOPLE
    ]
    assert [f"{code:02}" for code in batch.origins(types, values)] == [
        identity.origin(each) for each in PEOPLE
    ]
    assert batch.have_known_area(types, values).tolist() == [identity.has_known_area(each) for each in PEOPLE]


def test_labels_open():
    types, values = pack(*PEOPLE)
    tokens = batch.evaluate(KEY, batch.map_to_curve(SALT, types, values))
    tags, keys = batch.entry_keys(tokens, "C21", 7)
    names = ["陈阿三", "", "买" * 40, "A"] * 20
    count, places = len(PEOPLE), batch.origins(types, values)
    associated = batch.associated_data("C21", places, 7)
    records, nonces = rows_of(count, 8), rows_of(count, 12)
    checks = batch.name_checks(records, [name.encode() for name in names[:count]])
    has_name = np.array([bool(name) for name in names[:count]])
    planted = np.arange(count) % 7 == 0
    sealed = batch.seal_labels(
        keys,
        Level.COUNT,
        np.arange(count),
        np.full(count, 20_000),
        records,
        checks,
        has_name,
        planted,
        associated,
        nonces,
    )
    for row in range(count):
        assert tokens[row].tobytes() == oprf.evaluate_own(KEY, token.map_to_curve(SALT, PEOPLE[row]))
        tag, key = token.entry_keys(token.token_secret(tokens[row].tobytes()), "C21", 7)
        assert (tag, key) == (tags[row].tobytes(), keys[row].tobytes())
        check = label.name_check(records[row].tobytes(), names[row]) if has_name[row] else 0
        wanted = LabelRecord(
            Level.COUNT, row, 20_000, check, bool(has_name[row]), records[row].tobytes(), bool(planted[row])
        )
        assert sealed[row].tobytes() == label.seal(
            key, wanted, label.associated_data("C21", identity.origin(PEOPLE[row]), 7), nonces[row].tobytes()
        )


@settings(max_examples=300)
@given(
    st.sampled_from(["449999", "119999", "999999", "810000", "829999", "009999"]),
    st.text("0123456789", min_size=8, max_size=8) | st.dates(date(1800, 1, 1)).map("{:%Y%m%d}".format),
    st.text("0123456789", min_size=3, max_size=3),
    st.sampled_from([None, "0", "X", "x", "Z", "\x00"]),
)
def test_resident_check_agrees_with_parse(area, birth, order, last):
    body = f"{area}{birth.zfill(8)}{order}"
    value = body + (last or identity.check_digit(body))
    try:
        parsed = identity.parse(value)
        plain = parsed == Identity(identity.RESIDENT, value)
    except IdentityError:
        plain = False
    assert bool(batch.are_resident(rows(value.encode()))[0]) is plain


@pytest.mark.parametrize("at", range(17))
@pytest.mark.parametrize("character", [b"X", b"/", b":", b" ", b"\xb2", b"\x00"])
def test_only_digits_are_resident(at, character):
    value = bytearray(PEOPLE[0].value.encode())
    value[at : at + 1] = character
    assert not batch.are_resident(rows(bytes(value)))[0]


def rows_of(count: int, size: int) -> np.ndarray:
    return np.frombuffer(secrets.token_bytes(count * size), dtype=np.uint8).reshape(count, size)


def test_labels_are_opened_as_one_at_a_time():
    place = label.associated_data("C21", "45", 7)
    keys = [secrets.token_bytes(32) for _ in range(3)]
    made = [
        LabelRecord(Level.COUNT, 2**53 - 1, 20_000, 255, True, b"12345678"),
        LabelRecord(Level.VALUE, 0, 0, 0, False, bytes(8)),
        LabelRecord(Level.EXISTENCE, 1, 2**32 - 1, 0, True, b"\xff" * 8, planted=True),
    ]
    sealed = [
        label.seal(key, one, place, secrets.token_bytes(12)) for key, one in zip(keys, made, strict=True)
    ]
    found = batch.read_labels(rows(*keys), rows(*sealed), rows(place))
    assert [batch.unpack_label(row) for row in found] == made
    assert batch.read_labels(np.empty((0, 32), np.uint8), np.empty((0, 52), np.uint8), rows(place)).size == 0
    with pytest.raises(LabelError):
        batch.read_labels(rows(*keys), rows(sealed[0], sealed[2], sealed[1]), rows(place))


@pytest.mark.parametrize(
    "plain",
    ["00000000", "07000000", "02040000", "02000001", "02000100"],
    ids=["level 0", "level 7", "flag", "spare byte", "check without flag"],
)
def test_a_label_in_another_form_is_refused_in_both_ways(plain):
    key, nonce, place = bytes(32), bytes(12), b"place"
    sealed = nonce + ChaCha20Poly1305(key).encrypt(nonce, bytes.fromhex(plain) + bytes(20), place)
    with pytest.raises(LabelError):
        label.open_label(key, sealed, place)
    with pytest.raises(LabelError):
        batch.read_labels(rows(key), rows(sealed), rows(place))
