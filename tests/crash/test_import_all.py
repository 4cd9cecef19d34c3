"""`heqiao import --all` that is killed or has no disk left: the next run goes on with what is missing."""

import contextlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from itertools import count
from pathlib import Path

import pytest

from tests.support.cli_runner import heqiao, ok
from tests.support.killed_commands import copy, run_killed
from tests.support.paths import ROOT
from tests.support.single_node import number

CODES = ("C21", "C22", "B12r")
PEOPLE = 2500  # of a register that takes long enough to be killed inside
STRIDE = 15  # of the steps of a run; the long test kills at each


def write(folder, people=4):
    folder.mkdir(exist_ok=True)
    for code in CODES:
        rows = [f"{number(at)},R{at}" for at in range(people)]
        (folder / f"{code}.csv").write_text("\n".join(["id_no,record_no", *rows]) + "\n", encoding="utf-8")


@pytest.fixture(scope="module")
def world(made, tmp_path_factory):
    place = tmp_path_factory.mktemp("all") / "world"
    place.mkdir()
    copy(made / "44", place / "44")
    write(place / "in")
    return place


def published(place):
    """How often each item was imported, in the order of the first time."""
    with contextlib.closing(sqlite3.connect(place / "44/heqiao.db")) as database:
        return Counter(item for (item,) in database.execute("SELECT item FROM imports ORDER BY id"))


def served(place):
    """What peers are served, apart from versions, which are times."""
    with contextlib.closing(sqlite3.connect(place / "44/heqiao.db")) as database:
        return sorted(database.execute("SELECT item, origin, root FROM partitions WHERE is_current"))


def go_on(place):
    """The same command again: what was published is left out, the rest is imported, nothing twice."""
    before = published(place)
    code, out, err = heqiao("import", "--home", place / "44", "--all", place / "in", "--json")
    assert (code, err) == (0, "")
    states = {one["item"]: one["state"] for one in json.loads(out)["items"]}
    assert states == {item: "done before" if item in before else "imported" for item in CODES}
    assert published(place) == dict.fromkeys(CODES, 1)
    assert not (place / "44/.import").exists()
    return before


def killed_at(world, place, step):
    """Whether it was killed; a copy of `world` is left in `place` then."""
    copy(world, place)
    code = run_killed(step, ["import", "--home", place / "44", "--all", place / "in"])
    assert code in (0, -signal.SIGKILL)
    if code == 0:
        shutil.rmtree(place)
    return code != 0


def kill_at_steps(world, folder, stride):
    """Kill at each so many steps and at the last, and go on; how many items had been published at each."""
    killed = folder / "killed"
    last = next(step for step in count(stride, stride) if not killed_at(world, folder / f"{step}", step))
    if stride > 1:
        next(step for step in range(last - 1, 0, -1) if killed_at(world, killed, step))
    found = [len(go_on(place)) for place in folder.iterdir()]
    assert len({tuple(served(place)) for place in folder.iterdir()}) == 1
    return set(found)


def test_killed_at_some_steps(world, tmp_path):
    """The same facts are the same roots, wherever it was killed."""
    assert kill_at_steps(world, tmp_path, STRIDE) == {0, 1, 2, 3}


@pytest.mark.long
def test_killed_at_every_step(world, tmp_path):
    assert kill_at_steps(world, tmp_path, 1) == {0, 1, 2, 3}


# ---- real processes, with workers


def start(place, *options, limit=None):
    """The command as a process of its own, in a group of its own; files can be `limit` bytes long."""
    program = "from node.cli import main; main()"
    if limit is not None:
        program = (
            "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
            f"resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit})); " + program
        )
    command = [
        sys.executable,
        "-c",
        program,
        "import",
        "--home",
        place / "44",
        "--all",
        place / "in",
        *options,
    ]
    path = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    return subprocess.Popen(
        [*map(str, command)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=path,
        start_new_session=True,
    )  # fmt: skip


def members(group):
    """Processes of a group that have not ended."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = path.read_text().rpartition(")")[2].split()
            if int(fields[2]) == group and fields[0] != "Z":
                found.append(int(path.parent.name))
    return found


def until(condition):
    ends = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < ends
        time.sleep(0.02)


@pytest.mark.parametrize("inside", [False, True], ids=["after-an-item", "inside-an-item"])
def test_killed_with_its_workers(world, tmp_path, inside):
    place = copy(world, tmp_path / "world")
    write(place / "in", PEOPLE)
    process = start(place, "--workers", "2")
    until(lambda: bool(published(place)))
    if inside:
        until(lambda: any((place / "44/.import").glob("*")) or process.poll() is not None)
    process.kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    until(lambda: not members(process.pid))
    done = go_on(place)
    assert 0 < len(done) < len(CODES)


def test_it_ends_with_its_workers(world, tmp_path):
    """Items share the process that forks workers, and nothing is left of it."""
    place = copy(world, tmp_path / "world")
    process = start(place, "--workers", "2", "--json")
    out, err = process.communicate(timeout=240)
    assert (process.returncode, err) == (0, "")
    items = json.loads(out)["items"]
    assert [(one["item"], one["state"], one["workers"]) for one in items] == [
        (code, "imported", 2) for code in CODES
    ]
    until(lambda: not members(process.pid))


def test_a_second_run_at_the_same_time(world, tmp_path):
    place = copy(world, tmp_path / "world")
    write(place / "in", PEOPLE)
    first = start(place, "--json")
    until(lambda: bool(published(place)))
    code, out, err = heqiao("import", "--home", place / "44", "--all", place / "in")
    assert (code, out, "another `heqiao import --all` is running" in err) == (1, "", True)
    out, err = first.communicate(timeout=240)
    assert (first.returncode, err) == (0, "")
    assert go_on(place) == dict.fromkeys(CODES, 1)


def test_a_full_disk_fails_the_item_and_the_next_run_goes_on(world, tmp_path):
    place = copy(world, tmp_path / "world")
    write(place / "in", 4)
    rows = [f"{number(at)},R{at}" for at in range(20_000)]
    (place / "in/C22.csv").write_text("\n".join(["id_no,record_no", *rows]) + "\n", encoding="utf-8")
    process = start(place, "--json", "--workers", "0", limit=(place / "44/heqiao.db").stat().st_size + 2**19)
    out, err = process.communicate(timeout=240)
    assert (process.returncode, err) == (1, "")
    items = {one["item"]: one for one in json.loads(out)["items"]}
    assert (items["C21"]["state"], items["C22"]["state"]) == ("imported", "failed")
    assert items["C22"]["hint"]
    assert "C22" not in published(place)
    before = go_on(place)
    assert before["C21"] == 1
    ok("import", "--home", place / "44", "--clean")
