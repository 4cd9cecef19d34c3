"""Names: folded by tables of the repository, whatever Python runs; compared with the character database."""

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher import name_tables, names
from matcher.names import has_private_use, is_name, normalise_name
from tests.vectors import name_tables as generator
from tests.vectors import reference

SAME = (
    ("龚\ue863", "龚䶮"),  # GBK's private use code of what is U+4DAE now
    ("买买提·热依汗", "买买提•热依汗"),
    ("买买提 热依汗", "买买提热依汗"),
    ("张\u200e三", "张三"),
    ("张\u00ad三", "张三"),
    ("张\u202a三\u202c", "张三"),
    ("葛\U000e0100城", "葛城"),  # the picture of one letter that a font prefers
    ("ＡＢ", "ab"),
    ("é", "e\u0301"),
    ("ǘ", "u\u0308\u0301"),
    ("q\u0323\u0307", "q\u0307\u0323"),
    ("豈", "\uf900"),
    ("김", "\u1100\u1175\u11b7"),
    ("straße", "STRASSE"),
    ("㈱", "(株)"),
)


@pytest.mark.parametrize(("one", "other"), SAME)
def test_same_name(one, other):
    assert normalise_name(one) == normalise_name(other)


@pytest.mark.parametrize(("one", "other"), [("张三", "张叁"), ("龚\ue863", "龚"), ("é", "e"), ("𠮷", "吉")])
def test_other_name(one, other):
    assert normalise_name(one) != normalise_name(other)


def test_every_character_may_be_in_a_name_but_controls_and_line_ends():
    refused = {
        code for code in range(sys.maxunicode + 1) if not is_name(f"张{chr(code)}三") and chr(code) != "\t"
    }
    expected = {*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029, *range(0xD800, 0xE000)} - {9}
    assert refused == expected


@pytest.mark.parametrize("code", ["\U00031350", "\U0002ebf0", "\U000323af", "\u9ffd"])
def test_newer_characters_stay(code):
    """Extensions H, I and later: no Python of today needs to know them."""
    assert normalise_name(f"张{code}") == f"张{code}"
    assert is_name(f"张{code}")


def test_private_use():
    assert has_private_use("张\ue000")
    assert not has_private_use("龚\ue863")


@given(st.text())
def test_a_folded_name_is_folded(name):
    assert normalise_name(normalise_name(name)) == normalise_name(name)


@given(st.text(), st.text())
def test_parts_fold_as_the_whole(one, other):
    assert normalise_name(normalise_name(one) + normalise_name(other)) == normalise_name(one + other)


KNOWN = pytest.mark.skipif(unicodedata.unidata_version < "14", reason="an older character database")


@KNOWN
@given(st.text(st.characters(exclude_categories=("Cs", "Cn", "Co"))))
def test_as_the_character_database_says(name):
    """Canonically equal names, in any letter case, fold alike."""
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        assert normalise_name(unicodedata.normalize(form, name)) == normalise_name(name)
    assert normalise_name(name.upper()) == normalise_name(name)


@KNOWN
@given(st.text(st.characters(exclude_categories=("Cs", "Cn"))))
def test_as_the_second_implementation(name):
    assert normalise_name(name) == reference.fold_name(name)


def test_private_codes_of_gbk_are_those_of_gb18030():
    """Python's codec knows most of the places that they moved to."""
    moved = {}
    for place, second in enumerate([*range(0x50, 0x7F), *range(0x80, 0xA1)]):
        moved[0xE815 + place] = ord(bytes((0xFE, second)).decode("gb18030"))
    known = {code: now for code, now in moved.items() if not 0xE000 <= now <= 0xF8FF}
    assert len(known) > 60
    assert {code: generator.GBK_PRIVATE[code] for code in known} == known


@pytest.mark.skipif(unicodedata.unidata_version != generator.VERSION, reason="the tables are of Unicode 14.0")
def test_the_tables_are_what_their_program_writes():
    # The table of OpenCC is not in the repository: what was taken from it is.
    taken = "\n".join(f"{chr(one)}\t{other}" for one, other in names._simplified().items())
    namespace = {}
    exec(generator.render(taken), namespace)
    assert namespace["FOLDS"] == name_tables.FOLDS
    assert namespace["COMBINING"] == name_tables.COMBINING
    assert namespace["SIMPLIFIED"] == name_tables.SIMPLIFIED


def test_another_version_of_the_characters_is_refused(tmp_path):
    (tmp_path / "TSCharacters.txt").write_text("甲\t乙\n", encoding="utf-8")
    with pytest.raises(SystemExit, match="another version"):
        generator.main(tmp_path / "TSCharacters.txt")


def test_the_program_follows_a_character_to_its_end_and_takes_the_first():
    table = "甲\t乙 丙\n乙\t丁\n戊\t戊 己\n庚\t辛壬\n\uf900\t甲\n"
    assert generator.simplified(table) == {"甲": "丁", "乙": "丁"}
