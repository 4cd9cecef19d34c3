"""Labels and the name check; the vectors test the sealed bytes."""

import random
from dataclasses import replace

import pytest
from cryptography.exceptions import UnsupportedAlgorithm

from matcher import label, names
from matcher.errors import CipherMissingError, LabelError
from matcher.types import LabelRecord

KEY, NUMBER, TAG = bytes(range(32)), bytes(range(6)), b"0123456789"
PLACE = label.associated_data("C21", "44", 1, TAG)
RECORD = LabelRecord(2, 20_000, 77, True, b"123456", converted=0x48)


@pytest.mark.parametrize(("width", "size"), [(0, 26), (1, 27), (2, 28), (4, 30), (8, 34)])
def test_sizes(width, size):
    sealed = label.seal(KEY, replace(RECORD, value=1), width, PLACE)
    assert len(sealed) == label.sealed_size(width) == size
    assert label.record_size(width) == 10 + width
    assert label.width_of(10 + width) == width


@pytest.mark.parametrize("size", [-1, 0, 9, 13, 15, 17, 19, 26])
def test_sizes_that_no_record_has(size):
    with pytest.raises(LabelError):
        label.width_of(size)


@pytest.mark.parametrize("width", label.WIDTHS)
@pytest.mark.parametrize("planted", [False, True])
@pytest.mark.parametrize("least", [False, True])
@pytest.mark.parametrize("as_of", [0, 2**16 - 1])
def test_round_trip(width, planted, least, as_of):
    value = (0 if least else 256**width - 1) if width else 1
    record = replace(RECORD, planted=planted, value=value, as_of=as_of)
    assert label.open_label(KEY, label.seal(KEY, record, width, PLACE), width, PLACE) == record


def test_the_same_record_in_the_same_place_is_the_same_bytes():
    assert label.seal(KEY, RECORD, 2, PLACE) == label.seal(KEY, RECORD, 2, PLACE)
    other = label.associated_data("C21", "44", 1, b"0123456788")
    assert label.seal(KEY, RECORD, 2, PLACE) != label.seal(KEY, RECORD, 2, other)


def test_without_a_name_the_checks_are_zero():
    record = replace(RECORD, has_name=False)
    opened = label.open_label(KEY, label.seal(KEY, record, 2, PLACE), 2, PLACE)
    assert (opened.name_check, opened.converted) == (0, 0)


@pytest.mark.parametrize(
    "change",
    [
        {"value": -1},
        {"value": 2**16},
        {"as_of": -1},
        {"as_of": 2**16},
        {"name_check": 256},
        {"name_check": -1},
        {"record": b""},
        {"record": b"12345"},
        {"record": b"1234567"},
    ],
    ids=str,
)
def test_a_record_that_does_not_fit_is_refused_without_showing_it(change):
    with pytest.raises(LabelError) as caught:
        label.seal(KEY, replace(RECORD, **change), 2, PLACE)
    assert str(next(iter(change.values()))) not in str(caught.value)


@pytest.mark.parametrize("value", [0, 2, -1])
def test_a_label_without_a_value_says_one(value):
    with pytest.raises(LabelError):
        label.seal(KEY, replace(RECORD, value=value), 0, PLACE)


def test_an_openssl_without_the_cipher_is_named(monkeypatch):
    def missing(_key):
        raise UnsupportedAlgorithm("old")

    label.require_cipher()
    monkeypatch.setattr(label, "AESGCMSIV", missing)
    with pytest.raises(CipherMissingError, match="RFC 8452"):
        label.require_cipher()


def test_every_altered_bit_is_found():
    sealed = label.seal(KEY, RECORD, 2, PLACE)
    for bit in range(len(sealed) * 8):
        altered = bytearray(sealed)
        altered[bit // 8] ^= 1 << bit % 8
        with pytest.raises(LabelError):
            label.open_label(KEY, bytes(altered), 2, PLACE)


def test_places_never_collide():
    places = [
        label.associated_data(item, origin, epoch, tag)
        for item in ("C2", "C21", "C211", "")
        for origin in ("", "4", "44", "1")
        for epoch in (0, 1, 2**32 - 1)
        for tag in (TAG, bytes(10))
    ]
    assert len(set(places)) == len(places)


def test_text_of_a_record_hides_the_value():
    record = replace(RECORD, value=987654321)
    for hidden in ("987654321", "77", "12345678"):
        assert hidden not in repr(record)


EQUAL = {
    "dots between parts": ("阿依古丽·买买提", "阿依古丽•买买提"),
    "full-width dot": ("阿依古丽．买买提", "阿依古丽.买买提"),
    "katakana dot": ("阿依古丽・买买提", "阿依古丽·买买提"),
    "half-width katakana dot": ("阿依古丽･买买提", "阿依古丽·买买提"),
    "dot operator": ("阿依古丽⋅买买提", "阿依古丽‧买买提"),
    "no dot at all": ("阿依古丽买买提", "阿依古丽·买买提"),
    "blank inside": ("张 三", "张三"),
    "full-width blank": ("张\u3000三", "张三"),
    "blanks around": ("  张三\t", "张三"),
    "zero-width blank": ("张\u200b三", "张三"),
    "byte order mark": ("\ufeff张三", "张三"),
    "letter case": ("Li Lei", "LI LEI"),
    "full-width letters": ("ＬｉＬｅｉ", "lilei"),
    "composed and decomposed": ("José", "Jose\u0301"),
    "compatibility ideograph": ("\uf9d1", "\u516d"),
}
DIFFERENT = {
    "another person": ("张三", "李四"),
    "one character more": ("张三", "张三丰"),
    "order": ("张三", "三张"),
    "traditional form": ("张三", "張三"),
    "accent": ("José", "Jose"),
    "nothing": ("张三", ""),
    "hyphen": ("Anne-Marie", "Annemarie"),
}


NORMAL = [
    ("plain", "张三", "张三"),
    ("blank inside", "张　三", "张三"),
    ("blanks around", " 张三\t", "张三"),
    ("middle dot", "买买提·热依汗", "买买提热依汗"),
    ("bullet", "买买提•热依汗", "买买提热依汗"),
    ("katakana dot", "买买提・热依汗", "买买提热依汗"),
    ("half-width katakana dot", "买买提･热依汗", "买买提热依汗"),
    ("full stop", "买买提.热依汗", "买买提热依汗"),
    ("full-width full stop", "买买提．热依汗", "买买提热依汗"),
    ("lower case", "Maria  Lopez", "MARIALOPEZ"),
    ("full-width letters", "王ａ", "王A"),
    ("black circle", "买买提●热依汗", "买买提热依汗"),
    ("no width", "张\u200b三\ufeff", "张三"),
    ("compatibility form", "\uf9f4三", "林三"),
    ("the mark between is dropped", "e\u200d\u0301", "E\u0301"),
    ("upper case of two letters", "Weiß", "WEISS"),
    ("nothing", " 　", ""),
]


@pytest.mark.parametrize(("name", "normal"), [r[1:] for r in NORMAL], ids=[r[0] for r in NORMAL])
def test_normal_form_of_a_name(name, normal):
    assert names.normalise_name(name) == normal


@pytest.mark.parametrize("case", EQUAL)
def test_equal_names(case):
    one, other = EQUAL[case]
    assert names.normalise_name(one) == names.normalise_name(other)
    assert label.name_check(NUMBER, one) == label.name_check(NUMBER, other)


@pytest.mark.parametrize("case", DIFFERENT)
def test_different_names(case):
    one, other = DIFFERENT[case]
    assert names.normalise_name(one) != names.normalise_name(other)


def test_a_wrong_name_passes_once_in_256():
    """Seeded: 20,000 records, each with one right and one wrong name; 78 expected, 5 sigma is 44."""
    draw = random.Random(20)
    records = [draw.randbytes(8) for _ in range(20_000)]
    passed = sum(
        label.name_check(record, "王秀英") == label.name_check(record, "王秀兰") for record in records
    )
    assert 34 < passed < 122


def test_check_bytes_are_uniform_over_names():
    """Seeded: chi-square over 256 values of 25,600 names; the mean is 255, 5 sigma is 113."""
    counts = [0] * 256
    for number in range(25_600):
        counts[label.name_check(NUMBER, f"名{number}")] += 1
    assert abs(sum((count - 100) ** 2 / 100 for count in counts) - 255) < 113


@pytest.mark.parametrize(
    ("one", "other"), [("陳國強", "陈国强"), ("劉麗華", "刘丽华"), ("陈國强", "陳国強"), ("葉", "叶")]
)
def test_names_equal_after_conversion(one, other):
    assert names.simplify(one) == names.simplify(other)
    assert label.converted_check(NUMBER, one) == label.converted_check(NUMBER, other)
    assert label.converted_check(NUMBER, one) == label.name_check(NUMBER, names.simplify(one)) & 0xFC


def test_conversion_leaves_simplified_names_alone():
    for name in ("张三", "陈国强", "阿依古丽买买提", "LI LEI", ""):
        assert names.simplify(name) == name
        assert label.converted_check(NUMBER, name) == label.name_check(NUMBER, name) & 0xFC


def test_conversion_of_many_is_that_of_each():
    some = ["陳國強", "", "张三", "\ud800", "劉"]
    packed = [name.encode("utf-8", "surrogatepass") for name in some]
    wanted = [names.simplify(name).encode("utf-8", "surrogatepass") for name in some]
    assert names.simplify_all(packed) == wanted
    assert names.simplify_all([]) == []


def test_conversion_is_one_for_one_and_ends():
    table = names._simplified()
    assert len(table) > 4000
    assert all(len(found) == 1 and ord(found) not in table for found in table.values())
    assert all(names.normalise_name(chr(code)) == chr(code) for code in table)
