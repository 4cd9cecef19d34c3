"""A cohort and the rows of a sum, on bytes alone: the sum equals that of the plain join."""

import secrets
from functools import cache

import pytest

from matcher.errors import CiphertextError
from matcher.sums import cohort, paillier, slots
from matcher.sums.disclosure import Released, Rules, Suppressed, judge_noisy, judge_opened
from matcher.sums.guards import Earlier
from matcher.sums.slots import CheckKey, Layout, Totals

SECRET = bytes(range(32))
LAYOUT = Layout.of((), 1024)
CHECK = CheckKey.derive(SECRET, "B11", LAYOUT)
POINTS = [bytes([number]) * 32 for number in range(8)]
VALUES = [100 * number for number in range(8)]


@cache
def key():
    return paillier.generate(1024)


@cache
def rows():
    public = key().public
    bits = (slots.guard_bits(SECRET, point) for point in POINTS)
    plain = (slots.pack(LAYOUT, CHECK, value, guards) for value, guards in zip(VALUES, bits, strict=True))
    return b"".join(paillier.to_bytes(public, paillier.encrypt(public, one)) for one in plain)


def add(numbers):
    """The sum of the rows of some people, opened by the holder of the key."""
    public = key().public
    wanted = cohort.distinct_points(b"".join(POINTS[number] for number in numbers), 32)
    chosen = cohort.choose_rows(wanted, b"".join(POINTS), rows(), 32, public.ciphertext_size)
    total = cohort.add_rows(public, chosen.values(), secrets.token_bytes)
    return total, cohort.open_totals(key(), SECRET, "B11", LAYOUT, int.from_bytes(total, "big"))


@pytest.mark.parametrize("numbers", [(), (3,), (1, 4, 6), range(8), (2, 2, 5)])
def test_the_sum_is_that_of_the_plain_join(numbers):
    found = [VALUES[number] for number in set(numbers)]
    _, totals = add(numbers)
    assert totals is not None
    assert (totals.count, totals.total, totals.squares) == (
        len(found),
        sum(found),
        sum(value * value for value in found),
    )


@pytest.mark.parametrize("numbers", [(), (3,)], ids=["nobody", "one"])
def test_a_sum_is_fresh_each_time(numbers):
    """Before decryption, the key holder cannot distinguish a row, a sum and the sum of no rows."""
    size = key().public.ciphertext_size
    seen = {add(numbers)[0] for _ in range(3)}
    assert len(seen) == 3
    assert not seen & {rows()[at : at + size] for at in range(0, len(rows()), size)}


def test_rows_are_checked_whether_they_match_or_not():
    public = key().public
    cohort.require_rows(public, rows())
    cohort.require_rows(public, b"")
    size = public.ciphertext_size
    for bad in (bytes(size), public.n_squared.to_bytes(size, "big"), key().p.to_bytes(size, "big")):
        for at in (0, size, len(rows())):
            with pytest.raises(CiphertextError):
                cohort.require_rows(public, rows()[:at] + bad + rows()[at:])


@pytest.mark.parametrize("added", [1, 1 << 128, 1 << 256, 1 << 500])
def test_a_number_that_is_no_row_opens_to_nothing(added):
    """Added to real rows, on any slot: the answer is only the word `inconsistent`."""
    public = key().public
    forged = int.from_bytes(add((1, 2))[0], "big") * paillier.encrypt(public, added) % public.n_squared
    totals = cohort.open_totals(key(), SECRET, "B11", LAYOUT, forged)
    assert totals is None
    assert judge_opened(totals, 100, Rules()) == Suppressed("inconsistent")
    assert judge_noisy(totals, 100, 10) == Suppressed("inconsistent")


def test_a_sum_of_another_item_or_epoch_opens_to_nothing():
    total = int.from_bytes(add((1, 2))[0], "big")
    assert cohort.open_totals(key(), SECRET, "D35", LAYOUT, total) is None
    assert cohort.open_totals(key(), bytes(32), "B11", LAYOUT, total) is None


TOTALS = Totals(12, 78, 650, (), (6, 5, 7, 6, 6, 5, 6, 7), 0)


def test_no_more_are_found_than_were_asked():
    assert isinstance(judge_opened(TOTALS, 12, Rules()), Released)
    assert judge_opened(TOTALS, 11, Rules()) == Suppressed("inconsistent")
    assert judge_opened(TOTALS, 12, Rules(), [Earlier(12, ())]) == Suppressed("differencing")
    assert judge_noisy(TOTALS, 12, 12) is TOTALS
    assert judge_noisy(TOTALS, 11, 10) == Suppressed("inconsistent")
    assert judge_noisy(TOTALS, 12, 13) == Suppressed("min_cohort")


def test_shuffled_points_are_the_same_points():
    points = b"".join(POINTS)
    shuffled = cohort.shuffle(points, 32, secrets.token_bytes)
    assert cohort.distinct_points(shuffled, 32) == frozenset(POINTS)
    assert len(shuffled) == len(points)
    assert cohort.shuffle(b"", 32, secrets.token_bytes) == b""


def test_a_digest_covers_point_and_ciphertext_of_each_row():
    assert cohort.interleave(b"aabb", b"123456", 2, 3) == b"aa123bb456"
    assert cohort.interleave(b"", b"", 2, 3) == b""
