"""Provinces on loopback: real TLS, real databases; served in this process or in separate processes."""

import shutil
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import grpc
from sqlalchemy import text

from keys import KeyStore
from keys.store.key_pairs import signing_key
from node import config
from node.clock import Clock, utc_now
from node.config import LogSection
from node.context import Node, open_node
from node.database import jobs as job_rows
from node.database import peers as peer_rows
from node.domain import catalogue
from node.domain.days import china_day
from node.domain.findings import Report
from node.domain.peers import PeerRow, read_grants
from node.domain.verification import Verification
from node.jobs import engine, match_results
from node.jobs.lookup import require_job
from node.registers.importer import import_item
from node.services.server import Server
from node.tabular.person_lists import read_households, read_mandates
from node.telemetry import log
from synth import choose_scenario, write_federation
from tests.support.command_server import Started, command_server
from tests.support.federation import PASSPHRASE, PROVIDERS, REQUESTER, Federation, Identity
from tests.support.ports import free_port  # noqa: F401  for those who start nodes

OPEN_STATES = ("queued", "running")
_STATE = text("SELECT state FROM jobs WHERE id = :job")
# What the requester of a world is granted: all items about people of these origins.
EVERYTHING = tuple(
    f"{item}{origin}"
    for origin in ("45", "46", "44", "43", "52", "53")
    for item in ("", *(f"{one.code}:" for one in catalogue.load().items if one.sensitivity in ("SF", "SM")))
)


class FakeClock:
    """A clock that a test moves."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **by: float) -> None:
        self.now += timedelta(**by)


def open_home(home: Path, clock: Clock = utc_now) -> Node:
    return open_node(config.load(home / "node.toml"), clock)


def know(
    node: Node,
    other: Path,
    port: int,
    grants: Sequence[str] = (),
    *,
    allow_platforms: bool = False,
    code: str | None = None,
) -> PeerRow:
    """Do what `heqiao peers add` does with the card of another home; `grants` are written as there."""
    theirs = config.load(other / "node.toml")
    keys = KeyStore.open(theirs.keys.store, PASSPHRASE)
    row = PeerRow(
        code=code or theirs.node.code,
        name=theirs.node.name,
        address=f"127.0.0.1:{port or 1}",
        signing_key=signing_key(keys).public_key().public_bytes_raw(),
        allow_platforms=allow_platforms,
        grants=read_grants(grants),
    )
    with node.store.transaction("add peer", write=True) as tx:
        peer_rows.put_peer(tx, row, node.clock())
    return row


def move_peer(node: Node, code: str, port: int) -> None:
    """Change the port of a peer in a node's database."""
    with node.store.transaction("move peer", write=True) as tx:
        row = peer_rows.find_peer(tx, code)
        assert row is not None
        peer_rows.put_peer(tx, replace(row, address=f"127.0.0.1:{port}"), node.clock())


# ---- served in this process
class Province:
    """A node served in this process."""

    def __init__(self, home: Path, clock: Clock = utc_now) -> None:
        self.home, self.clock = home, clock
        self.node = open_home(home, clock)
        self.server: Server | None = None

    @property
    def port(self) -> int:
        assert self.server is not None
        return self.server.peer_port

    @property
    def platform_port(self) -> int:
        assert self.server is not None
        return self.server.platform_port

    def start(self) -> "Province":
        self.node = open_home(self.home, self.clock)
        self.server = Server(self.node)
        self.server.start()
        return self

    def stop(self) -> None:
        if self.server is not None:
            self.server.stop()
            self.server = None
        self.node.store.dispose()


# ---- served in a separate process
class Process:
    """A node served by `heqiao serve`."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.ready = home / "ready"
        self.errors = home.parent / f"{home.name}.stderr"
        self._process: Started | None = None
        self.port = self.platform_port = 0

    def start(self) -> "Process":
        self.launch()
        return self.wait_ready()

    def launch(self) -> None:
        self.ready.unlink(missing_ok=True)
        command = ("serve", "--home", self.home, "--ready-file", self.ready)
        with self.errors.open("ab") as errors:
            self._process = command_server().start(command, stdout=errors.fileno(), stderr=errors.fileno())

    def wait_ready(self) -> "Process":
        wait_for(self.ready.exists, 120, f"node of {self.home.name} did not start: {self.errors}")
        self.port, self.platform_port = map(int, self.ready.read_text().split())
        return self

    def kill(self) -> None:
        """kill -9."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def suspend(self) -> None:
        """SIGSTOP: like a machine that is suspended. When it returns every thread has stopped: until then one
        that is in the kernel may still lock the file of a database, for as long as the process is stopped.
        """
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        self._process.await_stop()

    def resume(self) -> None:
        """SIGCONT."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def stop(self) -> int:
        assert self._process is not None
        self._process.terminate()
        return self._process.wait(120)

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None


@contextmanager
def processes(*homes: Path) -> Iterator[list[Process]]:
    found = [Process(home) for home in homes]
    try:
        yield found
    finally:
        for process in found:
            if process.running:
                process.kill()


# ---- what tests do with nodes
def wait_for(holds: Callable[[], object], seconds: float, message: str, every: float = 0.01) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, message
        time.sleep(every)


def import_registers(node: Node, federation: Path, items: Sequence[str] = ()) -> None:
    """This province's registers of a synthetic federation: of some items, or all."""
    for path in sorted((federation / node.code / "registers").iterdir()):
        item = path.name.split("_")[1]
        if item in items or not items:
            import_item(node, item, [path])


def read_verification(
    federation: Path, items: Sequence[str], peers: Sequence[str] = PROVIDERS, most: int | None = None
) -> Verification:
    folder = federation / REQUESTER
    subjects, _ = read_households(folder / "households.csv")
    mandates, _ = read_mandates(folder / "mandates.csv")
    return Verification(
        tuple(items), tuple(peers), "new_application", "SA-2026-41", tuple(subjects[:most]), mandates
    )


def run_job(province: Province, job: str, verification: Verification) -> Report:
    """Submit to a served node and wait for the report."""
    assert province.server is not None
    if engine.submit(province.node, job, verification):
        province.server.start_job(job)
    return wait_report(province.node, job)


def wait_report(node: Node, job: str, seconds: float = 180) -> Report:
    """The report of a job that ends within `seconds`; if it does not, the assertion shows its parts."""

    def is_over() -> bool:  # asked often, so without building the statement anew
        with node.store.transaction("read state") as tx:
            return tx.scalar(_STATE, {"job": job}) not in (None, *OPEN_STATES)

    require_job(node, job)
    try:
        wait_for(is_over, seconds, "it does not end", 0.05)
    except AssertionError:
        with node.store.transaction("read parts") as tx:
            raise AssertionError(f"job {job} does not end: {job_rows.list_parts(tx, job)}") from None
    return match_results.build_report(node, job)


def findings_of(report: Report, *peers: str) -> dict[tuple[str, str, str], tuple[str, int | None, str]]:
    """Answers by subject, item and peer, without fields that may differ between runs."""
    return {
        (f.subject, f.item, f.peer): (f.outcome.value, f.value, f.reason)
        for f in report.findings
        if not peers or f.peer in peers
    }


def part_of(report: Report, peer: str) -> tuple[str, str]:
    return next((p.state, p.reason) for p in report.peers if p.peer == peer)


def query_database(home: Path, sql: str, *values: object) -> list[tuple[object, ...]]:
    """Read a node's database directly, in its current state."""
    with sqlite3.connect(f"file:{home / 'heqiao.db'}?mode=ro", uri=True, timeout=30) as base:
        rows = base.execute(sql, values).fetchall()
    base.close()
    return rows


def channel(port: int, target: str, identity: Identity) -> grpc.Channel:
    """An ordinary gRPC channel."""
    credentials = grpc.ssl_channel_credentials(identity.ca, identity.key, identity.certificate)
    return grpc.secure_channel(
        f"127.0.0.1:{port}",
        credentials,
        options=(
            ("grpc.ssl_target_name_override", target),
            ("grpc.max_send_message_length", -1),
            ("grpc.enable_retries", 0),
        ),
    )


# ---- the federation that most tests share
@dataclass(frozen=True)
class World:
    """A synthetic federation, three homes with their registers imported, nothing running."""

    folder: Path
    data: Path
    federation: Federation

    def copy(self, target: Path, *codes: str) -> dict[str, Path]:
        """Separate homes for a test that changes them."""
        homes = {}
        for code in codes or (REQUESTER, *PROVIDERS):
            homes[code] = Path(shutil.copytree(self.folder / code, target / code))
        return homes

    @classmethod
    def load(cls, folder: Path) -> "World":
        """Load a world that make_world made, perhaps in another process."""
        return cls(folder, folder / "data", Federation.load(folder))


def make_world(folder: Path, items: Sequence[str] = ()) -> None:
    """Make the files of a world."""
    data = folder / "data"
    write_federation(choose_scenario("small"), data, 2026, china_day(utc_now()))
    federation = Federation.create()
    for code in (REQUESTER, *PROVIDERS):
        home = federation.make_home(folder / code, code)
        node = open_home(home)
        import_registers(node, data, items) if code in PROVIDERS else None
        node.store.dispose()
    with ExitStack() as stack:
        nodes = {code: open_home(folder / code) for code in (REQUESTER, *PROVIDERS)}
        for node in nodes.values():
            stack.callback(node.store.dispose)
        for code in PROVIDERS:
            know(nodes[code], folder / REQUESTER, 0, EVERYTHING)
            know(nodes[REQUESTER], folder / code, 0)
    federation.save(folder)


def silence_log(folder: Path) -> None:
    """Nodes in this process write their log to a file of the test."""
    log.configure(LogSection(file=folder / "nodes.log"), "test")


@contextmanager
def serve_all(homes: Mapping[str, Path], clock: Clock = utc_now) -> Iterator[dict[str, Province]]:
    """Serve homes in this process and give the requester the ports of the others."""
    provinces = {code: Province(home, clock) for code, home in homes.items()}
    try:
        for province in provinces.values():
            province.start()
        for code in PROVIDERS:
            if code in provinces and REQUESTER in provinces:
                move_peer(provinces[REQUESTER].node, code, provinces[code].port)
        yield provinces
    finally:
        for province in provinces.values():
            province.stop()
