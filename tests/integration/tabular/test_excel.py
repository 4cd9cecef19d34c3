"""Spreadsheets: what a cell becomes, what costs a row, what refuses the file. The oracle writes the cells."""

import zipfile
from dataclasses import replace
from datetime import date, datetime, time

import pytest
from openpyxl.styles import PatternFill

from node.errors import InputError
from node.tabular.excel import FIRST_SHEET, UPLOAD, Sheet, bounded, open_sheet
from node.tabular.typed_values import ErrorCell, MergedCell, OtherCell, SheetNumber
from tests.support.sheets import XLS, change_part, write_ods, write_xlsx

HEADER = ("证件号码", "姓名", "余额(元)", "数据时点")
STAMP = datetime.fromisoformat("2026-06-30T08:30")
ROW = ("449999190001010034", "张三丰", 12.5, date(2026, 6, 30))


def read(path, sheet=FIRST_SHEET, memory=None):
    with open_sheet(path, sheet, memory) as (columns, rows):
        return [column.header for column in columns], [(number, list(row)) for number, row in rows]


def refused(path, sheet=FIRST_SHEET, memory=None):
    with pytest.raises(InputError) as caught:
        read(path, sheet, memory)
    assert caught.value.hint
    return f"{caught.value} {caught.value.hint}"


def test_every_kind_of_cell_of_xlsx(tmp_path):
    rows = [
        HEADER,
        ROW,
        (449999000101003, None, 3, STAMP),
        (None, None, None, None),
        (True, "  x ", 0.5, time(8, 30)),
    ]
    headers, found = read(write_xlsx(tmp_path / "a.xlsx", rows))
    assert headers == list(HEADER)
    assert found == [
        (2, list(ROW)),
        (3, [449999000101003.0, None, 3.0, STAMP]),
        (5, [True, "  x ", 0.5, OtherCell("08:30:00")]),  # an empty row is no row
    ]
    assert {type(row[2]) for _, row in found} == {SheetNumber}


def test_errors_and_formulas_without_a_result_are_told(tmp_path):
    """The library calls all of these empty, which a name or a former number may be."""

    def change(_book, page):
        for place in ("B2", "C3"):
            page[place] = "#N/A"
            page[place].data_type = "e"
        page["B4"] = "=1/0"  # openpyxl computes nothing, so there is no result

    path = write_xlsx(tmp_path / "a.xlsx", [HEADER, ROW, ROW, ROW, ROW], change=change)
    _, found = read(path)
    places = [(number, at) for number, row in found for at, cell in enumerate(row) if cell == ErrorCell()]
    assert places == [(2, 1), (3, 2), (4, 1)]


def test_a_formula_with_its_result_is_its_result(tmp_path):
    path = write_xlsx(tmp_path / "a.xlsx", [HEADER, ROW])

    def change(part):
        return part.replace(b"<v>12.5</v>", b"<f>10+2.5</f><v>12.5</v>")

    assert read(change_part(path, "xl/worksheets/sheet1.xml", change))[1] == [(2, list(ROW))]


def test_each_part_of_a_merged_cell_is_told(tmp_path):
    def change(_book, page):
        page.merge_cells("A2:A3")
        page.merge_cells("C4:D4")

    _, found = read(write_xlsx(tmp_path / "a.xlsx", [HEADER, ROW, ROW, ROW, ROW], change=change))
    merged = [(number, at) for number, row in found for at, cell in enumerate(row) if cell == MergedCell()]
    assert merged == [(2, 0), (3, 0), (4, 2), (4, 3)]


def test_rows_keep_their_number_below_an_empty_head_and_left_of_nothing(tmp_path):
    def change(_book, page):
        page.insert_rows(1, 3)
        page.insert_cols(1, 2)
        page["D6"] = "#N/A"
        page["D6"].data_type = "e"

    path = write_xlsx(tmp_path / "a.xlsx", [HEADER, ROW, ROW], change=change)
    headers, found = read(path)
    assert headers[-4:] == list(HEADER)
    assert [number for number, _ in found] == [5, 6]
    assert found[1][1][-4:] == [ROW[0], ErrorCell(), *ROW[2:]]


def test_a_title_above_the_headers(tmp_path):
    def change(_book, page):
        page.insert_rows(1)
        page["A1"] = "车辆登记表"
        page.merge_cells("A1:D1")

    path = write_xlsx(tmp_path / "a.xlsx", [HEADER, ROW], change=change)
    assert "header_row" in refused(path)
    assert read(path, Sheet(header_row=2)) == (list(HEADER), [(3, list(ROW))])
    assert "no row of headers" in refused(path, Sheet(header_row=9))


def test_which_sheet(tmp_path):
    def change(book, page):
        page.sheet_state = "visible"
        hidden = book.create_sheet("旧表")
        hidden.sheet_state = "hidden"
        hidden.append(HEADER)

    path = write_xlsx(tmp_path / "a.xlsx", [HEADER, ROW], sheet="车辆", change=change)
    assert len(read(path)[1]) == 1  # a hidden sheet is read only where it is named
    assert read(path, Sheet("旧表")) == (list(HEADER), [])
    said = refused(path, Sheet("没有"))
    assert ("no sheet of that name" in said, "车辆, 旧表" in said) == (True, True)
    both = write_xlsx(tmp_path / "b.xlsx", [HEADER, ROW], change=lambda book, _: book.create_sheet("B"))
    assert ("several sheets" in refused(both), read(both, Sheet("Sheet"))[1]) == (True, [(2, list(ROW))])


def test_xls():
    headers, found = read(XLS)
    assert headers == ["证件号码", "号牌号码", "姓名"]
    assert [number for number, _ in found] == [2, 3, 4, 5, 6, 7, 8]
    assert found[3][1] == ["449999200002290038", 123456.0, "王五"]
    assert found[4][1][1] == ErrorCell()
    assert (found[5][1][1], found[6][1][1]) == (MergedCell(), MergedCell())


def test_ods(tmp_path):
    rows = [HEADER[:3], ROW[:3], (449999000101003, "李四", 2)]
    assert read(write_ods(tmp_path / "a.ods", rows)) == (
        list(HEADER[:3]),
        [(2, list(ROW[:3])), (3, [449999000101003.0, "李四", 2.0])],
    )
    for more, said in (
        (' calcext:value-type="error"', "a cell with an error"),
        (' table:number-columns-spanned="2"', "has merged cells"),
    ):
        assert said in refused(write_ods(tmp_path / "b.ods", rows, more))


def test_files_that_are_no_spreadsheet(tmp_path):
    good = write_xlsx(tmp_path / "good.xlsx", [HEADER, ROW]).read_bytes()
    for at, content in enumerate(
        (b"", b"PK\x03\x04rest", b"id_no,name\n", good[: len(good) // 2], XLS.read_bytes()[:900])
    ):
        path = tmp_path / f"{at}.xlsx"
        path.write_bytes(content)
        assert "not a whole spreadsheet" in refused(path)
    path = tmp_path / "book.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.txt", "x")
    assert "spreadsheet" in refused(path)
    assert "cannot be read" in refused(tmp_path / "none.xlsx")
    assert "no row of headers" in refused(write_xlsx(tmp_path / "empty.xlsx", []))


def test_bombs_end_alone(tmp_path):
    """A cell in the last row and column, which asks for 17 billion cells; a part that unpacks to a lot."""
    far = write_xlsx(tmp_path / "far.xlsx", [HEADER], change=lambda _, page: page.cell(1048576, 16384, "x"))
    assert "bounded memory" in refused(far)
    zeros = write_xlsx(tmp_path / "zeros.xlsx", [HEADER, ROW])

    def change(part):
        return part.replace(b"<v>12.5</v>", b"<v>" + b"1" * (80 << 20) + b"</v>")

    assert "bounded memory" in refused(
        change_part(zeros, "xl/worksheets/sheet1.xml", change), memory=150 << 20
    )


def test_styles_do_not_matter(tmp_path):
    def change(_book, page):
        page["A2"].fill = PatternFill("solid", fgColor="FFFF00")
        page["C2"].number_format = "#,##0.00"

    assert read(write_xlsx(tmp_path / "a.xlsx", [HEADER, ROW], change=change))[1] == [(2, list(ROW))]


def test_a_list_that_a_person_uploads_has_bounds_of_its_own(tmp_path):
    """Rows that are all alike unpack to a thousand times the size of the file."""
    rows = [("姓名", "证件号码"), *[("韦小明", "449999190001010034")] * 50]
    path = write_xlsx(tmp_path / "list.xlsx", rows)
    with bounded(replace(UPLOAD, rows=50)):
        assert len(read(path)[1]) == 50
    with bounded(replace(UPLOAD, rows=49)), pytest.raises(InputError, match="too large"):
        read(path)
    assert len(read(path)[1]) == 50
