"""Imports over processes: the same result as in one, kills, full disks, other sources, bounded memory."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from matcher import identity
from node.database import partition_versions
from node.errors import ConfigError, ConflictError, InputError, UnavailableError
from node.index import update_lock
from node.registers import importer
from node.registers.sources import Query
from tests.support.command_server import command_server
from tests.support.paths import ROOT
from tests.support.single_node import LIMITS, Held, make_node, number

PEOPLE = [number(i) for i in range(400)] + [number(i, "459999") for i in range(40)]


def write_register(path: Path, rows, header="id_no,name,record_no") -> Path:
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def register(path: Path, people=PEOPLE, plate="a") -> Path:
    return write_register(path, [f"{person},陈三,{plate}{at}" for at, person in enumerate(people)])


@pytest.fixture
def node(tmp_path):
    made = make_node(tmp_path / "44", {**LIMITS, "k_anonymity": 8})
    yield made
    made.store.dispose()


def found(node, people=PEOPLE):
    held = Held(node, "C21")
    opened = {person: held.open(identity.parse(person)) for person in people}
    return {person: answer[0].value for person, answer in opened.items() if answer}


def test_processes_give_the_same_as_one(node, tmp_path, monkeypatch):
    path = register(tmp_path / "r.csv", [*PEOPLE, *PEOPLE[:50]])
    with path.open("a", encoding="utf-8") as file:
        file.write(f"{PEOPLE[0][:17]}?,坏,x\n{PEOPLE[1]},陈三,a,b\n")
    monkeypatch.setattr("node.registers.chunks.BLOCK_BYTES", 2000)
    alone = importer.import_item(node, "C21", [path], workers=0, rejects_file=tmp_path / "a.csv")
    answers = found(node)
    spread = importer.import_item(node, "C21", [path], workers=2, rejects_file=tmp_path / "b.csv")
    assert (spread.tally, spread.origins) == (alone.tally, alone.origins)
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()
    assert found(node) == answers == {person: 1 + (person in PEOPLE[:50]) for person in PEOPLE}
    assert (alone.tally.read, alone.tally.rejected, alone.workers, spread.workers) == (492, 2, 0, 2)
    assert spread.usage.peak > alone.usage.peak > 0
    assert set(spread.seconds) == {"read", "index", "write", "publish", "retire"}


def test_progress_goes_up_to_the_end(node, tmp_path):
    steps = []
    path = register(tmp_path / "r.csv")
    importer.import_item(node, "C21", [path], progress=lambda *step: steps.append(step))
    assert {stage: (done, total) for stage, done, total in steps} == {
        "read": (440, 440),
        "index": (440, 440),
        "write": (440 + 35 * 65, 440 + 35 * 65),  # a planted one and 64 pads a partition
    }


def test_nothing_of_a_person_lies_in_the_temporary_files(node, tmp_path, monkeypatch):
    """Also not the digests or points from which a number could be searched."""
    path = register(tmp_path / "r.csv")
    folder, seen = node.config.folder / update_lock.FOLDER, []
    original = importer.publish

    def look(*args, **more):
        files = list(folder.iterdir())
        seen.extend((file.stat().st_mode & 0o777, file.read_bytes()) for file in files)
        assert folder.stat().st_mode & 0o777 == 0o700
        return original(*args, **more)

    monkeypatch.setattr(importer, "publish", look)
    importer.import_item(node, "C21", [path])
    assert seen
    held = Held(node, "C21")
    for mode, content in seen:
        assert mode == 0o600
        assert not any(person.encode() in content or "陈三".encode() in content for person in PEOPLE)
        assert not any(tag in content for tags in held.tags.values() for tag in tags)
    assert not folder.exists()


# ---- ends that were not planned


def end_of_child(home: Path, path: Path, code: str) -> tuple[int, str]:
    """How a process that imports ended, and its errors; `code` runs before, with `node` and `importer`."""
    program = "\n".join([
        "import os, signal",
        "from pathlib import Path",
        "from tests.support.single_node import make_node, LIMITS",
        "from node.index import partition_writer as shelf",
        "from node.registers import importer",
        f"node = make_node(Path({str(home)!r}), {{**LIMITS, 'k_anonymity': 8}})",
        code,
        f"importer.import_item(node, 'C21', [Path({str(path)!r})], workers=WORKERS)",
    ])  # fmt: skip
    done = command_server().run((), program=program)
    return done.returncode, done.stderr


# Each stage once at least, with workers or without; the rest of the table is long.
KILLS = [("read", 2), ("index", 0), ("write", 2), ("write", 0)]
KILLS += [pytest.param(*one, marks=pytest.mark.long) for one in (("read", 0), ("index", 2))]


@pytest.mark.parametrize(("stage", "workers"), KILLS)
def test_a_killed_import_is_rolled_back_by_the_next(node, tmp_path, stage, workers):
    path = register(tmp_path / "r.csv")
    importer.import_item(node, "C21", [register(tmp_path / "old.csv", PEOPLE[:7])])
    before = found(node)
    stop = (
        f"WORKERS = {workers}\n"
        "shelf.FLUSH_BYTES = 1\n"
        "def die(stage, done, total):\n"
        f"    if stage == {stage!r}: os.kill(os.getpid(), signal.SIGKILL)\n"
        "import functools\n"
        "importer.import_item = functools.partial(importer.import_item, progress=die)"
    )
    code, error = end_of_child(node.config.folder, path, stop)
    assert code == -signal.SIGKILL, error
    assert (node.config.folder / update_lock.FOLDER).exists()
    assert found(node) == before
    done = importer.import_item(node, "C21", [path])
    assert done.rolled_back
    assert len(found(node)) == len(PEOPLE)
    assert not importer.import_item(node, "C21", [path]).rolled_back
    assert not partition_versions.sweep(node.store)


def test_clean_removes_what_is_left_and_says_so(node, tmp_path):
    importer.import_item(node, "C21", [register(tmp_path / "r.csv")])
    assert not update_lock.clean(node)
    (node.config.folder / update_lock.FOLDER).mkdir()
    assert update_lock.clean(node)
    assert not update_lock.clean(node)


def test_one_import_at_a_time(node, tmp_path):
    path = register(tmp_path / "r.csv")
    with update_lock.open_workspace(node):
        with pytest.raises(ConflictError, match="another import or rotation is running"):
            importer.import_item(node, "C21", [path])
        with pytest.raises(ConflictError):
            update_lock.clean(node)
    importer.import_item(node, "C21", [path])


def test_a_worker_that_is_ended_ends_the_import_clearly(node, tmp_path, monkeypatch):
    importer.import_item(node, "C21", [register(tmp_path / "r.csv")])
    before = found(node)

    def kill_a_worker(stage, _done, _total):
        if stage == "read":
            children = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
            for process in children:
                if b"spawn_main" in Path(f"/proc/{process}/cmdline").read_bytes():
                    os.kill(int(process), signal.SIGKILL)

    with pytest.raises(UnavailableError, match="worker process"):
        importer.import_item(
            node, "C21", [register(tmp_path / "n.csv", PEOPLE, "b")], workers=2, progress=kill_a_worker
        )
    assert found(node) == before


def test_a_full_disk_is_told_and_changes_nothing(node, tmp_path):
    importer.import_item(node, "C21", [register(tmp_path / "r.csv", PEOPLE[:5])])
    before = found(node)
    limit = "import resource\nsignal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
    limit += "resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))\nWORKERS = 0"
    code, error = end_of_child(node.config.folder, register(tmp_path / "n.csv"), limit)
    assert code == 1
    assert "UnavailableError" in error
    assert "disk" in error or "cannot be written" in error
    assert found(node) == before
    importer.import_item(node, "C21", [tmp_path / "n.csv"])
    assert len(found(node)) == len(PEOPLE)


ENDS = {
    "in the middle of a row": (lambda text: text[:-9], None),
    "in an open quote": (lambda text: text + f'{PEOPLE[0]},"陈', "never closes"),
    "with one bad row": (lambda text: text + "x,y,z\n", None),
    "with other columns": (lambda text: text + f"{PEOPLE[0]},1\n" * 3, None),
    "with bytes of no encoding": (lambda text: text.encode() + b"\xff\xff\n", "neither UTF-8"),
}


@pytest.mark.parametrize("case", ENDS)
def test_files_that_end_badly(node, tmp_path, case):
    change, problem = ENDS[case]
    importer.import_item(node, "C21", [register(tmp_path / "old.csv", PEOPLE[:9])])
    before = found(node)
    path = register(tmp_path / "r.csv", [*PEOPLE, PEOPLE[0]])
    content = change(path.read_text(encoding="utf-8"))
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    if problem is None:
        tally = importer.import_item(node, "C21", [path]).tally
        assert tally.read == tally.accepted + tally.duplicates + tally.rejected
        assert len(found(node)) == len(PEOPLE)
        return
    with pytest.raises(InputError, match=problem):
        importer.import_item(node, "C21", [path])
    assert found(node) == before


def test_many_copies_of_one_row(node, tmp_path):
    path = write_register(tmp_path / "r.csv", [f"{PEOPLE[0]},陈三,a"] * 20_000)
    done = importer.import_item(node, "C21", [path], workers=0)
    assert (done.tally.read, done.tally.accepted, done.tally.duplicates) == (20_000, 1, 19_999)
    assert found(node) == {PEOPLE[0]: 1}


def test_one_bad_row_among_many(node, tmp_path, monkeypatch):
    """Only that row is rejected, with its line number, wherever the blocks end."""
    monkeypatch.setattr(
        "node.registers.chunks.BLOCK_BYTES", 1 << 17
    )  # an eighth, so that an eighth of the rows has as many
    people = [number(i) for i in range(12_500)]
    rows = [f"{person},陈三,a" for person in people]
    rows[9_722] = rows[9_722].replace(people[9_722], people[9_722][:17])
    path = write_register(tmp_path / "r.csv", rows)
    done = importer.import_item(node, "C21", [path], workers=2, rejects_file=tmp_path / "rejects.csv")
    assert (done.tally.read, done.tally.accepted, done.tally.rejected) == (12_500, 12_499, 1)
    assert "r.csv,9724,id_no,wrong_length" in (tmp_path / "rejects.csv").read_text(encoding="utf-8-sig")
    assert found(node, people[9_721:9_724]) == {people[9_721]: 1, people[9_723]: 1}


@pytest.mark.long
@pytest.mark.timeout(900)
def test_ten_million_copies_of_one_person(node, tmp_path):
    path = tmp_path / "r.csv"
    with path.open("w", encoding="utf-8") as file:
        file.write("id_no,name,record_no\n")
        file.writelines(f"{PEOPLE[0]},陈三,a{i % 3}\n" * 100 for i in range(100_000))
    done = importer.import_item(node, "C21", [path], workers=2)
    assert (done.tally.read, done.tally.accepted, done.tally.duplicates) == (10**7, 3, 10**7 - 3)
    assert done.usage.peak < 1 << 30
    assert found(node) == {PEOPLE[0]: 3}


# ---- other sources


def source_database(
    path: Path, rows, ddl="CREATE TABLE cars (id_no TEXT, name TEXT, as_of TEXT, n INTEGER)"
) -> Path:
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("CREATE TABLE cars (id_no TEXT, name TEXT, as_of TEXT, n INTEGER)")
        database.executemany("INSERT INTO cars VALUES (?, ?, ?, ?)", rows)
    url = path.with_suffix(".url")
    url.write_text(f"sqlite:///{path}\n", encoding="utf-8")
    url.chmod(0o600)
    return url


def test_a_query(node, tmp_path):
    url = source_database(tmp_path / "cars.db", [(p, None, "2026-06-30", 1) for p in [*PEOPLE, "bad"]])
    query = Query(url, "SELECT id_no AS 身份证号, name, as_of, n FROM cars")
    done = importer.import_item(node, "C21", query, rejects_file=tmp_path / "rejects.csv", workers=0)
    assert (done.tally.read, done.tally.rejected) == (441, 1)
    assert found(node) == dict.fromkeys(PEOPLE, 1)
    assert "query,441,身份证号,wrong_length" in (tmp_path / "rejects.csv").read_text(encoding="utf-8-sig")


QUERIES = {
    "no such table": "SELECT id_no FROM bikes",
    "fails after some rows": "SELECT id_no, abs(CASE rowid WHEN 300 THEN -1 - ~(1 << 63) END) FROM cars",
    "not SQL": "cars",
}


@pytest.mark.parametrize("case", QUERIES)
def test_a_query_that_fails_publishes_nothing(node, tmp_path, case):
    importer.import_item(node, "C21", [register(tmp_path / "r.csv", PEOPLE[:3])])
    url = source_database(tmp_path / "cars.db", [(p, "陈", "2026-06-30", 1) for p in PEOPLE])
    with pytest.raises(UnavailableError, match="source database failed after") as caught:
        importer.import_item(node, "C21", Query(url, QUERIES[case]), workers=0)
    assert str(tmp_path) not in str(caught.value)
    assert found(node) == dict.fromkeys(PEOPLE[:3], 1)


def test_the_url_of_a_source_is_private(node, tmp_path):
    url = source_database(tmp_path / "cars.db", [])
    url.chmod(0o644)
    with pytest.raises(Exception, match="open to other accounts"):
        importer.import_item(node, "C21", Query(url, "SELECT 1"))
    url.chmod(0o600)
    url.write_text("carrier pigeon", encoding="utf-8")
    with pytest.raises(ConfigError):
        importer.import_item(node, "C21", Query(url, "SELECT 1"))


def test_parquet(node, tmp_path):
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    from datetime import date
    from decimal import Decimal

    table = arrow.table({
        "证件号码": PEOPLE[:5], "姓名": ["陈", None, "王", "", "李"], "余额(元)": [Decimal("250000.50")] * 5,
        "数据时点": [date(2026, 6, 30)] * 5,
    })  # fmt: skip
    path = tmp_path / "deposits.parquet"
    parquet.write_table(table, path)
    done = importer.import_item(node, "C23", [path])
    assert (done.tally.read, done.tally.records, done.tally.rejected) == (5, 5, 0)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InputError, match="not a whole Parquet file"):
        importer.import_item(node, "C23", [path])


# ---- memory


@pytest.mark.long
@pytest.mark.timeout(900)
def test_memory_is_bounded_at_three_million_rows(tmp_path):
    """All processes together; and no more than a little above what a third of the rows takes."""
    script = (
        "import sys, json; from pathlib import Path\n"
        f"sys.path[:0] = {[str(ROOT), *sys.path]!r}\n"
        "from tests.support.single_node import make_node, number\n"
        "from node.registers import importer\n"
        "def main():\n"
        "    node = make_node(Path(sys.argv[1]), {})\n"
        "    done = importer.import_item(node, 'C21', [Path(sys.argv[2])], workers=2)\n"
        "    print(json.dumps([done.tally.entries, done.usage.peak, sum(done.seconds.values())]))\n"
        "if __name__ == '__main__': main()\n"
    )
    program = tmp_path / "run.py"
    program.write_text(script, encoding="utf-8")
    peaks = []
    for rows in (1_000_000, 3_000_000):
        path = tmp_path / f"{rows}.csv"
        with path.open("w", encoding="ascii") as file:
            file.write("id_no\n")
            file.writelines(f"{number(i % 336_000, f'{11 + i // 336_000}9999')}\n" for i in range(rows))
        home = tmp_path / str(rows)
        printed = subprocess.run(
            [sys.executable, str(program), str(home), str(path)], capture_output=True, text=True, check=True
        ).stdout
        entries, peak, _ = json.loads(printed)
        assert entries == rows
        peaks.append(peak)
        path.unlink()
    assert peaks[1] < 1 << 30
    assert peaks[1] < 1.6 * peaks[0]
