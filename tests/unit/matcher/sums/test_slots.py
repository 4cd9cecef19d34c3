"""Slots compared with plain sums, at their bounds, and with forged numbers added."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher.errors import InconsistentError, SlotsError
from matcher.sums import slots
from matcher.sums.guards import has_multiples
from matcher.sums.slots import CheckKey, Layout

SECRET = bytes(range(32))
BANDS = (100, 5000, 1_000_000)
LAYOUT = Layout.of(BANDS, 3072)
PLAIN = Layout.of((), 2048)
POINTS = [bytes([at]) * 32 for at in range(64)]
BITS = [slots.guard_bits(bytes(range(32)), point) for point in POINTS]
KEY = CheckKey.derive(SECRET, "wages", LAYOUT)
GREATEST = CheckKey((1 << 80) - 1, ((1 << 40) - 1,) * len(KEY.betas))


def plain(values, layout=LAYOUT):
    bands = [0] * (len(layout.bands) + 1 if layout.bands else 0)
    for value in values:
        if layout.bands:
            bands[sum(value > bound for bound in layout.bands)] += 1
    return len(values), sum(values), sum(v * v for v in values), tuple(bands)


def packed(values, layout=LAYOUT, key=KEY):
    """The sum of a row for each value, with the guards of the first points."""
    return sum(slots.pack(layout, key, value, bits) for value, bits in zip(values, BITS, strict=False))


def opened(values, layout=LAYOUT, key=KEY):
    totals = slots.unpack(layout, packed(values, layout, key))
    slots.require_consistent(key, totals)
    plain_guards = [sum(bits >> at & 1 for bits in BITS[: len(values)]) for at in range(8)]
    assert list(totals.guards) == plain_guards
    return totals.count, totals.total, totals.squares, totals.bands


@given(st.lists(st.integers(0, LAYOUT.max_value) | st.integers(0, 10_000), max_size=30))
def test_sums_are_plain_sums(values):
    assert opened(values) == plain(values)


@pytest.mark.parametrize("bound", [0, *BANDS, LAYOUT.max_value])
@pytest.mark.parametrize("step", [-1, 0, 1])
def test_values_about_bounds(bound, step):
    value = bound + step
    if 0 <= value <= LAYOUT.max_value:
        assert opened([value]) == plain([value])
    else:
        with pytest.raises(SlotsError) as caught:
            slots.pack(LAYOUT, KEY, value, 0)
        assert str(value) not in str(caught.value)


@pytest.mark.parametrize("value", [0, LAYOUT.max_value])
def test_the_fullest_sum_does_not_overflow(value):
    rows = LAYOUT.max_rows
    totals = slots.unpack(LAYOUT, rows * slots.pack(LAYOUT, GREATEST, value, 255))
    slots.require_consistent(GREATEST, totals)
    assert (totals.count, totals.total, totals.squares) == (rows, rows * value, rows * value**2)
    assert totals.guards == (rows,) * 8


def test_a_layout_without_bands():
    key = CheckKey.derive(SECRET, "wages", PLAIN)
    assert opened([7, 8], PLAIN, key) == (2, 15, 113, ())


def test_a_plaintext_is_below_the_modulus():
    widest = Layout.of(tuple(range(16)), 3072)
    key = CheckKey.derive(SECRET, "wages", widest)
    assert slots.pack(widest, key, widest.max_value, 255) * widest.max_rows < 1 << 3071


@pytest.mark.parametrize(
    ("bands", "bits"),
    [
        (tuple(range(17)), 3072),
        (tuple(range(9)), 2048),
        ((5, 5), 3072),
        ((5, 4), 3072),
        ((-1,), 3072),
        ((1 << 40,), 3072),
        ((), 512),
    ],
)
def test_layouts_that_cannot_fit(bands, bits):
    with pytest.raises(SlotsError):
        Layout.of(bands, bits)


@pytest.mark.parametrize("rows", [0, (1 << 20) + 1])
def test_numbers_of_rows_out_of_range(rows):
    with pytest.raises(SlotsError):
        Layout.of((), 3072, rows)


@pytest.mark.parametrize("rows", [1, 1000, 1 << 19])
def test_other_numbers_of_rows(rows):
    layout = Layout.of((), 3072, rows)
    key = CheckKey((1 << 80) - 1, ((1 << 40) - 1,) * layout.numbers)
    totals = slots.unpack(layout, rows * slots.pack(layout, key, layout.max_value, 255))
    slots.require_consistent(key, totals)


GUARDS_AT = 128 * (3 + LAYOUT.band_slots)
FORGED = {
    "count": 1,
    "value": 12345 << 128,
    "square": 10**10 << 256,
    "band": 1 << 384,
    "another band": (1 << 512) - (1 << 384),
    "a whole row": slots.pack(LAYOUT, CheckKey.derive(SECRET, "pension", LAYOUT), 500, 7),
    "a row without check": slots.pack(LAYOUT, CheckKey(0, (0,) * len(KEY.betas)), 500, 7),
    "a guard": 1 << GUARDS_AT,
    "the guard beside it": 1 << GUARDS_AT + 21,
    "a guard of the second slot": 1 << GUARDS_AT + 128,
    "less of a guard": -(1 << GUARDS_AT),
    "above the guards": 1 << GUARDS_AT + 126,
    "above the guards of the second slot": 1 << GUARDS_AT + 128 + 42,
    "check": 1 << (LAYOUT.slots - 1) * 128,
    "less value": -(300 << 128),
    "carry": 1 << 127,
}


@pytest.mark.parametrize("name", FORGED)
def test_added_numbers_are_caught(name):
    honest = packed(range(200, 230))
    with pytest.raises(InconsistentError):
        slots.require_consistent(KEY, slots.unpack(LAYOUT, honest + FORGED[name]))


def test_more_rows_than_fit_are_caught():
    """Of one row 2^21 times each guard would run into the next."""
    with pytest.raises(InconsistentError):
        slots.unpack(LAYOUT, (LAYOUT.max_rows + 1) * slots.pack(LAYOUT, KEY, 5, 255))


def test_guards_depend_on_point_and_epoch_and_on_nothing_else():
    """Half of all bits are ones, and those of two epochs agree in half."""
    secrets_ = (bytes(range(32)), bytes(32))
    first, other = ([slots.guard_bits(one, bytes([a, b]) * 16) for a in range(64) for b in range(64)]
                    for one in secrets_)  # fmt: skip
    ones, equal = (
        sum(map(int.bit_count, first)),
        sum((a ^ b).bit_count() for a, b in zip(first, other, strict=True)),
    )
    assert abs(ones - 4 * 4096) < 500  # 5.5 deviations
    assert abs(equal - 4 * 4096) < 500
    assert slots.guard_bits(secrets_[0], POINTS[1]) == BITS[1]


@pytest.mark.parametrize("total", [-1, 1 << LAYOUT.slots * 128])
def test_totals_beyond_the_slots(total):
    with pytest.raises(InconsistentError):
        slots.unpack(LAYOUT, total)


def test_totals_of_another_layout():
    with pytest.raises(InconsistentError):
        slots.require_consistent(KEY, slots.unpack(PLAIN, 0))


def test_a_scaled_row_passes():
    """A forgery that the check slot cannot detect: the guards do, and a variance of zero."""
    totals = slots.unpack(LAYOUT, 12 * slots.pack(LAYOUT, KEY, 500, BITS[0]))
    slots.require_consistent(KEY, totals)
    assert has_multiples(totals.count, totals.guards)
    assert totals.count * totals.squares == totals.total**2


def test_check_keys_differ_and_do_not_show():
    others = [
        CheckKey.derive(SECRET, "pension", LAYOUT),
        CheckKey.derive(bytes(32), "wages", LAYOUT),
    ]
    assert KEY not in others
    assert CheckKey.derive(SECRET, "wages", LAYOUT) == KEY
    assert KEY.alpha.bit_length() <= 80
    assert all(0 < beta < 1 << 40 for beta in KEY.betas)
    assert str(KEY.alpha) not in repr(KEY)
    assert repr(slots.unpack(LAYOUT, 1)) == "Totals()"
    with pytest.raises(SlotsError):
        CheckKey.derive(b"short", "wages", LAYOUT)
