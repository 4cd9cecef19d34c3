"""Identity numbers: the table of domain.md section 5 and the faults of real files."""

import pytest

from matcher import identity
from matcher.errors import IdentityError
from matcher.types import Identity

GOOD = {
    "digits": ("449999190001010034", "resident", "449999190001010034"),
    "X": ("33999919000101008X", "resident", "33999919000101008X"),
    "lower-case x": ("33999919000101008x", "resident", "33999919000101008X"),
    "full-width digits": ("４４９９９９１９０００１０１００３４", "resident", "449999190001010034"),
    "full-width upper X": ("33999919000101008Ｘ", "resident", "33999919000101008X"),
    "full-width lower x": ("33999919000101008ｘ", "resident", "33999919000101008X"),
    "mixed widths": ("4４9９9９190001010034", "resident", "449999190001010034"),
    "blanks around": ("  449999190001010034 \t", "resident", "449999190001010034"),
    "full-width blanks": ("\u3000449999190001010034\u3000", "resident", "449999190001010034"),
    "no-break space, line end": ("\u00a0449999190001010034\r\n", "resident", "449999190001010034"),
    "leap day": ("449999200002290038", "resident", "449999200002290038"),
    "15 digits": ("449999000101003", "resident", "449999190001010034"),
    "15 full-width digits": ("４４９９９９０００１０１００３", "resident", "449999190001010034"),
    "Hong Kong permit": ("810000190001010018", "hmt-permit", "810000190001010018"),
    "Macao permit": ("82000019000101001x", "hmt-permit", "82000019000101001X"),
    "Taiwan permit": ("830000190001010011", "hmt-permit", "830000190001010011"),
    "foreign card of 2023": ("900999190001010010", "foreign-permit", "900999190001010010"),
    "foreign card before 2023": ("utp999919000101", "foreign-permit-old", "UTP999919000101"),
    "full-width letters": ("ＵＴＰ999919000101", "foreign-permit-old", "UTP999919000101"),
}


@pytest.mark.parametrize("case", GOOD)
def test_canonical_form(case):
    raw, id_type, value = GOOD[case]
    assert identity.parse(raw) == Identity(id_type, value)


@pytest.mark.parametrize("case", GOOD)
def test_type_beside_the_number_must_agree(case):
    raw, id_type, value = GOOD[case]
    assert identity.parse(raw, id_type) == Identity(id_type, value)
    assert identity.parse(raw, "") == Identity(id_type, value), "an empty field states no type"
    for other in set(identity.TYPES) - {id_type}:
        with pytest.raises(IdentityError) as caught:
            identity.parse(raw, other)
        assert caught.value.reason == "type_conflict"


@pytest.mark.parametrize(
    ("raw", "origin", "known"),
    [
        ("449999190001010034", "44", True),
        ("33999919000101008X", "33", True),
        ("810000190001010018", "81", True),
        ("830000190001010011", "83", True),
        ("900999190001010010", "00", True),
        ("UTP999919000101", "00", True),
    ],
)
def test_origin(raw, origin, known):
    found = identity.parse(raw)
    assert (identity.origin(found), identity.has_known_area(found)) == (origin, known)


@pytest.mark.parametrize("prefix", ["169999", "029999", "559999", "799999", "839999"])
def test_unknown_address_code_is_only_a_warning(prefix):
    body = prefix + "19000101003"
    found = identity.parse(body + identity.check_digit(body))
    assert found.id_type == "resident"
    assert not identity.has_known_area(found)


def test_there_are_34_provinces():
    assert len(identity.PROVINCES) == 34


@pytest.mark.parametrize("at", range(17))
def test_every_wrong_digit_and_every_swap_is_found(at):
    """MOD 11-2 finds every single error and every swap of neighbours (here: or the date breaks first)."""
    value = "449999190001010034"
    for digit in set("0123456789") - {value[at]}:
        with pytest.raises(IdentityError) as caught:
            identity.parse(value[:at] + digit + value[at + 1 :])
        assert caught.value.reason in {"bad_check_digit", "bad_date"}
    swapped = value[:at] + value[at + 1] + value[at] + value[at + 2 :]
    if swapped != value:
        with pytest.raises(IdentityError):
            identity.parse(swapped)


def test_text_of_an_identity_hides_the_number():
    found = identity.parse("449999190001010034")
    for text in (repr(found), str(found), f"{found}", f"{[found]!r}", "%s" % found):  # noqa: UP031
        assert "4499" not in text
        assert "0034" not in text
    assert found.id_type in repr(found)


def test_errors_never_repeat_the_number():
    with pytest.raises(IdentityError) as caught:
        identity.parse("449999190001010035")
    error = caught.value
    assert error.__cause__ is None
    assert "449999" not in f"{error} {error!r} {error.args}"


def test_planted():
    planted = identity.planted("C21", "44", "hit/1")
    assert identity.origin(planted) == "44"
    assert "hit" not in repr(planted)
    assert identity.has_known_area(planted)
