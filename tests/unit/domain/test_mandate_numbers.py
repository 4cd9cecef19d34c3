"""Numbers of mandates, beside the generator of synthetic lists, which has its own check character."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.domain.mandate_numbers import check_character, is_mistyped, make_number, parse_number
from synth.numbers import check_character as other_check_character

DAYS = st.dates(date(1990, 1, 1), date(2099, 12, 31))
NUMBERS = st.builds(
    make_number,
    st.from_regex(r"[0-9]{6}", fullmatch=True).filter(str.isascii),
    DAYS,
    st.sampled_from(("01", "02", "90", "99")),
    st.integers(1, 99_999),
)


@given(NUMBERS)
def test_a_number_is_of_its_parts(number: str) -> None:
    parts = parse_number(number)
    assert parts is not None
    assert str(parts) == number
    assert make_number(parts.county, parts.day, parts.matter, parts.sequence) == number
    assert number[-1] == other_check_character(number[:-1])
    assert not is_mistyped(number)
    assert not is_mistyped(number.lower())


@given(NUMBERS, st.integers(0, 20), st.integers(1, 9))
def test_a_wrong_digit_and_exchanged_neighbours_are_found(number: str, place: int, more: int) -> None:
    wrong = f"{number[:place]}{(int(number[place]) + more) % 10}{number[place + 1 :]}"
    assert is_mistyped(wrong) or parse_number(wrong) is None
    swapped = number[:place] + number[place + 1] + number[place] + number[place + 2 :]
    assert swapped == number or is_mistyped(swapped) or parse_number(swapped) is None


def test_the_example_of_iso_7064() -> None:
    """ISO/IEC 7064, pure system MOD 11-2: 0794 has the check character 0, and 079 has X."""
    assert check_character("0794") == "0"
    assert check_character("079") == "X"


@pytest.mark.parametrize(
    "number", ["苏授〔2026〕7号", "4503012026013201000018", "45030120260701010000", "A-1"]
)
def test_a_number_of_another_form_is_left_alone(number: str) -> None:
    assert parse_number(number) is None
    assert not is_mistyped(number)


NO_NUMBERS = [
    ("4503", "01", 1),
    ("450301", "1", 1),
    ("450301", "01", 0),
    ("450301", "01", 100_000),
    ("４５０３０１", "01", 1),
]


@pytest.mark.parametrize(("county", "matter", "sequence"), NO_NUMBERS)
def test_parts_that_make_no_number(county: str, matter: str, sequence: int) -> None:
    with pytest.raises(ValueError, match=r"is 1 to|has 6 digits|that of digits"):
        make_number(county, date(2026, 7, 1), matter, sequence)
