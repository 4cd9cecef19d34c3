"""Words of printed reports, and the widths of their columns."""

from hypothesis import given
from hypothesis import strategies as st

from node.domain.findings import PeerSummary
from node.reports import pdf
from node.reports.print_words import answering, basis_text, number_title

CELLS = st.lists(st.text("ab 0,-。项目\n", max_size=60), min_size=1, max_size=4)


def test_a_legal_basis_is_written_out() -> None:
    assert basis_text("SA-2026-41", "zh") == "《社会救助法》第41条（SA-2026-41）"
    assert basis_text("SA-2014-58", "en") == "Interim Measures for Social Assistance, art. 58 (SA-2014-58)"
    assert basis_text("GD-2025-26", "zh") == "《政务数据共享条例》第26条（GD-2025-26）"
    assert basis_text("SA-2026-77", "en") == "Social Assistance Law, art. 77 (SA-2026-77)"
    for code in ("GX-2026-1", "SA-2026-", "SA-2026-x", "SA-2026-４", "SA-2026-0", "SA-2026-041"):
        assert basis_text(code, "zh") == f"{code}（未列入法律依据代码表）"
        assert basis_text(code, "en") == f"{code} (not on the list of legal bases)"
    assert basis_text("", "zh") == "-"


def test_the_own_province_is_marked() -> None:
    peers = (PeerSummary("44", "广东", "done"), PeerSummary("45", "广西", "done"))
    assert answering(peers, "45", "zh") == "44 广东、45 广西（本省）"
    assert answering(peers, "51", "en") == "44 广东, 45 广西"


def test_sections_are_numbered() -> None:
    assert [number_title("甲", at, "zh") for at in (1, 12, 13)] == ["一、甲", "十二、甲", "13、甲"]
    assert number_title("members", 2, "en") == "2. Members"


@given(st.lists(st.tuples(CELLS, st.booleans()), min_size=1, max_size=6))
def test_no_column_is_narrower_than_its_longest_word(columns: list[tuple[list[str], bool]]) -> None:
    """Where the words of all columns fit on the page, none can run into its neighbour."""
    widths = pdf._widths([texts for texts, _ in columns], [is_figure for _, is_figure in columns])
    assert all(width > 0 for width in widths)
    if sum(widths) > 102.001:  # they fit no page as they are, and share it
        return
    for (texts, _), width in zip(columns, widths, strict=True):
        words = [word for text in texts for word in text.split() if word.isascii()]
        assert width >= min(max(map(len, words), default=0), 46) + 2
