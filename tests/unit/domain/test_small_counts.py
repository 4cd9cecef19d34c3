"""No small count can be worked out from the sum of a table and its other cells."""

from hypothesis import given
from hypothesis import strategies as st

from node.domain.small_counts import HIDDEN, LEAST, SMALL, hide

COUNTS = st.lists(st.one_of(st.integers(1, 30), st.integers(1, 5_000)), min_size=1, max_size=12)


def bounds(cell: object) -> tuple[int, float]:
    """What a cell says by itself: a row that is there is at least one."""
    if isinstance(cell, int):
        return cell, cell
    return (1, LEAST - 1) if cell == SMALL else (LEAST, float("inf"))


@given(COUNTS)
def test_a_small_count_could_be_anything_from_1_to_9(counts: list[int]) -> None:
    shown, total = hide(counts), sum(counts)
    if all(cell == HIDDEN for cell in shown):
        return  # and no row is shown
    known = [bounds(cell) for cell in shown]
    for at, cell in enumerate(shown):
        others = known[:at] + known[at + 1 :]
        least = max(known[at][0], total - sum(high for _, high in others))
        most = min(known[at][1], total - sum(low for low, _ in others))
        if cell == SMALL:
            assert (least, most) == (1, LEAST - 1)
        elif cell == HIDDEN:
            assert most > least


@given(COUNTS)
def test_no_small_count_is_shown_and_nothing_is_hidden_without_one(counts: list[int]) -> None:
    shown = hide(counts)
    assert all(count >= LEAST for count, cell in zip(counts, shown, strict=True) if isinstance(cell, int))
    assert shown == counts or min(counts) < LEAST


def test_cells() -> None:
    assert hide([0, 20, 400]) == [0, 20, 400]
    assert hide([5, 20, 400]) == [SMALL, 20, HIDDEN]
    assert hide([1, 10, 12]) == [HIDDEN] * 3  # 10 and 12 are not enough to hide a 1
    assert hide([1, 14, 16]) == [SMALL, HIDDEN, HIDDEN]
