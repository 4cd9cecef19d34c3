"""Labels and the name check; the vectors test the sealed bytes."""

import random
from dataclasses import replace

import pytest

from matcher import label, names
from matcher.errors import LabelError
from matcher.types import LabelRecord, Level

KEY, NONCE, NUMBER = bytes(range(32)), bytes(12), bytes(range(8))
PLACE = label.associated_data("C21", "44", 1)
RECORD = LabelRecord(Level.COUNT, 2, 20_000, 77, True, b"12345678")


def test_sizes():
    sealed = label.seal(KEY, RECORD, PLACE, NONCE)
    assert len(sealed) == label.SEALED_SIZE == 52
    assert sealed[:12] == NONCE


@pytest.mark.parametrize("level", Level)
@pytest.mark.parametrize("planted", [False, True])
@pytest.mark.parametrize("value", [0, 1, 2**64 - 1])
@pytest.mark.parametrize("as_of", [0, 2**32 - 1])
def test_round_trip(level, planted, value, as_of):
    record = replace(RECORD, level=level, planted=planted, value=value, as_of=as_of)
    assert label.open_label(KEY, label.seal(KEY, record, PLACE, NONCE), PLACE) == record


def test_without_a_name_the_check_byte_is_zero():
    record = replace(RECORD, has_name=False)
    assert label.open_label(KEY, label.seal(KEY, record, PLACE, NONCE), PLACE).name_check == 0


@pytest.mark.parametrize(
    "change",
    [
        {"value": -1},
        {"value": 2**64},
        {"as_of": -1},
        {"as_of": 2**32},
        {"name_check": 256},
        {"name_check": -1},
        {"record": b""},
        {"record": b"1234567"},
        {"record": b"123456789"},
    ],
    ids=str,
)
def test_a_record_that_does_not_fit_is_refused_without_showing_it(change):
    with pytest.raises(LabelError) as caught:
        label.seal(KEY, replace(RECORD, **change), PLACE, NONCE)
    assert str(next(iter(change.values()))) not in str(caught.value)


@pytest.mark.parametrize("nonce", [b"", bytes(8), bytes(11), bytes(13), bytes(16)], ids=len)
def test_nonces_have_one_size(nonce):
    with pytest.raises(ValueError, match=r"[Nn]once"):
        label.seal(KEY, RECORD, PLACE, nonce)


def test_every_altered_bit_is_found():
    sealed = label.seal(KEY, RECORD, PLACE, NONCE)
    for bit in range(len(sealed) * 8):
        altered = bytearray(sealed)
        altered[bit // 8] ^= 1 << bit % 8
        with pytest.raises(LabelError):
            label.open_label(KEY, bytes(altered), PLACE)


def test_places_never_collide():
    places = [
        label.associated_data(item, origin, epoch)
        for item in ("C2", "C21", "C211", "")
        for origin in ("", "4", "44", "1")
        for epoch in (0, 1, 2**32 - 1)
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
