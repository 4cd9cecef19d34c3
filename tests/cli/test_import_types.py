"""`heqiao import` of damaged, typed and scaled values: an error with a hint, a reject, or the right value."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from tests.support.cli_runner import heqiao
from tests.support.killed_commands import copy
from tests.support.typed_columns import ID

HEADER = "证件号码,账号,余额(元)\n"


@pytest.fixture(scope="module")
def home(made, tmp_path_factory):
    return copy(made, tmp_path_factory.mktemp("home") / "world") / "44"


@dataclass
class Done:
    """What a command printed, and how it ended."""

    returncode: int
    stdout: str
    stderr: str


def run(*arguments):
    return Done(*heqiao(*arguments))


def imported(home, *arguments):
    return run("import", "--home", home, "C23", *arguments)


def refused(done, *words):
    """An error and a hint, and nothing that looks like a traceback."""
    assert done.returncode == 1
    lines = done.stderr.splitlines()
    assert [line.split(":")[1] for line in lines if line.startswith("heqiao:")] == [" error", " hint"]
    assert "Traceback" not in done.stderr
    assert all(word in done.stderr for word in words), done.stderr


def tally(done):
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def test_ten_thousand_yuan(home, tmp_path):
    path = write(tmp_path / "r.csv", HEADER.replace("(元)", "（万元）") + f"{ID},1,25.5\n")
    done = imported(home, path, "--map", "amount_yuan=余额(万元)", "--json")
    assert tally(done)["units"] == {"万元": 1}
    assert "1 value read as 万元" in imported(home, path, "--map", "amount_yuan=余额(万元)").stdout
    assert tally(done)["withheld"] == 0, "255,000 yuan are over the threshold; 25.5 would not be"


def test_the_option_states_a_unit(home, tmp_path):
    path = write(tmp_path / "r.csv", HEADER.replace("余额(元)", "结余") + f"{ID},1,25.5\n")
    plain = tally(imported(home, path, "--map", "amount_yuan=结余", "--json"))
    assert (plain["units"], plain["withheld"]) == ({}, 1)
    stated = tally(imported(home, path, "--map", "amount_yuan=结余", "--unit", "万元", "--json"))
    assert (stated["units"], stated["withheld"]) == ({"万元": 1}, 0)
    path = write(tmp_path / "r.csv", HEADER + f"{ID},1,25.5\n")
    refused(imported(home, path, "--unit", "万元"), "names another unit", "--unit")
    refused(imported(home, path, "--unit", "平方米"), "known units")
    refused(run("import", "--home", home, "C21", path, "--unit", "万元"), "counted in 辆")


def test_damaged_accounts(home, tmp_path):
    rows = f"{ID},6.22202E+18,200000\n{ID},6.22202E+18,200000\n{ID},1,300000\n"
    done = imported(home, write(tmp_path / "r.csv", HEADER + rows), "--json")
    assert tally(done)["reasons"] == {"scientific_notation": 2}
    listed = (tmp_path / "C23-rejects.csv").read_text(encoding="utf-8-sig")
    assert "账号,scientific_notation" in listed
    assert "6.22202" not in listed


def test_rounded_accounts(home, tmp_path):
    rows = "".join(f"{ID},{622202123450000 + at}0000,200000\n" for at in range(30))
    path = write(tmp_path / "r.csv", HEADER + rows)
    refused(imported(home, path), "30 record numbers end in zeros", "--keep-zeros")
    kept = imported(home, path, "--keep-zeros")
    assert kept.returncode == 0, kept.stderr
    assert "30 numbers of more than 15 digits may have been rounded" in kept.stdout


def test_parquet_that_cannot_be_what_it_says(home, tmp_path):
    pa = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "r.parquet"

    def take(**columns):
        parquet.write_table(pa.table({"id_no": [ID], "amount_yuan": ["1"], **columns}), path)
        return imported(home, path, "--json")

    refused(take(id_no=pa.array([float(ID)])), "id_no is of the type double", "an identity number")
    refused(take(record_no=pa.array([6.22202e18])), "record_no is of the type double")
    refused(take(name=pa.array([b"\xe5\xbc\xa0"])), "name is of the type binary")
    refused(take(as_of=pa.array([1], pa.time64("us"))), "as_of is of the type time64")
    raw = pa.array(["张三".encode("gb18030")])
    refused(take(name=pa.Array.from_buffers(pa.string(), 1, raw.buffers())), "none of the 1 rows")
    assert "name,not_utf8" in (tmp_path / "C23-rejects.csv").read_text(encoding="utf-8-sig")
    moment = int(datetime(2026, 6, 29, 16, tzinfo=UTC).timestamp()) * 10**9 + 1
    assert tally(take(as_of=pa.array([moment], pa.int64()).cast(pa.timestamp("ns", "UTC"))))["accepted"] == 1
