"""`heqiao import --check`: says what an import would say, of every kind of source, and writes nothing."""

import contextlib
import json
import shutil
import sqlite3
from pathlib import Path

import pytest

from keys.store.locks import hold_lock
from matcher.identity import check_digit
from node.errors import ConflictError
from node.index.update_lock import LOCK
from tests.support import files
from tests.support.cli_runner import heqiao
from tests.support.sheets import write_xlsx

NUMBER = files.PEOPLE[0][0]
OLD_YAN = "\u9f9a\U001002f1"  # a character of the private use area, with no meaning that is known


@pytest.fixture(scope="module")
def home(made, tmp_path_factory):
    return Path(shutil.copytree(made / "44", tmp_path_factory.mktemp("check") / "44"))


def snapshot(folder):
    """Every file below a folder, with its bytes and the time of its last change."""
    return {
        path.relative_to(folder): (path.read_bytes() if path.is_file() else b"", path.stat().st_mtime_ns)
        for path in folder.rglob("*")
    }


def check(home, *arguments):
    """Exit code, what was printed as JSON, and standard error; nothing may have changed in the home."""
    before = snapshot(home)
    code, out, err = heqiao("import", "--home", home, "--check", "--json", *arguments)
    assert snapshot(home) == before
    assert "Traceback" not in err
    for shown in (out, err):
        assert not any(secret in shown for row in files.PEOPLE for secret in row[:2])
    return code, json.loads(out) if out else None, err


@pytest.mark.parametrize(
    "kind", [kind for kind in files.KINDS if kind is not files.every_form], ids=lambda kind: kind.__name__
)
def test_every_kind_of_file(home, tmp_path, kind):
    """Files of one item are checked by one command: each says its own result."""
    cases = {}
    for at, case in enumerate(kind()):
        if case.item == "C21" and not case.delimiter and not case.encoding:
            path = tmp_path / f"{at}.csv"
            path.write_bytes(case.content)
            cases[str(path)] = case
    code, found, err = check(home, "C21", *cases)
    assert code == any(case.refused for case in cases.values())
    assert (not err) == (code == 0)
    assert [source["source"] for source in found["sources"]] == list(cases)
    for source, case in zip(found["sources"], cases.values(), strict=True):
        if case.refused:
            assert case.refused in source["problem"] + source["hint"], case.name
            continue
        assert (source["usable"], source["rejected"]) == (case.usable, len(case.rejected)), case.name
        assert source["guesses"]["forms"] == case.forms, case.name


@pytest.mark.parametrize("delimiter", files.DELIMITERS)
@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_guesses_are_told(home, tmp_path, delimiter, encoding):
    path = tmp_path / "cars.csv"
    path.write_bytes(files.write([files.HEADER, *files.PEOPLE], files.DELIMITERS[delimiter]).encode(encoding))
    code, found, _ = check(home, "C21", path, "--delimiter", delimiter, "--encoding", encoding)
    (source,) = found["sources"]
    guesses = {"delimiter": delimiter, "encoding": encoding, "forms": {}, "units": {}}
    assert (code, found["ok"], source["guesses"]) == (0, True, guesses)
    assert (source["read"], source["valid_share"]) == (3, 1.0)
    if delimiter in ("comma", "tab"):
        assert check(home, "C21", path)[1] == found
    other = "utf-8" if encoding == "gb18030" else "gb18030"
    code, _, err = check(home, "C21", path, "--delimiter", delimiter, "--encoding", other)
    assert (code, "as stated" in err) == (1, True) or encoding == "utf-8"


def test_rejected_rows_and_rare_characters(home, tmp_path):
    rows = [
        *files.PEOPLE,
        (NUMBER, OLD_YAN),
        (NUMBER[:-1] + "5", "x"),
        (NUMBER[:-1], "y"),
        (NUMBER, "a\x01b"),
    ]
    path = tmp_path / "cars.csv"
    path.write_bytes(files.plain(*rows))
    code, found, _ = check(home, "C21", path)
    (source,) = found["sources"]
    assert code == 0
    assert source["reasons"] == {
        "bad_check_digit": {"rows": 1, "first_line": 6},
        "wrong_length": {"rows": 1, "first_line": 7},
        "bad_name": {"rows": 1, "first_line": 8},
    }
    assert (source["read"], source["usable"], source["valid_numbers"]) == (7, 4, 5)
    assert (source["private_names"], source["first_private_line"]) == (1, 5)
    before = snapshot(home)
    code, out, err = heqiao("import", "--home", home, "C21", "--check", path)
    assert (code, err, snapshot(home)) == (0, "", before)
    for said in (
        "bad_name 1, first in line 8",
        "5 of 7 (71.4%)",
        "read as utf-8, cells separated by comma",
        "line 5",
    ):
        assert said in out


def test_address_codes_are_counted_and_nothing_is_rejected_for_them(home, tmp_path):
    # Born in 1850: no number was ever given to them, so these are nobody's.
    bodies = {
        "11010118500101003": "in force in 1980",
        "51021218500101003": "in force until 1997",
        "46040018500101003": "in force since 2015, when numbers were given at birth",
        "44999918500101003": "in no list",
        "16010118500101003": "of no province",
        "81000019000101001": "a permit",
    }
    people = [(body + check_digit(body), "") for body in bodies]
    path = tmp_path / "cars.csv"
    path.write_bytes(files.plain(*people, ("449999000101003", "")))
    code, found, _ = check(home, "C21", path)
    (source,) = found["sources"]
    assert (code, source["read"], source["rejected"]) == (0, 7, 0)
    assert (source["unknown_county"], source["unknown_area"], source["county_not_then"]) == (3, 1, 1)
    out = heqiao("import", "--home", home, "C21", "--check", path)[1]
    assert "warning: 3 unknown address codes, 1 of no province" in out
    assert "warning: 1 address code of another time than the birth (14.2%)" in out


def test_it_fails_where_the_import_would(home, tmp_path):
    good, bad, old = (tmp_path / f"{name}.csv" for name in ("good", "bad", "old"))
    good.write_bytes(files.plain(*files.PEOPLE))
    bad.write_bytes(files.plain((NUMBER[:-1] + "5",)))
    old.write_bytes(b"id_no,name\n")
    for arguments, said in (
        ((bad,), "none of the 1 rows can be used"),
        ((good, old), "there is a header but no row"),
        ((good, "--as-of", "2999-01-01"), "the as-of date must be"),
        ((good, "--map", "name=所有人"), "the column mapped to name is not there"),
    ):
        code, found, err = check(home, "C21", *arguments)
        assert (code, said in err, bool(found and found["ok"])) == (1, True, False), err
        assert "heqiao: hint:" in err
    assert "no item C99" in check(home, "C99", good)[2]
    assert check(home, "C21", bad, "--allow-empty")[0] == 0
    assert check(home, "C21", good, bad)[0] == 0
    assert check(home, "C21")[0] == 2


def test_it_needs_no_lock_no_key_and_no_database(home, tmp_path):
    path = tmp_path / "cars.csv"
    path.write_bytes(files.plain(*files.PEOPLE))
    hidden = {name: home / name for name in ("heqiao.db", "passphrase")}
    with contextlib.ExitStack() as held:
        held.enter_context(hold_lock(home / LOCK, ConflictError("busy", ""), create=True))
        for name, real in hidden.items():
            real.rename(tmp_path / name)
            held.callback((tmp_path / name).rename, real)
        assert check(home, "C21", path)[0] == 0


@pytest.mark.parametrize(
    ("wrong", "right", "shown"),
    [
        (0, 3, "3 of 3 (100.0%)"),
        (1, 3999, "3,999 of 4,000 (99.9%)"),
        (2, 3, "3 of 5 (60.0%)"),
        (1, 2, "2 of 3 (66.6%)"),
        (3999, 1, "1 of 4,000 (less than 0.1%)"),
        (999, 1, "1 of 1,000 (0.1%)"),
        (3, 0, "0 of 3 (0.0%)"),
    ],
)
def test_only_all_numbers_are_a_hundred_percent(home, tmp_path, wrong, right, shown):
    """99.97 % must not read as if there were nothing to look at, nor one good row as none."""
    path = tmp_path / "cars.csv"
    path.write_bytes(files.plain(*[(NUMBER,)] * right, *[(NUMBER[:-1] + "5",)] * wrong))
    code, out, err = heqiao("import", "--home", home, "C21", "--check", "--allow-empty", path)
    assert (code, err) == (0, "")
    assert f"valid identity numbers: {shown}\n" in out
    (source,) = check(home, "C21", "--allow-empty", path)[1]["sources"]
    assert (source["valid_share"] == 1) is (wrong == 0)
    assert (source["valid_share"] == 0) is (right == 0)


def test_a_query(home, tmp_path):
    with contextlib.closing(sqlite3.connect(tmp_path / "cars.db")) as database, database:
        database.execute("CREATE TABLE cars (id_no TEXT, name TEXT)")
        database.executemany(
            "INSERT INTO cars VALUES (?, ?)", [row[:2] for row in files.PEOPLE] + [("1", "x")]
        )
    url = tmp_path / "url"
    url.write_text(f"\ufeffsqlite:///{tmp_path / 'cars.db'}\n", encoding="utf-8")
    url.chmod(0o600)
    code, found, _ = check(home, "C21", "--sql-url-file", url, "--query", "SELECT * FROM cars")
    (source,) = found["sources"]
    assert (code, source["usable"], source["reasons"]) == (
        0,
        3,
        {"wrong_length": {"rows": 1, "first_line": 4}},
    )
    code, found, err = check(home, "C21", "--sql-url-file", url, "--query", "SELECT * FROM planes")
    assert (code, found["sources"][0]["problem"] in err) == (1, True)


def test_parquet(home, tmp_path):
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "cars.parquet"
    parquet.write_table(
        arrow.table({"证件号码": [row[0] for row in files.PEOPLE], "备注": ["x" * 5000] * 3}), path
    )
    code, found, _ = check(home, "C21", path)
    assert (code, found["sources"][0]["usable"]) == (0, 3)
    assert found["sources"][0]["guesses"]["delimiter"] == ""


def test_units_and_rounded_numbers_are_told(home, tmp_path):
    """Amounts in another unit, and record numbers that a spreadsheet has rounded."""
    people = [person[0] for person in files.PEOPLE]
    path = tmp_path / "banks.csv"
    rows = [f"{people[at % 3]},{10**18 * 6 + at * 10**5},2.5" for at in range(1, 40)]
    path.write_text("\n".join(["id_no,record_no,余额(万元)", *rows]) + "\n", encoding="utf-8")
    code, found, err = check(home, "C23", path, "--map", "amount_yuan=余额(万元)")
    (source,) = found["sources"]
    assert source["guesses"]["units"] == {"万元": 39}
    assert source["rounded_records"]["found"] == 39
    assert (code, found["ok"], "a spreadsheet has rounded them" in err) == (1, False, True)
    code, found, _ = check(home, "C23", path, "--map", "amount_yuan=余额(万元)", "--keep-zeros")
    assert (code, found["ok"]) == (0, True)
    code, _, err = check(home, "C23", path, "--map", "amount_yuan=余额(万元)", "--unit", "元", "--keep-zeros")
    assert (code, "--unit" in err) == (1, True)


def test_a_spreadsheet_by_another_name_is_refused(home, tmp_path):
    path = tmp_path / "cars.csv"
    path.write_bytes(b"PK\x03\x04rest")
    code, _, err = check(home, "C21", path)
    assert (code, "a spreadsheet or an archive" in err) == (1, True)


def test_a_spreadsheet(home, tmp_path):
    """What it did to numbers costs the row, with a reason of its own; lines are the rows of the sheet."""

    def change(_book, page):
        page["C5"].data_type = "e"
        page.merge_cells("B6:B7")

    rows = [
        ("证件号码", "号牌号码", "姓名"),
        (NUMBER, "A1", "x"),
        (int(NUMBER), "A2", "x"),
        (NUMBER, 123456, "x"),
    ]
    rows += [(NUMBER, "A4", "#N/A"), (NUMBER, "A5", "x"), (NUMBER, "A6", "x"), (NUMBER, 4e15, "x")]
    path = write_xlsx(tmp_path / "cars.XLSX", rows, change=change)
    code, found, _ = check(home, "C21", path)
    (source,) = found["sources"]
    assert (code, source["read"], source["usable"]) == (0, 7, 2)
    assert source["reasons"] == {
        "digits_lost": {"rows": 2, "first_line": 3},
        "error_value": {"rows": 1, "first_line": 5},
        "merged_cell": {"rows": 2, "first_line": 6},
    }
    code, _, err = check(home, "C21", path, "--sheet", "B")
    assert (code, "no sheet of that name" in err) == (1, True)
