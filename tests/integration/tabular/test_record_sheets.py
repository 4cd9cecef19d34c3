"""Households and mandates in spreadsheets: as in CSV; a zip bomb and formulas do no harm."""

import zipfile
from pathlib import Path

import pytest

from node.errors import InputError
from node.tabular.person_lists import read_households
from node.tabular.record_lists import read_household_records, read_mandate_records
from tests.support.mandate_lists import HEAD, household, household_rows, mandate, mandate_rows
from tests.support.sheets import write_xlsx


def test_a_sheet_is_read_as_a_csv_file(tmp_path: Path) -> None:
    rows = household_rows(household("H1"), household("H2"))
    found = read_household_records(write_xlsx(tmp_path / "h.xlsx", rows))
    assert found == ([household("H1"), household("H2")], [], [2, 6])
    listed = write_xlsx(tmp_path / "m.xlsx", mandate_rows(mandate()))
    assert read_mandate_records(listed) == ([mandate()], {}, [], [2])


def test_a_county_list_of_people_in_a_sheet(tmp_path: Path) -> None:
    """What `heqiao verify` reads; a number that the sheet keeps as a number has lost digits."""
    header = ["户编号", "成员编号", "姓名", "证件号码", "授权书编号"]
    rows = [header, ["H1", 1, "韦一", HEAD, "M"], ["H1", 2, "韦二", int(HEAD), "M"]]
    subjects, rejects = read_households(write_xlsx(tmp_path / "list.xlsx", rows))
    assert [one.ref for one in subjects] == ["H1/1"]
    assert [(one.line, one.reason) for one in rejects] == [(3, "digits_lost")]


def test_a_formula_that_was_never_computed_is_a_rejected_row(tmp_path: Path) -> None:
    rows = mandate_rows(mandate())
    rows[1][12] = "=HYPERLINK(1)"  # the signers
    _, _, rejects, _ = read_mandate_records(write_xlsx(tmp_path / "m.xlsx", rows))
    assert [(one.line, one.reason) for one in rejects] == [(2, "error_value")]


def test_a_zip_bomb_ends_only_the_process_that_reads_it(tmp_path: Path) -> None:
    good, bomb = write_xlsx(tmp_path / "good.xlsx", mandate_rows(mandate())), tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(good) as source, zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            content = source.read(name)
            if name == "xl/worksheets/sheet1.xml":
                # A cell in the last row and column: the library asks for all cells in between.
                far = b'<row r="1048576"><c r="XFD1048576" t="inlineStr"><is><t>x</t></is></c></row>'
                content = content.replace(b"</sheetData>", far + b"</sheetData>")
            target.writestr(name, content)
    assert bomb.stat().st_size < 20_000
    with pytest.raises(InputError, match="too large"):
        read_mandate_records(bomb)
