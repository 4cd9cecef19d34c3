"""Rotation of the OPRF key beside a serving node: what `python -m bench rotate --json` prints."""

import resource
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

from bench import heqiao_import
from bench.heqiao_import import LONGEST_S, REGISTER, Sizes
from bench.match import Ask, running_mark
from bench.meter import Meter, describe_machine, kernel_us, list_versions, quantile, rounded
from bench.workspace import workspace
from matcher.suites import x25519
from synth import bulk
from testbed.homes_bench import RESPONDER, heqiao, last_object, serve, size_of
from testbed.processes import Children, wait_until

CHECKS = 100  # in quiet; while it rotates as many as there is time for
LISTED = 400


def run(entries: int, k_anonymity: int, keep: Path | None = None) -> dict[str, Any]:
    """An index of some size, rotated twice: while its node has nothing to do, and beside single checks."""
    machine, kernel = describe_machine(), kernel_us()
    sizes = Sizes(entries, (LISTED,), k_anonymity)
    with workspace(keep) as folder, Children(folder / "logs") as children:
        heqiao_import.prepare(children, folder, sizes)
        serve(children, folder)
        held = count_entries(children, folder)
        alone = rotate(children, folder)
        retired_s = retire(children, folder)
        checks = Checks(children, folder, sizes)
        quiet = checks.in_quiet()
        beside = checks.during(lambda: rotate(children, folder))
        retire(children, folder)
    floor = 1e-6 * kernel * entries
    single = {**_figures("quiet", quiet), **_figures("rotating", checks.beside)}
    figures = {
        "entries": entries,
        "k_anonymity": k_anonymity,
        "backend": x25519.backend().name,
        "kernel_us_per_point": kernel,
        "floor_s": floor,
        **{f"rotate_{name}": value for name, value in alone.items()},
        "rotate_over_floor": alone["wall_s"] / floor,
        "retire_wall_s": retired_s,
        "beside_wall_s": beside["wall_s"],
        "beside_cpu_s": beside["cpu_s"],
        **single,
        "single_ratio": single["single_rotating_median_ms"] / single["single_quiet_median_ms"],
        "wrong": checks.wrong + sum(abs(held - one["entries"]) for one in (alone, beside)),
    }
    return {**rounded(figures), "machine": machine, "versions": list_versions()}


def retire(children: Children, folder: Path) -> float:
    """Remove the epoch before, so that the next rotation begins as this one did; seconds."""
    with Meter() as meter:
        heqiao(children, "retire", "keys", "retire", "oprf", "--home", folder / RESPONDER, "--now")
    return meter.wall_s


def count_entries(children: Children, folder: Path) -> int:
    """Entries that a rotation has to move, planted ones among them."""
    home = folder / RESPONDER
    text = heqiao(children, "plan", "keys", "rotate", "oprf", "--home", home, "--dry-run", "--json")
    return int(last_object(text)["entries"])


def rotate(children: Children, folder: Path) -> dict[str, Any]:
    """`heqiao keys rotate oprf` from start to end of the command: wall, CPU, memory of all its processes."""
    home = folder / RESPONDER
    before, disk = _reaped_s(), _database(home)
    command = ("heqiao", "keys", "rotate", "oprf", "--home", str(home), "--json")
    child = children.start("rotate", command)
    with Meter(child.process.pid) as meter:
        wait_until("the rotation", [], lambda: child.process.poll() is not None, LONGEST_S)
    if child.process.returncode:
        child.check()
    printed = last_object(child.log.read_text(encoding="utf-8"))
    return {
        "wall_s": meter.wall_s,
        "cpu_s": _reaped_s() - before,
        "peak_mib": meter.peak_mib,
        "parts_s": printed["seconds"],
        "workers": printed["workers"],
        "entries": printed["entries"],
        "disk_bytes_per_entry": (_database(home) - disk) / printed["entries"],
    }


class Checks:
    """Single checks with the client library, held against the plain join; `beside` are those of `during`."""

    def __init__(self, children: Children, folder: Path, sizes: Sizes) -> None:
        self._children, self._folder = children, folder
        listed = heqiao_import.write_subjects(folder, sizes.entries, LISTED)
        self._truth = bulk.plain_join(folder / REGISTER, listed / "households.csv")
        self._ask = Ask("single", str(folder), str(listed), checks=CHECKS)
        self.wrong, self.beside = 0, list[float]()

    def in_quiet(self) -> list[float]:
        """Seconds of each check while nothing else happens."""
        found = heqiao_import.run_ask(self._children, "single", self._ask)
        self._hold(found)
        return [took for _, took in found["checks"]]

    def during(self, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Check one person after the other while `work` runs; only checks that lie within it count."""
        again = self._folder / "again"
        running_mark(again).unlink(missing_ok=True)
        again.touch()
        ask = replace(self._ask, again=str(again))
        client = self._children.start("single-beside", heqiao_import.ask_command(ask))
        try:
            wait_until("the checks", [client], running_mark(again).exists)
            with Meter() as meter:
                result = work()
        finally:
            again.unlink()
        wait_until("the checks", [], lambda: client.process.poll() is not None, LONGEST_S)
        found = last_object(client.log.read_text(encoding="utf-8"))
        self._hold(found)
        began, ended = meter.began, meter.began + meter.wall_s
        self.beside = [took for at, took in found["checks"] if began <= at and at + took <= ended]
        return result

    def _hold(self, found: dict[str, Any]) -> None:
        self.wrong += sum(heqiao_import.compare([answer], 1, self._truth)[1] for answer in found["outcomes"])


def _figures(when: str, seconds: list[float]) -> dict[str, Any]:
    return {
        f"single_{when}_checks": len(seconds),
        f"single_{when}_median_ms": 1e3 * median(seconds),
        f"single_{when}_p95_ms": 1e3 * quantile(seconds, 0.95),
        f"single_{when}_max_ms": 1e3 * max(seconds),
    }


def _reaped_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _database(home: Path) -> int:
    return sum(map(size_of, home.glob("heqiao.db*")))
