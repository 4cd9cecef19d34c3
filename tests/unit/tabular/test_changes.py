"""Watermarks: only numbers, dates and moments get into a query and into a file."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.errors import InputError
from node.tabular.changes import Changes, changed_rows, check_watermark, move_back

GOOD = ("0", "-5", "20260630", "1782864000000", "1782864000000000000", "2026-06-30", "2026-06-30 08:00")
GOOD += ("2026-06-30 08:00:00.5", "2026-06-30T08:00:00Z", "2026-06-30 08:00:00+08:00")
BAD = ("", "449999190001010034", "449999000101003", "x", "1' OR '1'='1", "2026-06-30; DROP TABLE x", "1.5")
BAD += ("２０２６-06-30", "2026-06-30\n", "NULL", "9" * 20)


@pytest.mark.parametrize("text", GOOD)
def test_what_a_watermark_is(text):
    assert check_watermark(text) == text


@pytest.mark.parametrize("text", BAD)
def test_what_no_watermark_is(text):
    with pytest.raises(InputError) as caught:
        check_watermark(text)
    assert not text.strip() or text not in str(caught.value)
    with pytest.raises(InputError):
        changed_rows("SELECT 1", Changes("a", "b", text), str)


@given(st.datetimes(datetime(2000, 1, 1), datetime(2099, 1, 1)), st.integers(1, 10_000))  # noqa: DTZ001
def test_a_moment_moves_back_and_stays_in_its_form(moment, minutes):
    for separator in "T ":
        text = moment.isoformat(sep=separator, timespec="microseconds")
        found = move_back(text, minutes)
        assert datetime.fromisoformat(found) == moment - timedelta(minutes=minutes)
        assert (len(found), found[10], found < text) == (len(text), separator, True)
    assert (move_back("2026-06-30", minutes), move_back("17", minutes)) == ("2026-06-30", "17")
