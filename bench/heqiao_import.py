"""Our side: index a register, verify a list, check single persons, all through real processes."""

import csv
import json
import shutil
import statistics
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from bench.match import WARM_UP, Ask, running_mark
from bench.meter import Meter, cpu_seconds, quantile
from synth import bulk
from testbed.homes_bench import (
    ITEM,
    REQUESTER,
    RESPONDER,
    Nodes,
    import_command,
    last_object,
    make_homes,
    set_mirror,
    size_of,
)
from testbed.processes import Children, wait_until

STATE = "index.json"
REGISTER = "register.csv"
SECOND_ITEM = "C22"  # of the same class
BUSY_SUBJECTS = 100_000
LONGEST_S = 900.0  # a client that runs longer is stuck
CHECKS = 100
BUSY_CHECKS = 300  # of which those count that lie within a running job


@dataclass(frozen=True)
class Sizes:
    """What is measured: entries in the index, sizes of the lists, entries a bucket holds on average.

    `mirror_mib` is the room for the mirrors of the requester.
    """

    entries: int
    subjects: tuple[int, ...]
    k_anonymity: int = 1_024
    repeat: int = 1
    mirror_mib: int = 20_480


def prepare(children: Children, folder: Path, sizes: Sizes) -> dict[str, Any]:
    """Homes, register and index in a folder; figures of the import. What an earlier run left is used."""
    index = _index(children, folder, sizes)
    set_mirror(folder, sizes.mirror_mib)
    return index


def _index(children: Children, folder: Path, sizes: Sizes) -> dict[str, Any]:
    state = folder / STATE
    wanted = {"entries": sizes.entries, "k_anonymity": sizes.k_anonymity}
    if state.is_file():
        kept = json.loads(state.read_text(encoding="utf-8"))
        if kept["sizes"] != wanted:
            raise SystemExit(f"{folder} holds an index of other sizes: {kept['sizes']}; name another folder")
        return dict(kept["index"])
    make_homes(children, folder, sizes.k_anonymity)
    register = folder / REGISTER
    bulk.write_register(register, sizes.entries, RESPONDER)
    index = measure_import(children, folder, register, sizes)
    state.write_text(json.dumps({"sizes": wanted, "index": index}), encoding="utf-8")
    return index


def measure_import(children: Children, folder: Path, register: Path, sizes: Sizes) -> dict[str, Any]:
    """`heqiao import` from start to end of the command, `repeat` times; the median run by wall time.

    Each run begins with a home that holds nothing, since what is known of people is kept.
    """
    home, empty = folder / RESPONDER, folder / "empty"
    shutil.copytree(home, empty, symlinks=True)
    runs = []
    for number in range(sizes.repeat):
        if number:
            shutil.rmtree(home)
            shutil.copytree(empty, home, symlinks=True)
        runs.append(run_import(children, folder, register, sizes.entries))
    shutil.rmtree(empty)
    middle = sorted(runs, key=lambda run: run["wall_s"])[len(runs) // 2]
    return {
        "index_wall_s": middle["wall_s"],
        "index_cpu_s": middle["cpu_s"],
        "index_peak_mib": middle["peak_mib"],
        "index_rows_per_s": sizes.entries / middle["wall_s"],
        "index_parts_s": middle["parts_s"],
        "index_disk_bytes_per_entry": database_bytes(folder) / sizes.entries,
        "index_walls_s": [run["wall_s"] for run in runs],
    }


def run_import(
    children: Children, folder: Path, register: Path, entries: int, item: str = ITEM, *options: str
) -> dict[str, Any]:
    """One `heqiao import` from start to end of the command; memory is that of the command and its workers.

    Raises SystemExit where it takes another number of rows than `entries`, ChildError where it fails.
    """
    command = children.start("import", import_command(folder, register, item, *options))
    with Meter(command.process.pid) as meter:
        command.process.wait()
    if command.process.returncode:
        command.check()
    printed = last_object(command.log.read_text(encoding="utf-8"))
    if printed["entries"] != entries or printed["rejected"]:
        raise SystemExit(f"the import took {printed['entries']} of {entries} rows")
    return {
        "wall_s": meter.wall_s,
        "cpu_s": meter.cpu_s,
        "peak_mib": meter.peak_mib,
        "parts_s": printed.get("seconds", {}),
    }


def database_bytes(folder: Path) -> int:
    """Bytes of the responder's database on its disk."""
    return sum(map(size_of, (folder / RESPONDER).glob("heqiao.db*")))


def measure_more(children: Children, folder: Path, sizes: Sizes) -> dict[str, Any]:
    """A second item over the same people, then the same register once more.

    A folder that is kept has the second item from then on: the figures are those of its first run.
    """
    state = folder / STATE
    kept = json.loads(state.read_text(encoding="utf-8"))
    if "more" not in kept:
        second = run_import(children, folder, folder / REGISTER, sizes.entries, SECOND_ITEM)
        again = run_import(children, folder, folder / REGISTER, sizes.entries)
        kept["more"] = {
            f"{name}_{key}": run[key]
            for name, run in (("second_item", second), ("again", again))
            for key in ("wall_s", "cpu_s", "peak_mib", "parts_s")
        }
        state.write_text(json.dumps(kept), encoding="utf-8")
    return dict(kept["more"])


def measure_online(children: Children, folder: Path, nodes: Nodes, sizes: Sizes) -> list[dict[str, Any]]:
    """A job for each size of list, the largest first. Its very first run also downloads what is cached."""
    found = []
    for place, count in enumerate(sorted(set(sizes.subjects), reverse=True)):
        listed = write_subjects(folder, sizes.entries, count)
        first = run_list(children, folder, nodes, listed) if place == 0 else None
        runs = [run_list(children, folder, nodes, listed) for _ in range(sizes.repeat)]
        middle = sorted(runs, key=lambda run: run["wall_s"])[len(runs) // 2]
        library = [run_list(children, folder, nodes, listed, "library") for _ in range(sizes.repeat)]
        called = sorted(library, key=lambda run: run["wall_s"])[len(library) // 2]
        row = {"subjects": count, **middle, "walls_s": [run["wall_s"] for run in runs]}
        row |= {"library_wall_s": called["wall_s"], "library_cpu_s": called["cpu_s"]}
        row |= {key: called[key] for key in ("wire_up", "wire_down")}
        row["wrong"] += called["wrong"]
        if first is not None:
            row |= {f"first_{key}": first[key] for key in ("wall_s", "bytes_down", "plan")}
        found.append(row)
    return found


def write_subjects(folder: Path, entries: int, count: int) -> Path:
    """The folder with a list of some size; made once."""
    listed = folder / f"list-{count}"
    if not listed.is_dir():
        bulk.write_list(listed, bulk.choose_subjects(entries, count), RESPONDER)
    return listed


def run_list(
    children: Children, folder: Path, nodes: Nodes, listed: Path, mode: str = "job"
) -> dict[str, Any]:
    """A list as one job of the requester's node, or in one call of the client library.

    The answers are held against the plain join.
    """
    out = folder / "findings.csv"
    ask = Ask(mode, str(folder), str(listed), nodes.address, str(out))
    cpu = cpu_seconds(nodes.pids)
    with Meter() as meter:
        result = run_ask(children, "ask", ask)
    used = cpu_seconds(nodes.pids) - cpu
    with out.open(newline="", encoding="utf-8") as file:
        answers = [(ref, outcome, int(value) if value else None) for ref, outcome, value in csv.reader(file)]
    subjects = sum(1 for _ in (listed / "households.csv").open("rb")) - 1
    matches, wrong = compare(answers, subjects, bulk.plain_join(folder / REGISTER, listed / "households.csv"))
    cpu_s = used + result.pop("client_cpu_s")
    return {
        **{key: value for key, value in result.items() if key not in ("ran", "created", "finished")},
        "cpu_s": cpu_s,
        "peak_mib": meter.peak_mib,
        "matches": matches,
        "wrong": wrong,
    }


def compare(
    answers: Sequence[tuple[str, str, int | None]], subjects: int, truth: dict[str, int]
) -> tuple[int, int]:
    """(matches, wrong): a wrong outcome or value, an answer too many or one that is missing is wrong."""
    given = {ref: (outcome, value) for ref, outcome, value in answers}
    matches = sum(outcome == "FOUND" for outcome, _ in given.values())
    wrong = sum(
        answer != (("FOUND", truth[ref]) if ref in truth else ("NOT_FOUND", None))
        for ref, answer in given.items()
    )
    return matches, wrong + abs(len(answers) - len(given)) + abs(subjects - len(given))


def measure_single(children: Children, folder: Path, nodes: Nodes, sizes: Sizes) -> dict[str, Any]:
    """One person at a time on a warm connection: alone, and while a large list is being verified."""
    listed = write_subjects(folder, sizes.entries, BUSY_CHECKS + WARM_UP)
    truth = bulk.plain_join(folder / REGISTER, listed / "households.csv")
    ask = Ask("single", str(folder), str(listed), checks=CHECKS)
    quiet = run_ask(children, "single", ask)
    large = write_subjects(folder, sizes.entries, min(BUSY_SUBJECTS, 2 * sizes.entries))
    again = folder / "again"
    running_mark(again).unlink(missing_ok=True)
    again.touch()
    try:
        jobs = children.start(
            "jobs", ask_command(Ask("job", str(folder), str(large), nodes.address, again=str(again)))
        )
        wait_until("the large list", [jobs], running_mark(again).exists)
        beside = run_ask(children, "single-busy", replace(ask, checks=BUSY_CHECKS))
    finally:
        again.unlink()
    wait_until("the large list", [], lambda: jobs.process.poll() is not None, LONGEST_S)
    ran = last_object(jobs.log.read_text(encoding="utf-8"))["ran"]
    busy = [took for at, took in beside["checks"] if any(a <= at and at + took <= b for a, b in ran)]
    wrong = sum(compare([answer], 1, truth)[1] for run in (quiet, beside) for answer in run["outcomes"])
    alone = [took for _, took in quiet["checks"]]
    return {
        "single_median_ms": 1000 * statistics.median(alone),
        "single_p95_ms": 1000 * quantile(alone, 0.95),
        "single_busy_median_ms": 1000 * statistics.median(busy) if busy else None,
        "single_busy_p95_ms": 1000 * quantile(busy, 0.95) if busy else None,
        "single_busy_checks": len(busy),
        "single_busy_subjects": min(BUSY_SUBJECTS, 2 * sizes.entries),
        "single_wrong": wrong,
    }


def mirrored_bytes(folder: Path) -> int:
    """Bytes of the mirrors of the requester's node."""
    return size_of(folder / REQUESTER / "mirror")


def run_ask(children: Children, name: str, ask: Ask) -> dict[str, Any]:
    """What one client process prints. Raises ChildError when it fails or never ends."""
    client = children.start(name, ask_command(ask))
    wait_until(f"the client ({ask.mode})", [], lambda: client.process.poll() is not None, LONGEST_S)
    if client.process.returncode:
        client.check()
    return last_object(client.log.read_text(encoding="utf-8"))


def ask_command(ask: Ask) -> tuple[str, ...]:
    """The command line of bench.ask."""
    return (sys.executable, "-m", "bench.match", json.dumps(asdict(ask)))
