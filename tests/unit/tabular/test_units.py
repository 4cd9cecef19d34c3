# ruff: noqa: E501  (a case of a table is one line)
"""Units of amounts: every way to write a unit in a header, exact conversion, and refusal of all else."""

from fractions import Fraction
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.domain.catalogue import load
from node.errors import InputError
from node.registers.row_parser import MAX_FEN, amount_field, read_amount
from node.tabular.delimited import CellError, find_layout
from node.tabular.units import check_unit, header_unit, parse_money
from tests.support.source_files import CARS, DEPOSITS, PAYROLL, A, put, rows_of

MONTHS = load().item("D32m")
FEN = {
    "亿元": 10**10,
    "百万元": 10**8,
    "万元": 10**6,
    "千元": 10**5,
    "百元": 10**4,
    "元": 100,
    "角": 10,
    "分": 1,
}
BASES = ["余额", "年末余额", "收入", "金额", "缴存基数", "balance"]
FORMS = ["{b}({u})", "{b}（{u}）", "{b}[{u}]", "{b}【{u}】", "{b}（单位：{u}）", "{b}(单位{u})", "{b}(人民币{u})", "{b}/{u}", "{b}_{u}",
         "{b}-{u}", "{b}：{u}", " {b} （ {u} ） ", "{b}({u}/年)", "{b}({u})(含利息)"]  # fmt: skip
LAYOUT = {"id_no": ("id_no",), "amount_yuan": ("余额",), "amount_fen": ("金额(分)",), "value": ("数量",)}


def test_every_way_to_write_a_unit():
    headers = {form.format(b=base, u=unit): unit for base, form, unit in product(BASES, FORMS, FEN)}
    assert len(headers) == len(BASES) * len(FORMS) * len(FEN)
    assert [(header, unit) for header, unit in headers.items() if header_unit(header) != unit] == []


OTHER = [
    ("余额", None), ("余额(本人)", None), ("结余", None), ("得分", None), ("不动产单元", None), ("余额(人民币)", None),
    ("余额万元", "万元"), ("余额元", "元"), ("余额(以万元计)", "万元"), ("余额（折合万元）", "万元"), ("余额 万元", "万元"),
    ("balance_yuan", "元"), ("balance (10k yuan)", "万元"), ("balance_wan_yuan", "万元"), ("amount_fen", "分"),
    ("月数", "月"), ("缴费月数", "月"), ("缴费(个月)", "月"), ("months", None), ("insured_months", "月"), ("年限(年)", "年"),
    ("数量(辆)", "辆"), ("数量（台）", "辆"), ("面积(平方米)", "平方米"), ("面积(㎡)", "m2"),
]  # fmt: skip


@pytest.mark.parametrize(("header", "unit"), OTHER)
def test_headers(header, unit):
    assert header_unit(header) == unit


def column(header, item=DEPOSITS, field="amount_yuan", unit=None):
    layout = find_layout(HERE, ["id_no", header], LAYOUT, {field: header})
    return amount_field(layout, item, {field: header}, unit)


HERE = Path("r.csv")
REFUSED = ["余额(万)", "余额(W)", "余额(k)", "余额(美元)", "余额/港币", "余额(USD)", "余额($)", "余额(百亿元)", "余额(平方米)",
           "万元余额(元)", "余额(元)/户", "balance_wan", "余额(%)", "日元余额", "月数"]  # fmt: skip


@pytest.mark.parametrize("header", REFUSED)
def test_a_unit_that_cannot_be_converted_is_refused(header):
    with pytest.raises(InputError) as caught:
        column(header)
    assert caught.value.hint


@pytest.mark.parametrize("header", ["面积(平方米)", "缴费年数", "数量(万辆)", "金额(元)", "户数", "年限/年"])
def test_a_count_in_another_unit_is_refused(header):
    for item in (CARS, MONTHS):
        with pytest.raises(InputError, match="counted in"):
            column(header, item, "value")


def test_a_count_in_its_own_unit_is_taken():
    assert column("月数", MONTHS, "value").told is False
    assert column("数量（辆）", CARS, "value").unit == "辆"
    assert column("数量（台）", CARS, "value", "辆").told is True
    assert column("标志", PAYROLL, "value").unit == "人"


@pytest.mark.parametrize("named", [None, *FEN])
@pytest.mark.parametrize("field", ["amount_yuan", "amount_fen"])
def test_header_and_option_agree_or_are_refused(field, named):
    header = f"结余({named})" if named else "结余"
    for stated in (None, *FEN):
        if named and stated and named != stated:
            with pytest.raises(InputError, match="names another unit"):
                column(header, field=field, unit=stated)
        else:
            agree(field, header, named, stated)


def agree(field, header, named, stated):
    usual = "元" if field == "amount_yuan" else "分"
    found = column(header, field=field, unit=stated)
    assert found.unit == (named or stated or usual)
    assert found.told == (stated is not None or found.unit != usual)
    assert read_amount(found, "3", DEPOSITS) == 3 * FEN[found.unit]


@pytest.mark.parametrize("stated", ["平方米", "万", "美元", "", "月", "x"])
def test_an_option_that_the_item_has_no_use_for_is_refused(stated):
    with pytest.raises(InputError) as caught:
        check_unit(DEPOSITS, stated)
    assert caught.value.hint
    with pytest.raises(InputError, match="counted in 月" if stated != "月" else "counted in 辆"):
        check_unit(MONTHS if stated != "月" else CARS, stated)


@pytest.mark.parametrize(
    ("stated", "unit"),
    [("万元", "万元"), (" 万元 ", "万元"), ("yuan", "元"), ("FEN", "分"), ("10k yuan", "万元")],
)
def test_spellings_of_the_option(stated, unit):
    assert check_unit(DEPOSITS, stated) == unit


@given(
    st.sampled_from([unit for unit in FEN if unit != "分"]),
    st.integers(0, 10**9),
    st.text("0123456789", max_size=12),
    st.booleans(),
)
def test_conversion_is_exact_or_refused(unit, whole, decimals, thousands):
    """By rational numbers; an amount that has more decimals than one fen is refused, never rounded."""
    text = (f"{whole:,}" if thousands else str(whole)) + (f".{decimals}" if decimals else "")
    exact = Fraction(f"{whole}.{decimals or 0}") * FEN[unit]
    fits = 10 ** len(decimals) <= FEN[unit]
    if not fits:
        with pytest.raises(CellError) as caught:
            parse_money("amount_yuan", text, unit, MAX_FEN)
        assert caught.value.reason == "too_many_decimals"
    elif exact > MAX_FEN:
        with pytest.raises(CellError) as caught:
            parse_money("amount_yuan", text, unit, MAX_FEN)
        assert caught.value.reason == "amount_too_large"
    else:
        assert parse_money("amount_yuan", text, unit, MAX_FEN) == exact


def test_a_column_in_ten_thousand_yuan(tmp_path):
    """The fault as it was: 25 (10,000 yuan) mapped to yuan was 25 yuan."""
    path = put(tmp_path, f"证件号码,余额（万元）\n{A},25.5\n{A},0.000001\n{A},0.0000001\n")
    good, small, bad = rows_of(path, DEPOSITS, columns={"amount_yuan": "余额(万元)"})
    assert (good.amount, small.amount) == (25_500_000, 1)
    assert (bad.reason, bad.column) == ("too_many_decimals", "余额（万元）")
