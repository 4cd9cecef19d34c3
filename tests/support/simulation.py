"""Real nodes on loopback that run a list of operations, compared with the plain model.

Real TLS, real SQLite, one clock for all. The requester reaches its peers through relays that can lose
messages. After each operation no data of a person is in any file of a home, and all audit chains are sound.
"""

import csv
import secrets
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from functools import partial, singledispatchmethod
from pathlib import Path
from typing import Any

from matcher.identity import parse
from node.database import audit_log
from node.domain.audit_chain import first_broken
from node.domain.days import china_day
from node.domain.subjects import Subject
from node.domain.sum_findings import SumFinding
from node.domain.summation import Summation, in_cohort
from node.domain.verification import Verification
from node.jobs import engine, match_results, sum_results
from node.jobs.lookup import require_job
from node.mirror.folder import FOLDER as MIRRORS
from node.registers.importer import import_item
from tests.support import operations as ops
from tests.support import rotations
from tests.support.certificates import publish
from tests.support.cluster import (
    OPEN_STATES,
    FakeClock,
    Province,
    findings_of,
    know,
    move_peer,
    open_home,
    silence_log,
    wait_for,
)
from tests.support.examples import mandate_for
from tests.support.federation import QUICK_LEASES, Federation, allow_sums, set_config
from tests.support.leakage import forms
from tests.support.salt_change import take_salt
from tests.support.searched_files import SearchedFiles
from tests.support.tap import Fault, Tap

LIMITS = {"k_anonymity": 4, "chunk_points": 16, "planted_per_partition": 1}
PATIENCE_S = 180
PLANTED = [
    form
    for text in (ops.PREFIX, *ops.NAMES[:3], *map(ops.number_of, range(3)))
    for form in forms(text).values()
    if len(form) >= 6
]


def make_homes(folder: Path) -> None:
    """Homes of 45, 44 and 33 that have each other as peers and no records, to be copied."""
    federation = Federation.create()
    for code in ops.CODES:
        federation.make_home(folder / code, code, limits=LIMITS)
    allow_sums(folder / code for code in ops.CODES)
    asking = open_home(folder / ops.ASKING)
    for code in ops.ANSWERING:
        node = open_home(folder / code)
        know(node, folder / ops.ASKING, 0, ("45", "C23:45"))
        know(asking, folder / code, 0)
        node.store.dispose()
    asking.store.dispose()
    for code in ops.CODES:
        set_config(folder / code, "requester", min_opened=ops.MIN_COHORT)
        set_config(folder / code, "jobs", **QUICK_LEASES)  # the jobs of a killed home are soon taken over
    federation.save(folder)


def _copy_if_there(source: str, target: str) -> None:
    """The node works on while it is copied: a mirror's file may be renamed meanwhile."""
    with suppress(FileNotFoundError):
        shutil.copy2(source, target)


class Simulation:
    """A federation and its model; `apply` does one operation to both and compares."""

    def __init__(self, homes: Path, federation: Federation, folder: Path) -> None:
        self.folder, self.federation = folder, federation
        self.done: list[ops.Operation] = []
        self.model, self.clock = ops.Model(), FakeClock(datetime.now(UTC))
        self.salts, self.salt_of = [federation.salt], dict.fromkeys(ops.CODES, 1)
        (folder / "homes").mkdir()
        self._files = SearchedFiles(folder / "homes", PLANTED)
        silence_log(folder / "homes")
        self._jobs = self._copies = 0
        self._faulty: set[str] = set()  # peers with a fault armed since the last query
        self._killed: dict[str, Path] = {}
        self._kills: set[str] = set()
        self.taps = {code: Tap() for code in ops.ANSWERING}
        self.provinces: dict[str, Province] = {}
        for code in (*ops.ANSWERING, ops.ASKING):
            home = shutil.copytree(homes / code, folder / "homes" / code)
            self.provinces[code] = Province(home, self.clock)
            self._start(code)
        for code, tap in self.taps.items():
            move_peer(self.provinces[ops.ASKING].node, code, tap.port)

    def apply(self, operation: ops.Operation) -> None:
        """Do it, and check what must always hold. Raises AssertionError."""
        self.done.append(operation)
        try:
            self._do(operation)
            self._require_nobody_is_kept()
            self._require_chains()
        except Exception as error:
            error.add_note(f"operations = {self.done!r}")
            raise

    def close(self) -> None:
        """End all nodes."""
        for tap in self.taps.values():
            tap.close()
        for province in self.provinces.values():
            province.stop()

    # ---- operations
    @singledispatchmethod
    def _do(self, operation: Any) -> None:
        raise NotImplementedError(operation)

    @_do.register
    def _(self, operation: ops.Import) -> None:
        self.model.registers[operation.code, operation.item] = dict(operation.rows)
        self._import(operation.code, operation.item, operation.rows, "full")

    @_do.register
    def _(self, operation: ops.Upsert) -> None:
        self.model.registers[operation.code, operation.item] |= dict(operation.rows)
        self._import(operation.code, operation.item, operation.rows, "upsert")

    @_do.register
    def _(self, operation: ops.Delete) -> None:
        register = self.model.registers[operation.code, operation.item]
        for person in operation.people:
            register.pop(person, None)
        rows = tuple((person, 1) for person in operation.people)
        self._import(operation.code, operation.item, rows, "delete")

    @_do.register
    def _(self, operation: ops.Verify) -> None:
        # Mirrors would be used for a day: the job fetches them anew, so that the answers are of now.
        shutil.rmtree(self.provinces[ops.ASKING].home / MIRRORS, ignore_errors=True)
        expected = self.model.verification(operation.people)
        report = self._ask(self._verification(operation.people), match_results.build_report)
        assert report.state == "done"
        lost = ("UNAVAILABLE", None, "unavailable")
        found = findings_of(report)
        wrong = {
            key: (answer, expected.get(key))
            for key, answer in found.items()
            if answer != expected.get(key) and not (key[2] in self._faulty and answer == lost)
        }
        assert found.keys() == expected.keys()
        assert not wrong, wrong
        self._faulty.clear()

    @_do.register
    def _(self, operation: ops.Sum) -> None:
        cohort = in_cohort((parse(ops.number_of(person)),) for person in operation.people)
        asked = Summation((ops.WAGES,), ops.ANSWERING, "SA-2026-41", cohort)
        report = self._ask(asked, sum_results.build_sum_report)
        for code in ops.ANSWERING:
            self._check_sum(code, report.finding(ops.WAGES, code), operation.people)
        self._faulty.clear()

    @_do.register
    def _(self, operation: ops.Cancel) -> None:
        """Cancel a job; the next job is not affected."""
        node, job = self.provinces[ops.ASKING].node, self._next_job()
        engine.submit(node, job, self._verification(operation.people))
        engine.cancel(node, job)
        report = self._await(job, match_results.build_report)
        assert report.state == "cancelled"
        assert {finding.outcome.value for finding in report.findings} == {"UNAVAILABLE"}

    @_do.register
    def _(self, operation: ops.Rotate) -> None:
        home = self.provinces[operation.code].home
        if operation.kind == "salt":
            self._rotate_salt(operation.code)
        elif operation.kind == "tls":
            version = self.salt_of[operation.code]
            rotations.rotate_tls(home, self.federation.authority, self.salts[version - 1], version)
        else:
            rotations.rotate(home, operation.kind, self.clock)
        if operation.code not in self.model.down:
            self.provinces[
                operation.code
            ].node.ring.refresh()  # which it would do itself within half a second

    @_do.register
    def _(self, operation: ops.Advance) -> None:
        self.clock.advance(hours=operation.hours)
        publish(self.federation, [one.home for one in self.provinces.values()], self.clock.now)

    @_do.register
    def _(self, operation: ops.DropRequest) -> None:
        self._arm(operation.code, Fault("request", operation.after))

    @_do.register
    def _(self, operation: ops.DropResponse) -> None:
        self._arm(operation.code, Fault("response", operation.after))

    @_do.register
    def _(self, operation: ops.Kill) -> None:
        code = operation.code
        through = next(peer for peer in (code, *ops.ANSWERING) if peer in self.taps and self._up(peer))
        self._kills.add(code)
        self.taps[through].arm(Fault("call", operation.after, partial(self._take_snapshot, code)))
        if code in self.taps:
            self._faulty.add(code)

    @_do.register
    def _(self, operation: ops.Restart) -> None:
        self.provinces[operation.code].stop()
        self._start(operation.code)

    @_do.register
    def _(self, operation: ops.Stop) -> None:
        self.model.down.add(operation.code)
        self.provinces[operation.code].stop()

    @_do.register
    def _(self, operation: ops.Start) -> None:
        self.model.down.discard(operation.code)
        self._start(operation.code)

    # ---- registers and keys
    def _import(self, code: str, item: str, rows: ops.Rows, mode: Any) -> None:
        path = self.folder / f"{code}-{item}.csv"  # outside the homes, which are searched
        if item == ops.WAGES and mode == "full":
            rows += tuple((ops.PEOPLE + 1_000 + other, 1 + other % 9) for other in range(ops.OTHERS))
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(("id_no", "name", "record_no", "amount_fen", "as_of"))
            for person, value in rows:
                for record in range(value if item == ops.COUNTED else 1):
                    fen = ops.fen_of(item, person, value)
                    named = (ops.number_of(person), ops.name_of(person), f"{person}-{record}")
                    writer.writerow((*named, fen, china_day(self.clock()).isoformat()))
        node = open_home(self.provinces[code].home, self.clock)
        import_item(node, item, [path], mode=mode, workers=0)
        node.store.dispose()

    def _rotate_salt(self, code: str) -> None:
        """The CA issues a salt for the first that rotates; each province imports, then rotates."""
        version = self.salt_of[code] + 1
        if version > len(self.salts):
            self.salts.append(secrets.token_bytes(32))
            homes = [self.provinces[one].home for one in ops.CODES]
            take_salt(self.federation, self.salts[-1], *homes, version=version)
        home = self.provinces[code].home
        if not rotations.rotate_salt(home, self.clock):
            for (owner, item), register in self.model.registers.items():
                if owner == code:
                    self._import(code, item, tuple(register.items()), "full")
            assert rotations.rotate_salt(home, self.clock)
        self.salt_of[code] = version

    # ---- nodes
    def _up(self, code: str) -> bool:
        return code not in self.model.down

    def _start(self, code: str) -> None:
        province = self.provinces[code].start()
        if code in self.taps:
            self.taps[code].relay_to(province.port)

    def _arm(self, code: str, fault: Fault) -> None:
        self._faulty.add(code)
        self.taps[code].arm(fault)

    def _take_snapshot(self, code: str) -> None:
        """The files that a kill -9 would leave now, between two transactions."""
        home = self.provinces[code].home
        cut = [self.taps[code]] if code in self.taps else list(self.taps.values())
        for tap in cut:
            tap.hold()
        self._copies += 1
        place = self.folder / "homes" / f"after-{self._copies}" / code  # commands read the code from its name
        with closing(sqlite3.connect(home / "heqiao.db", timeout=PATIENCE_S)) as base:
            base.isolation_level = None
            base.execute("BEGIN IMMEDIATE")
            ignored = shutil.ignore_patterns("*.db-shm")
            shutil.copytree(home, place, ignore=ignored, copy_function=_copy_if_there)
            base.execute("ROLLBACK")
        self._killed[code] = place
        for tap in cut:
            tap.relay_to(None)

    def _revive(self) -> None:
        """Start killed nodes from their files; nodes whose kill was not reached are killed idle."""
        killed = sorted(self._kills, key=lambda code: code == ops.ASKING)
        self._kills.clear()
        for tap in self.taps.values():
            tap.arm(None)
        for code in killed:
            if code not in self._killed:
                self._take_snapshot(code)
            self.provinces[code].stop()
            shutil.rmtree(self.provinces[code].home)
            self.provinces[code].home = self._killed.pop(code)
        for code, tap in self.taps.items():
            if code not in killed:
                tap.relay_to(self.provinces[code].port if self._up(code) else None)
        for code in killed:  # the requester last: it continues its job at once
            self._start(code)

    # ---- queries
    def _verification(self, people: tuple[int, ...]) -> Verification:
        subjects = tuple(
            Subject(f"h/{one}", "h", ops.name_of(one), (parse(ops.number_of(one)),), "M") for one in people
        )
        return Verification(
            ops.MATCH_ITEMS,
            ops.ANSWERING,
            "review",
            "SA-2026-46",
            subjects,
            {"M": mandate_for(*map(ops.number_of, people))},
        )

    def _next_job(self) -> str:
        self._jobs += 1
        return f"job-{self._jobs}"

    def _ask(self, asked: Verification | Summation, read: Callable[..., Any]) -> Any:
        job = self._next_job()
        engine.submit(self.provinces[ops.ASKING].node, job, asked)
        report = self._await(job, read)
        if self._kills:
            self._revive()
        for tap in self.taps.values():
            tap.arm(None)
        return report

    def _await(self, job: str, read: Callable[..., Any]) -> Any:
        """Run a job to its end, through kills of the node that runs it."""
        asking = self.provinces[ops.ASKING]
        assert asking.server is not None
        asking.server.start_job(job)

        def ended() -> bool:
            if ops.ASKING in self._killed:
                self._revive()
            return require_job(asking.node, job).state not in OPEN_STATES

        wait_for(ended, PATIENCE_S, f"{job} does not end", 0.02)
        return read(asking.node, job)

    def _check_sum(self, code: str, found: SumFinding, people: tuple[int, ...]) -> None:
        wages, now = self.model.wages(code, people), self.clock()
        outcome = found.outcome.value
        named = found.reason if outcome in ("SUPPRESSED", "UNAVAILABLE") else outcome
        lost = code in self._faulty and outcome == "UNAVAILABLE"
        assert lost or named in self.model.outcomes(code, people, now), (code, named)
        if wages and self._up(code) and named not in ("min_opened", "exposure"):
            self.model.remember(code, people, now, surely=not lost)
        if outcome == "RELEASED":
            assert wages is not None
            count, total, variance = ops.figures(wages)
            assert (found.count, found.total) == (count, total)
            assert found.variance is not None
            assert abs(found.variance - variance) <= 1

    # ---- what must always hold
    def _require_nobody_is_kept(self) -> None:
        found = self._files.holding()
        assert not found, [path.name for path in found]

    def _require_chains(self) -> None:
        for code in filter(self._up, ops.CODES):
            with self.provinces[code].node.store.transaction("read chain") as tx:
                assert first_broken(audit_log.events(tx)) is None, code


@contextmanager
def simulated(homes: Path, federation: Federation, folder: Path) -> Iterator[Simulation]:
    """A simulation that stops all its nodes at the end."""
    simulation = Simulation(homes, federation, folder)
    try:
        yield simulation
    finally:
        simulation.close()
