"""Numbers and names: check characters, uniqueness, and ways of writing that mean the same."""

import random
import unicodedata
from datetime import date

import pytest

from synth.names import draw_name, draw_other_name, write_name
from synth.numbers import NumberBook, check_character, fifteen, has_fifteen, spoil_check, write_number


@pytest.mark.parametrize(
    "number",
    # the examples of domain.md section 5
    ["449999190001010034", "33999919000101008X", "449999200002290038", "810000190001010018",
     "82000019000101001X", "830000190001010011", "900999190001010010"],
)  # fmt: skip
def test_check_character(number: str) -> None:
    assert check_character(number[:17]) == number[17]
    assert spoil_check(number)[:17] == number[:17]
    assert spoil_check(number)[17] != number[17]


def test_numbers_are_unique_and_tell_the_sex() -> None:
    book = NumberBook(random.Random(1))
    numbers = [book.draw_resident("44", date(1970, 5, 6), male) for male in (True, False) for _ in range(400)]
    assert len(set(numbers)) == 800
    assert all(int(number[16]) % 2 == (place < 400) for place, number in enumerate(numbers))
    old = [book.draw_foreign_old(date(1970, 5, 6)) for _ in range(100)]
    assert len(set(old)) == 100


def test_fifteen_digits() -> None:
    assert fifteen("449999190001010034") == "449999000101003"
    assert has_fifteen("449999190001010034")
    assert not has_fifteen("449999200002290038")
    assert not has_fifteen("810000190001010018")
    assert not has_fifteen("XXX999919010100")


def test_every_writing_means_the_same_number() -> None:
    rng = random.Random(2)
    seen = set()
    for number in ("449999190001010034", "33999919000101008X", "449999200002290038"):
        for _ in range(300):
            text, fault = write_number(rng, number, 0.2)
            seen.add(fault)
            plain = unicodedata.normalize("NFKC", text).strip().upper()
            if fault == "fifteen_digits":
                plain = f"{plain[:6]}19{plain[6:]}{number[17]}"
            assert plain == number
            assert (text == number) == (fault == "")
    assert seen == {"", "lower_x", "fifteen_digits", "full_width", "blanks"}


def test_names_written_otherwise_are_the_same_name() -> None:
    rng = random.Random(3)
    changed = 0
    for _ in range(2000):
        name = draw_name(rng, "65" if rng.random() < 0.1 else "45", True, 1980)
        text, differs = write_name(rng, name, 0.1)
        assert differs == (text != name)
        changed += differs
        assert "".join(unicodedata.normalize("NFKC", text).split()).replace("•", "·") == name
    assert changed > 100


def test_another_name_is_another_name() -> None:
    rng = random.Random(4)
    assert all(draw_other_name(rng, "45", "韦国强")[0] != "韦" for _ in range(200))
