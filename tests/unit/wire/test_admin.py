"""What administrators send is bounded before it is used."""

import pytest
from heqiao.admin.v1 import access_pb2, records_pb2

from node.errors import InvalidRequestError
from node.wire import admin


def test_a_page_has_a_size_and_an_end():
    asked = records_pb2.ListImportsRequest
    assert admin.read_page(asked()) == (50, 0)
    assert admin.read_page(asked(limit=7, offset=3)) == (7, 3)
    assert admin.read_page(asked(limit=2**32 - 1)) == (500, 0)
    with pytest.raises(InvalidRequestError, match="the offset is too large"):
        admin.read_page(asked(offset=2**32 - 1))


@pytest.mark.parametrize(
    ("read", "values"),
    [
        (admin.read_peer, ("", "4", "4a", "444", "４４", "44\n")),
        (admin.read_quota, ("", "points", "points.year", "points.suspended", "money.hour", "points.hour.x")),
        (admin.read_measure, ("", "money", "POINTS")),
        (admin.read_word, ("x" * 65, "%", "a b", "Wu", "\x00", '"')),
        (admin.read_grant_texts, (["45"] * 1_001, ["4" * 65])),
        (lambda day: admin.read_days(day, ""), ("2026-13-01", "1", "x" * 99)),
        (lambda day: admin.read_days("", day), ("9999-12-31", "2026-02-30")),
    ],
)
def test_what_is_refused(read, values):
    for value in values:
        with pytest.raises(InvalidRequestError):
            read(value)


def test_an_empty_amount_is_the_default_and_a_huge_one_is_refused():
    assert admin.read_amount(access_pb2.SetQuotaRequest()) is None
    assert admin.read_amount(access_pb2.SetQuotaRequest(amount=0)) == 0
    with pytest.raises(InvalidRequestError, match="too large"):
        admin.read_amount(access_pb2.SetQuotaRequest(amount=10**15 + 1))


def test_days_are_days_of_china_and_both_count():
    since, until = admin.read_days("2026-07-01", "2026-07-01")
    assert (since.isoformat(), until.isoformat()) == (
        "2026-06-30T16:00:00+00:00",
        "2026-07-01T16:00:00+00:00",
    )
    assert admin.read_days("", "") == (None, None)
