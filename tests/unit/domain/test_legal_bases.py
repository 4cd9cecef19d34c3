"""Names of legal bases."""

from node.domain.legal_bases import LEGAL_BASES, described, name_of
from node.domain.matters import URGENT_BASIS


def test_each_code_of_the_list_has_its_article() -> None:
    for code, one in LEGAL_BASES.items():
        article = code.rpartition("-")[2]
        assert one.name[0].endswith(f"第{article}条")
        assert one.name[1].endswith(f"art. {article}")
    assert URGENT_BASIS in LEGAL_BASES


def test_an_article_without_words_of_its_own_has_its_name_and_another_code_none() -> None:
    assert name_of("SA-2026-12") == ("《社会救助法》第12条", "Social Assistance Law, art. 12")
    assert described("SA-2026-12", "zh") == "《社会救助法》第12条"
    assert described("SA-2026-46", "en") == (
        "Social Assistance Law, art. 46: regular re-checks and spot checks"
    )
    assert name_of("GX-2026-1") is None
    assert described("GX-2026-1", "zh") == "GX-2026-1"
