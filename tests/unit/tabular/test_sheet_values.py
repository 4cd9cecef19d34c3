"""Numbers of a spreadsheet: what is exact and what has lost digits."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.tabular.delimited import CellError
from node.tabular.typed_values import ErrorCell, MergedCell, OtherCell, Role, SheetNumber, cell_text

CASES = [
    (Role.CODE, 449999000101003.0, "449999000101003"),
    (Role.CODE, 1e15, "digits_lost"),
    (Role.CODE, 449999190001010034.0, "digits_lost"),
    (Role.RECORD, 123456.0, "123456"),
    (Role.RECORD, 1.5, "decimal_number"),
    (Role.RECORD, float("inf"), "digits_lost"),
    (Role.CODE, float("nan"), "digits_lost"),
    (Role.NAME, 5.0, "wrong_type"),
    (Role.MONEY, 0.1 + 0.2, "0.3"),
    (Role.MONEY, 1234567.89, "1234567.89"),
    (Role.MONEY, 1e10, "10000000000"),
    (Role.MONEY, float("nan"), "not_a_number"),
    (Role.MONEY, 1e300, "bad_amount"),
    (Role.COUNT, 3.0, "3"),
    (Role.DAY, 20260630.0, "20260630"),
]


def said(role, value):
    try:
        return cell_text("id_no", role, value)
    except CellError as error:
        return error.reason


@pytest.mark.parametrize(
    ("role", "value", "expected"), CASES, ids=[f"{one[0].name}-{one[1]}" for one in CASES]
)
def test_numbers(role, value, expected):
    assert said(role, SheetNumber(value)) == expected


@pytest.mark.parametrize("role", [role for role in Role if role not in (Role.UNREAD, Role.IGNORED)])
def test_cells_without_a_value_cost_the_row_wherever_they_are_read(role):
    assert said(role, ErrorCell()) == "error_value"
    assert said(role, MergedCell()) == "merged_cell"
    assert said(role, OtherCell("08:30:00")) == "wrong_type"


def test_unread_cells_are_compared():
    assert said(Role.UNREAD, ErrorCell()) == said(Role.UNREAD, ErrorCell())
    assert said(Role.UNREAD, OtherCell("1")) != said(Role.UNREAD, OtherCell("2"))
    assert said(Role.UNREAD, SheetNumber(1.0)) != said(Role.UNREAD, SheetNumber(2.0))


@given(st.integers(0, 10**13))
def test_an_amount_in_fen_is_itself_whatever_float_it_went_through(fen):
    assert Decimal(cell_text("amount_yuan", Role.MONEY, SheetNumber(fen / 100))) * 100 == fen
