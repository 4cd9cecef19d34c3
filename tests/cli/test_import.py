"""`heqiao import`: a file that cannot be used leaves what was published, and nothing half written."""

import json
import os
import subprocess
import sys

import pytest
from click.testing import CliRunner

from node.cli import cli
from node.config import load
from node.database import database_url, open_store, partitions
from node.errors import NodeError
from tests.support.cli_runner import ok
from tests.support.members import make_member

HEADER = "证件号码,姓名,号牌号码,数据时点\n"
GOOD = HEADER + "459999199001010010,韦一,粤A00001,2026-06-30\n459999199002020026,覃二,粤A00002,2026-06-30\n"
WRONG = HEADER + "459999199001010011,韦一,粤A00001,2026-06-30\n"
CUT = GOOD + '459999199003030031,"莫三,粤A00003,2026-06-30\n'
FUTURE = GOOD + "459999199003030031,莫三,粤A00003,2999-01-01\n"
FORMULA = GOOD + "=459999199003030031,莫三,粤A00003,2026-06-30\n"


def invoke(*arguments):
    return CliRunner().invoke(cli, [str(one) for one in arguments], catch_exceptions=True)


@pytest.fixture(scope="module")
def joined(tmp_path_factory):
    base = tmp_path_factory.mktemp("home")
    ok("ca", "init", "--dir", base / "ca", "--federation", "demo")
    return make_member(base, "44")


@pytest.fixture
def home(joined, tmp_path):
    for name in ("heqiao.db", "heqiao.db-wal", "heqiao.db-shm"):
        (joined / name).unlink(missing_ok=True)
    (tmp_path / "cars.csv").write_text(GOOD, encoding="utf-8")
    done = run(joined, tmp_path / "cars.csv")
    assert done.exit_code == 0, done.output
    return joined


def run(home, *arguments):
    return invoke("import", "--home", home, "C21", *arguments)


def served(home):
    """Origin, version, entries and root of every partition that is served."""
    store = open_store(database_url(load(home / "node.toml")))
    with store.transaction("look") as tx:
        found = partitions.offered_partitions(tx, 1, ["44", "45", "00"])
        last = partitions.last_import(tx, "C21")
    store.dispose()
    return [(part.origin, part.version, part.entries, part.root) for part in found], last


def versions(home):
    return {origin: version for origin, version, _, _ in served(home)[0]}


REFUSED = [
    ("no usable row", WRONG, ()),
    ("a quote that never closes, after good rows", CUT, ()),
    ("a header and no row", HEADER, ()),
    ("empty", "", ()),
    ("a column that is not there", GOOD, ("--map", "name=所有人")),
    ("no column for the number", GOOD.replace("证件号码", "号码"), ()),
    ("a good file beside a bad one", CUT, ("{good}",)),
]


@pytest.mark.parametrize(("text", "more"), [r[1:] for r in REFUSED], ids=[r[0] for r in REFUSED])
def test_a_refused_import_changes_nothing(home, tmp_path, text, more):
    before = served(home)
    (tmp_path / "bad.csv").write_text(text, encoding="utf-8")
    done = run(home, tmp_path / "bad.csv", *(one.format(good=tmp_path / "cars.csv") for one in more))
    assert isinstance(done.exception, NodeError), done.output
    assert done.exception.hint
    assert served(home) == before
    assert not list(tmp_path.glob(".*"))


def test_the_list_of_rejects_is_that_of_the_newest_import(home, tmp_path):
    rejects = tmp_path / "C21-rejects.csv"
    assert not rejects.exists(), "nothing was rejected, nothing is written"
    (tmp_path / "cars.csv").write_text(FUTURE, encoding="utf-8")
    assert run(home, tmp_path / "cars.csv").exit_code == 0
    assert "future_as_of" in rejects.read_text(encoding="utf-8-sig")
    assert rejects.stat().st_mode & 0o777 == 0o600
    (tmp_path / "cars.csv").write_text(FORMULA, encoding="utf-8")
    assert run(home, tmp_path / "cars.csv").exit_code == 0
    text = rejects.read_text(encoding="utf-8-sig")
    assert "bad_characters" in text or "wrong_length" in text
    assert "future_as_of" not in text
    assert "45999919900" not in text
    (tmp_path / "cars.csv").write_text(GOOD, encoding="utf-8")
    assert run(home, tmp_path / "cars.csv").exit_code == 0
    assert rejects.read_text(encoding="utf-8-sig").splitlines() == ["file,line,column,reason,message"]


def test_rejects_that_cannot_be_written_stop_the_import(home, tmp_path):
    before = served(home)
    (tmp_path / "file").write_text("")
    (tmp_path / "cars.csv").write_text(FUTURE, encoding="utf-8")
    done = run(home, tmp_path / "cars.csv", "--rejects", tmp_path / "file/rejects.csv")
    assert isinstance(done.exception, NodeError)
    assert served(home) == before


def test_an_empty_register_is_published_on_request(home, tmp_path):
    before = versions(home)
    (tmp_path / "none.csv").write_text(HEADER, encoding="utf-8")
    done = run(home, tmp_path / "none.csv", "--allow-empty", "--json")
    assert done.exit_code == 0, done.output
    printed = json.loads(done.stdout)
    assert (printed["read"], printed["accepted_before"], printed["shrunk"]) == (0, 2, True)
    planted_and_pads = 128  # k/8
    # Only the partition of 45 held anybody: the others are what they were.
    assert [part[2] for part in served(home)[0]] == [planted_and_pads] * 3
    after = versions(home)
    assert after.pop("45") > before.pop("45")
    assert after == before


def test_a_register_that_shrank_is_told(home, tmp_path):
    rows = [f"{number},,粤B{n:05d},2026-06-30\n" for n, number in enumerate(("459999199001010010",) * 4)]
    for kept, shrunk in ((4, False), (2, False), (1, False), (4, False), (1, True)):
        (tmp_path / "cars.csv").write_text(HEADER + "".join(rows[:kept]), encoding="utf-8")
        done = run(home, tmp_path / "cars.csv", "--json")
        assert json.loads(done.stdout)["shrunk"] is shrunk, kept
        assert "warning" not in done.stdout
    done = run(home, tmp_path / "cars.csv")
    assert "warning" not in done.output


def run_process(home, *arguments):
    """The command in a process of its own, where workers may be forked."""
    command = [sys.executable, "-c", "from node.cli import main; main()", "import", "--home", str(home)]
    path = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.run(
        [*command, *map(str, arguments)], capture_output=True, text=True, check=False, timeout=180, env=path
    )


def test_workers_of_the_command(home, tmp_path):
    before = versions(home)
    done = run_process(home, "C21", tmp_path / "cars.csv", "--workers", "2", "--json")
    assert done.returncode == 0, done.stderr
    printed = json.loads(done.stdout)
    assert (printed["entries"], printed["workers"]) == (2, 2)
    assert versions(home) == before  # the same facts are the same bytes: no new version


@pytest.mark.parametrize(("item", "problem"), [("C99", "no item C99"), ("C21", "no column for id_no")])
def test_workers_go_home_when_the_run_ends_before_it_begins(home, tmp_path, item, problem):
    (tmp_path / "wrong.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    before = served(home)
    done = run_process(home, item, tmp_path / "wrong.csv", "--workers", "2")
    assert done.returncode == 1
    assert problem in done.stderr
    assert "Traceback" not in done.stderr
    assert served(home) == before
