"""Properties of typed identity numbers and names."""

import unicodedata
from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from matcher import identity, label, names
from matcher.errors import IdentityError
from tests.vectors import reference

NUMBER = bytes(range(8))
WIDE = {ord(c): ord(c) + 0xFEE0 for c in "0123456789Xx"}
any_text = st.text(st.characters(exclude_categories=()), max_size=40)  # lone surrogates too
near_numbers = st.text("0123456789Xx９Ｘ \u3000①²", min_size=14, max_size=19)


@st.composite
def numbers(draw):
    """Valid 18-character numbers of the county 9999 of any province, or of any permit and card."""
    area = draw(st.sampled_from(["449999", "339999", "659999", "810000", "820000", "830000", "900999"]))
    day = draw(st.dates(min_value=date(1850, 1, 1)))
    body = f"{area}{day.year:04d}{day.month:02d}{day.day:02d}{draw(st.integers(0, 999)):03d}"
    return body + reference.check_character(body)


@given(raw=any_text | near_numbers, id_type=st.none() | st.sampled_from(identity.TYPES) | any_text)
@example(raw="\ud800" * 18, id_type=None)
@example(raw="ß99999900010100", id_type=None)
@example(raw="\x1c", id_type=None)
def test_parse_survives_any_text(raw, id_type):
    try:
        found = identity.parse(raw, id_type)
    except IdentityError as error:
        reason = error.reason
    else:
        reason = None
        assert found.value.isascii()
    assert reason in (None, *identity.REASONS)


@given(number=numbers())
def test_canonical_form_is_idempotent(number):
    found = identity.parse(number)
    assert found.value == number
    assert identity.parse(found.value, found.id_type) == found


@given(number=numbers(), blanks=st.text(" \t\u3000\u00a0\r\n", max_size=3), lower=st.booleans())
def test_width_case_and_blanks_do_not_matter(number, blanks, lower):
    shown = blanks + (number.lower() if lower else number).translate(WIDE) + blanks
    assert identity.parse(shown) == identity.parse(number)
    assert unicodedata.normalize("NFKC", shown).strip().upper() == number, "NFKC folds these to the same text"


@given(number=numbers())
def test_kind_agrees_with_reference(number):
    found = identity.parse(number)
    assert (found.id_type, found.value) == reference.canonical(number)


@given(
    body=st.from_regex(r"449999(0[1-9]|[1-9][0-9])0[1-9][12][0-9][0-9]{3}", fullmatch=True).filter(
        lambda b: b[8:12] != "0229"
    )
)
def test_old_form_is_the_same_person(body):
    found = identity.parse(body)
    assert found.value[:-1] == body[:6] + "19" + body[6:]
    assert identity.parse(found.value) == found


@given(number=numbers(), at=st.integers(0, 17), mark=st.sampled_from("①②⑨²³⁴½Ⅹ𝟗٤"))
def test_digits_that_only_look_like_digits_are_refused(number, at, mark):
    """NFKC would fold them: a footnote mark must not become part of a number."""
    with pytest.raises(IdentityError) as caught:
        identity.parse(number[:at] + mark + number[at + 1 :])
    assert caught.value.reason == "bad_characters"


@given(number=numbers())
def test_text_hides_the_number(number):
    assert number[:6] not in repr(identity.parse(number))


@given(name=any_text)
@example(name="张\udc80三")
def test_name_check_survives_any_text(name):
    assert 0 <= label.name_check(NUMBER, name) <= 255


@given(name=st.text(max_size=20))
def test_normal_form_does_not_depend_on_how_a_name_is_composed(name):
    forms = {
        names.normalise_name(unicodedata.normalize(form, name)) for form in ("NFC", "NFD", "NFKC", "NFKD")
    }
    assert len(forms) == 1


@given(name=any_text)
@example(name="\u0345\u200b\u0301")
def test_normal_form_of_a_name_is_idempotent(name):
    once = names.normalise_name(name)
    assert names.normalise_name(once) == once


@given(name=st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
def test_name_check_agrees_with_reference(name):
    assert label.name_check(NUMBER, name) == reference.name_check(NUMBER, name)
