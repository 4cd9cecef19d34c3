"""Every file of tests/support/files.py, read row by row and in blocks."""

from collections import Counter
from datetime import date

import pytest

from node.domain.records import Reject
from node.errors import InputError
from node.index.people import ReadOptions
from node.registers import block_reader, row_parser
from node.registers.sources import Files, Reading
from node.tabular.text_form import TextForm
from tests.support import files
from tests.support.source_files import CATALOGUE

SALT = bytes(32)


def stated(case):
    return TextForm(files.DELIMITERS.get(case.delimiter, ""), case.encoding)


def read_alone(path, case):
    """Usable rows, and line and reason of the others."""
    item, usable, rejected = CATALOGUE.item(case.item), [], []
    for row in row_parser.read(path, item, None, files.TODAY, stated=stated(case)):
        (rejected if isinstance(row, Reject) else usable).append(row)
    return usable, [(row.line, row.reason) for row in rejected]


def read_together(path, case):
    item, usable, rejected, forms = CATALOGUE.item(case.item), 0, [], Counter()
    terms = ReadOptions(item, SALT, files.TODAY.toordinal(), files.TODAY)
    for order, block in enumerate(Files([path]).blocks(Reading(item, {}, form=stated(case)))):
        found = block_reader.read_block(block, terms, order)
        usable += found.usable
        rejected += [(row.line, row.reason) for row in found.rejects]
        forms += found.forms
    return usable, rejected, dict(forms)


@pytest.mark.parametrize("kind", files.KINDS, ids=lambda kind: kind.__name__)
def test_every_file_of_a_kind(tmp_path, kind):
    path, wrong = tmp_path / "register.csv", []
    for case in kind():
        path.write_bytes(case.content)
        for read in (read_alone, read_together):
            try:
                found = read(path, case)
            except InputError as error:
                said = f"{error} {error.hint}"
                if not case.refused or case.refused not in said:
                    wrong.append((case.name, said))
                if any(row[0] in said or row[1] in said for row in files.PEOPLE):
                    wrong.append((case.name, "shows a cell"))
                continue
            usable = found[0] if isinstance(found[0], int) else len(found[0])
            faults = [
                (line, reason if want else None)
                for (line, reason), (_, want) in zip(found[1], case.rejected, strict=False)
            ]
            if case.refused or usable != case.usable or len(found[1]) != len(case.rejected):
                wrong.append((case.name, read.__name__, usable, found[1][:3]))
            elif faults != list(case.rejected) or (read is read_together and found[2] != case.forms):
                wrong.append((case.name, read.__name__, found[1:], case.forms))
    assert not wrong, f"{len(wrong)}: {wrong[:8]}"


def test_every_form_gives_the_same_rows(tmp_path):
    path = tmp_path / "register.csv"
    said = set()
    for case in files.every_form():
        path.write_bytes(case.content)
        rows, _ = read_alone(path, case)
        said.add(tuple((row.identities, row.name, row.key, row.as_of) for row in rows))
    ((one, two, three),) = said
    assert [each[0][0].value for each in (one, two, three)] == [row[0] for row in files.PEOPLE]
    assert [each[1:3] for each in (one, two, three)] == [row[1:3] for row in files.PEOPLE]
    assert {each[3] for each in (one, two, three)} == {date(2026, 5, 31)}


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("202606", date(2026, 6, 30)),
        ("2026-02", date(2026, 2, 28)),
        ("202402", date(2024, 2, 29)),
        ("2026-07", files.TODAY),
    ],
)
def test_a_month_is_its_last_day_or_today(tmp_path, written, day):
    path = tmp_path / "register.csv"
    header = (*files.HEADER[:4], "缴费基数(元)")
    path.write_bytes(files.plain((*files.PEOPLE[0][:3], written, "3000"), header=header))
    ((row,), _) = read_alone(path, files.Case("", b"", item="D32"))
    assert row.as_of == day


def test_delete_reads_the_identity_only(tmp_path):
    path = tmp_path / "people.csv"
    header = ("证件号码", "姓名", "姓名", "数据时点", "余额(元)", "金额(分)")
    number = files.PEOPLE[0][0]
    path.write_bytes(files.plain((number, "x\ny", "z" * 2000, "2999-99-99", "-1", "a"), header=header))
    item = CATALOGUE.item("C23")
    terms = ReadOptions(item, SALT, files.TODAY.toordinal(), files.TODAY)
    (block,) = Files([path]).blocks(Reading(item, {}, numbers_only=True))
    found = block_reader.read_block(block, terms, 0)
    assert (found.usable, list(found.rejects)) == (1, [])
    with pytest.raises(InputError, match="both headed as name"):
        list(Files([path]).blocks(Reading(item, {})))
