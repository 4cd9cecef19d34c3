"""The batch functions compared with those for single records, and the lanes with the libraries."""

import secrets
from datetime import date

import numpy as np
import pytest
from blake3 import blake3
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV
from hypothesis import given, settings
from hypothesis import strategies as st

from matcher import batch, identity, label, oprf, vectorised
from matcher.errors import IdentityError, LabelError
from matcher.suites import tokens as token
from matcher.suites.suite import CURRENT
from matcher.types import Identity, LabelRecord
from tests.support.effort import examples
from tests.vectors import reference, reference_siv

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


@given(st.lists(st.binary(max_size=130), max_size=20), st.sampled_from([1, 16, 48, 64]))
def test_digests_are_blake3(messages, size):
    found, later = vectorised.keyed(SALT, messages, size), vectorised.keyed(SALT, messages, size, at=192)
    streams = [blake3(each, key=SALT).digest(192 + size) for each in messages]
    assert [row.tobytes() for row in found] == [stream[:size] for stream in streams]
    assert [row.tobytes() for row in later] == [stream[192:] for stream in streams]
    plain = vectorised.hash_each(messages, size)
    assert [row.tobytes() for row in plain] == [blake3(each).digest(size) for each in messages]


@pytest.mark.parametrize("count", [0, 1, 2, 600])
@pytest.mark.parametrize("size", [0, 1, 12, 48])
def test_expanded_keys_are_blake3(count, size):
    keys, message = rows_of(count, 32), secrets.token_bytes(size)
    found = vectorised.expand(keys, message, 48)
    assert found.shape == (count, 48)
    assert [row.tobytes() for row in found] == [blake3(message, key=key.tobytes()).digest(48) for key in keys]


@given(
    st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=5),
    st.text(min_size=1, max_size=15).filter(lambda t: len(t.encode()) <= 64),
)
def test_derived_key_is_blake3(materials, context):
    found = vectorised.derive(context, rows(*materials))
    wanted = [blake3(each, derive_key_context=context).digest() for each in materials]
    assert [row.tobytes() for row in found] == wanted


@settings(max_examples=examples(60), deadline=None)
@given(st.binary(min_size=32, max_size=32), st.binary(min_size=1, max_size=40), st.binary(max_size=70))
def test_seal_is_aes_256_gcm_siv(key, plain, associated):
    sealed = vectorised.seal(rows(key), rows(plain), [associated])
    assert sealed[0].tobytes() == reference_siv.seal_siv(key, bytes(12), plain, associated)
    assert vectorised.unseal(rows(key), sealed, [associated])[0].tobytes() == plain


# --- batch: the same bytes as one record at a time -----------------------------------------------------


def test_identities_come_back():
    types, values = pack(*PEOPLE)
    assert [batch.unpack_identity(int(t), v.tobytes()) for t, v in zip(types, values, strict=True)] == PEOPLE


def test_points_digests_and_origins():
    types, values = pack(*PEOPLE)
    points, digests = CURRENT.map_to_curve(SALT, types, values), CURRENT.digests(SALT, types, values)
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
    tokens = CURRENT.own_tokens(KEY, CURRENT.map_to_curve(SALT, types, values))
    tags, keys = CURRENT.entry_keys(tokens, "C21", 7)
    names = ["陈阿三", "", "买" * 40, "A", "陳國強"] * 20
    count, places = len(PEOPLE), batch.origins(types, values)
    associated = batch.associated_data("C21", places, 7, tags)
    records = rows_of(count, 6)
    checks = CURRENT.name_checks(records, [name.encode() for name in names[:count]])
    has_name = np.array([bool(name) for name in names[:count]])
    planted = np.arange(count) % 7 == 0
    plain = batch.pack_records(
        2, np.arange(count), np.full(count, 20_000), records, checks, has_name, planted
    )
    sealed = CURRENT.seal_labels(keys, plain, associated)
    for row in range(count):
        assert tokens[row].tobytes() == oprf.evaluate_own(KEY, token.map_to_curve(SALT, PEOPLE[row]))
        tag, key = token.entry_keys(token.token_secret(tokens[row].tobytes()), "C21", 7)
        assert (tag, key) == (tags[row].tobytes(), keys[row].tobytes())
        check = label.name_check(records[row].tobytes(), names[row]) if has_name[row] else 0
        other = label.converted_check(records[row].tobytes(), names[row]) if has_name[row] else 0
        wanted = LabelRecord(
            row, 20_000, check, bool(has_name[row]), records[row].tobytes(), bool(planted[row]), other
        )
        place = label.associated_data("C21", identity.origin(PEOPLE[row]), 7, tag)
        assert sealed[row].tobytes() == label.seal(key, wanted, 2, place)


@settings(max_examples=examples(300))
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
    place = label.associated_data("C21", "45", 7, b"tag")
    keys = [secrets.token_bytes(32) for _ in range(3)]
    made = [
        LabelRecord(2**53 - 1, 20_000, 255, True, b"123456", converted=0xFC),
        LabelRecord(0, 1, 0, False, bytes(6)),
        LabelRecord(1, 2**16 - 1, 0, True, b"\xff" * 6, planted=True),
    ]
    sealed = [label.seal(key, one, 8, place) for key, one in zip(keys, made, strict=True)]
    found = CURRENT.read_labels(rows(*keys), rows(*sealed), [place] * 3, 8, 9)
    assert [batch.unpack_label(row) for row in found] == made
    assert CURRENT.read_labels(np.empty((0, 32), np.uint8), np.empty((0, 34), np.uint8), [], 8, 9).size == 0
    with pytest.raises(LabelError):
        CURRENT.read_labels(rows(*keys), rows(sealed[0], sealed[2], sealed[1]), [place] * 3, 8, 9)


def test_no_date_in_a_label_is_the_date_of_the_partition():
    key, place = bytes(32), b"place"
    sealed = label.seal(key, LabelRecord(1, 0, 0, False, bytes(6)), 0, place)
    (found,) = CURRENT.read_labels(rows(key), rows(sealed), [place], 0, 20_001)
    assert (found["as_of"], found["value"]) == (20_001, 1)


@pytest.mark.parametrize("width", label.WIDTHS)
@pytest.mark.parametrize("plain", ["0001", "0401", "0400", "fe00"])
def test_a_label_in_another_form_is_refused_in_both_ways(plain, width):
    """A name check, of either kind, without the flag of a name."""
    key, place = bytes(32), b"place"
    sealed = AESGCMSIV(key).encrypt(bytes(12), bytes.fromhex(plain) + bytes(8 + width), place)
    with pytest.raises(LabelError):
        label.open_label(key, sealed, width, place)
    with pytest.raises(LabelError):
        CURRENT.read_labels(rows(key), rows(sealed), [place], width, 1)


@pytest.mark.parametrize(("width", "value"), [(0, 2), (1, 256), (2, 65_536), (4, 2**32), (2, -1)])
def test_a_value_that_does_not_fit_is_refused(width, value):
    none = np.zeros(1, dtype=bool)
    rest = np.zeros((1, 6), np.uint8), np.zeros((1, 2), np.uint8), none, none
    with pytest.raises(LabelError):
        batch.pack_records(width, np.array([value]), np.array([1]), *rest)
    with pytest.raises(LabelError):
        batch.pack_records(width, np.array([1]), np.array([2**16]), *rest)


def test_record_numbers():
    types, values = pack(*PEOPLE)
    found = CURRENT.record_numbers(KEY, "C21", types, values)
    assert [row.tobytes() for row in found] == [
        reference.record_number(KEY, "C21", each.id_type, each.value) for each in PEOPLE
    ]
    assert not np.array_equal(found, CURRENT.record_numbers(KEY, "C22", types, values))
