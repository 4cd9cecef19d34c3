"""Who issues a printed report, and the places for signatures and the seal, in every printed format."""

import io
from dataclasses import replace

import openpyxl
import pypdfium2
import pytest

from node.config.identity import check_issuing_body
from node.reports import kinds
from node.reports.groups import digests_of
from node.reports.households import of_household
from node.reports.signing import issuing_body, signing_table
from tests.support.reports import CATALOGUE, SUMS, VERIFICATION
from tests.support.signed_reports import FORMULA, HOSTILE, LONG, MARKUP, SIGNER, load, write_all

BODY = "广西壮族自治区居民家庭经济状况核对中心"
PLACES = {
    "zh": ("签名、盖章", "经办人（签名）", "复核人（签名）", "办理机构（盖章处）"),
    "en": ("Signatures and seal", "Prepared by (signature)", "Checked by (signature)", "Issuing body (seal)"),
}


def pages(path):
    """The text of each page without white space."""
    book = pypdfium2.PdfDocument(path.read_bytes())
    try:
        return ["".join(page.get_textpage().get_text_range().split()).replace("\u200b", "") for page in book]
    finally:
        book.close()


def cells(path):
    first = openpyxl.load_workbook(io.BytesIO(path.read_bytes())).worksheets[0]
    return {str(cell.value): cell for row in first.iter_rows() for cell in row if cell.value is not None}


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("report", [VERIFICATION, SUMS], ids=["verification", "sums"])
def test_the_body_stands_at_the_head_and_beside_the_seal(tmp_path, report, lang):
    folder = write_all(tmp_path, replace(report, issuing_body=BODY), lang)
    printed = pages(folder / "report.pdf")
    assert printed[0].startswith(BODY)
    sealed = [at for at, page in enumerate(printed) if PLACES[lang][0].replace(" ", "") in page]
    assert len(sealed) == 1
    assert sealed[0] < len(printed) - 1, "not among what is technical"
    for place in PLACES[lang]:
        assert place.replace(" ", "") in printed[sealed[0]], "never over two pages"
    assert printed[sealed[0]].count(BODY) == (2 if sealed[0] == 0 else 1)
    assert SIGNER.fingerprint in printed[sealed[0]]
    html = (folder / "report.html").read_text(encoding="utf-8")
    assert html.index(BODY) < html.index("<h1>")
    assert html.count(BODY) == 2
    found = cells(folder / "report.xlsx")
    assert found[BODY].row > found[PLACES[lang][3]].row
    for place in PLACES[lang]:
        assert place in html
        assert place in found


def test_the_place_to_sign_has_room(tmp_path):
    write_all(tmp_path, replace(VERIFICATION, issuing_body=BODY))
    sheet = openpyxl.load_workbook(tmp_path / "report.xlsx").worksheets[0]
    row = max(cell.row for cell in sheet["C"] if cell.value == BODY)
    assert sheet.row_dimensions[row].height >= 60


def test_without_a_name_it_says_whose_body_it_is():
    assert issuing_body(VERIFICATION, "zh") == "广西居民家庭经济状况核对机构"
    assert issuing_body(replace(VERIFICATION, requester_name=""), "en") == "Verification body of 45"


def test_a_household_signs_for_its_receipt_and_a_list_does_not():
    one = signing_table(of_household(VERIFICATION, "H1"), "zh", "ab")
    assert one.columns[-1].name == "当事人签收（签名）"
    assert len(one.groups[0].rows[0]) == 4
    for many in (VERIFICATION, SUMS):
        assert len(signing_table(many, "zh", "ab").columns) == 3


def test_a_file_without_signature_says_so():
    assert signing_table(VERIFICATION, "en", "").remarks == ("This file has no electronic signature.",)


@pytest.mark.parametrize("name", [*HOSTILE[:5], LONG, MARKUP])
def test_a_hostile_name_is_text(tmp_path, name):
    folder = write_all(tmp_path, replace(VERIFICATION, issuing_body=name))
    assert "".join(name.split()) in pages(folder / "report.pdf")[0]
    cell = cells(folder / "report.xlsx")[name]
    assert cell.data_type in ("s", "inlineStr")
    assert "<script" not in (folder / "report.html").read_text(encoding="utf-8")


def test_the_name_is_signed_with_the_head(tmp_path):
    plain = load(write_all(tmp_path, replace(VERIFICATION, issuing_body=BODY)) / "report.json")
    assert plain["issuing_body"] == BODY
    named = {**kinds.to_json(VERIFICATION, CATALOGUE), "issuing_body": BODY}
    without = kinds.to_json(VERIFICATION, CATALOGUE)
    assert digests_of(named)["head"] != digests_of(without)["head"]
    assert set(digests_of(named)) == set(digests_of(without))
    assert "issuing_body" not in without
    assert kinds.load(tmp_path / "report.json").issuing_body == BODY


@pytest.mark.parametrize("name", ["", BODY, FORMULA, LONG])
def test_names_that_a_configuration_may_have(name):
    assert check_issuing_body(name) == name


@pytest.mark.parametrize("name", [" a", "a ", "a\nb", "\u202e", "x" * 201])
def test_names_that_it_may_not_have(name):
    with pytest.raises(ValueError, match="200 printable"):
        check_issuing_body(name)
