"""Every write of a job needs its lease: a process that lost it changes nothing."""

import inspect
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from matcher import identity
from node.context import Node
from node.database import Store
from node.database import jobs as job_rows
from node.database.leases import Lease, job_lease
from node.database.tables import metadata
from node.domain.findings import Outcome
from node.domain.subjects import Subject
from node.domain.verification import Verification
from node.errors import LeaseLostError
from node.jobs import engine
from node.jobs.leases import Leases
from node.jobs.lookup import require_job
from node.jobs.match_job import MATCH
from node.requester.context import Session
from node.requester.match_query import Answer
from node.requester.sum_checkpoint import StoredSumCheckpoint
from node.requester.sum_context import PeerSum, Product
from node.wire.sum_messages import SumAnswer
from tests.support.cluster import know, open_home, silence_log
from tests.support.examples import mandate_for
from tests.support.federation import Federation, set_config
from tests.support.leases import expire, take

JOB = "j"
BODY = "44999919900101003"
PERSON = Subject("h/1", "h", "", (identity.parse(BODY + identity.check_digit(BODY)),), "M")
REFUSED = Subject("h/2", "h", "", PERSON.identities, "")
DAY = datetime(2026, 1, 1, tzinfo=UTC).date()
MANDATE = mandate_for(PERSON.identities[0].value)
ASKED = Verification(("C21",), ("44",), "review", "SA-2026-41", (PERSON, REFUSED), {"M": MANDATE})
SESSION = Session(bytes(16), bytes(32), b"manifest", bytes(64), b"layout", ("C21",))
WRITES: dict[str, Callable[[Any], object]] = {
    "begin": lambda one: one.begin(SESSION),
    "renew": lambda one: one.renew(SESSION),
    "add_tokens": lambda one: one.add_tokens(0, bytes(32)),
    "add_answers": lambda one: one.add_answers("C21", [Answer(Outcome.FOUND, 1)], b"entries"),
    "add_product": lambda one: one.add_product("B11", Product(b"c", None)),
    "add_sums": lambda one: one.add_sums({"B11": PeerSum(SumAnswer("B11", rule="x"), 1, None)}),
    "refuse": lambda one: one.refuse([{"C21": "no_mandate"}]),
    "plan": lambda one: one.plan("buckets", "because"),
    "progress": lambda one: one.progress("evaluate", 1, 2, 3),
    "pause": lambda one: one.pause(1.0),
    "park": lambda one: one.park(datetime.now(UTC), "quota.points.hour", 1.0),
    "go_on": lambda one: one.go_on(),
    "end": lambda one: one.end("done", "", 1.0),
}
READS = {"session", "tokens", "answers", "products", "count", "count_points", "wait"}


@pytest.fixture
def node(url: str, tmp_path: Path) -> Iterator[Node]:
    """A node that knows one peer, at whose address nobody answers."""
    federation = Federation.create()
    homes = {code: federation.make_home(tmp_path / code, code) for code in ("45", "44")}
    set_config(homes["45"], "store", url=url)
    set_config(homes["45"], "requester", retry_attempts=1)
    silence_log(tmp_path)
    found = open_home(homes["45"])
    know(found, homes["44"], 0)
    assert engine.submit(found, JOB, ASKED)
    yield found
    found.store.dispose()


def dump(store: Store) -> dict[str, list[tuple[object, ...]]]:
    """Everything in the database but the leases themselves."""
    with store.transaction("dump") as tx:
        return {
            name: sorted(map(tuple, tx.execute(table.select())), key=repr)
            for name, table in metadata.tables.items()
            if name != "leases"
        }


def lost_lease(store: Store) -> Lease:
    number = take(store, job_lease(JOB))
    expire(store, job_lease(JOB))
    assert number is not None
    assert take(store, job_lease(JOB)) == number + 1
    return Lease(store, job_lease(JOB), number)


def test_every_write_of_a_part_is_in_the_table() -> None:
    public = {name for name, _ in inspect.getmembers(StoredSumCheckpoint, inspect.isfunction)}
    assert {name for name in public if not name.startswith("_")} == set(WRITES) | READS


def test_a_part_writes_nothing_without_the_lease(node: Node) -> None:
    with node.store.transaction("parts") as tx:
        (part,) = job_rows.list_parts(tx, JOB)
    before = dump(node.store)
    for name, write in WRITES.items():
        with Leases(node.store, 30).hold(job_lease(JOB)) as lease:
            write(StoredSumCheckpoint(node, JOB, part, lease))
            changed = dump(node.store)
        assert changed != before, f"{name} does write with the lease"
        lost = lost_lease(node.store)
        with pytest.raises(LeaseLostError):
            write(StoredSumCheckpoint(node, JOB, part, lost))
        assert dump(node.store) == changed, name
        assert lost.stopping.is_set()
        expire(node.store, job_lease(JOB))
        before = changed


@pytest.mark.parametrize("revoked", [False, True], ids=["as before", "revoked meanwhile"])
def test_a_part_begins_again_where_a_mandate_was_revoked(node: Node, revoked: bool) -> None:
    """Nothing is left of the query that a killed process began about the person."""
    with node.store.transaction("parts") as tx:
        (part,) = job_rows.list_parts(tx, JOB)
    with Leases(node.store, 30).hold(job_lease(JOB)) as lease:
        checkpoint = StoredSumCheckpoint(node, JOB, part, lease)
        checkpoint.refuse([{}, {"C21": "no_mandate"}])
        for name in ("begin", "add_tokens", "add_answers"):
            WRITES[name](checkpoint)
        checkpoint.refuse([{"C21": "revoked"} if revoked else {}, {"C21": "no_mandate"}])
        assert (checkpoint.session() is None, checkpoint.tokens() == b"", not checkpoint.answers()) == (
            revoked,
        ) * 3


def test_a_job_does_not_begin_without_the_lease(node: Node) -> None:
    before = dump(node.store)
    engine.run_job(node, JOB, lost_lease(node.store), ASKED)
    assert dump(node.store) == before


@pytest.mark.parametrize("moment", ["before the answers", "before its end"])
def test_a_job_that_is_taken_over_stops_quietly(
    node: Node, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process takes the lease while this one asks, or when all parts have ended."""
    frozen: dict[str, object] = {}

    def take_over() -> None:
        expire(node.store, job_lease(JOB))
        assert take(node.store, job_lease(JOB)) is not None
        frozen.update(dump(node.store))

    def ask(run: Any, _request: object) -> None:
        if moment == "before the answers":
            take_over()
        run.checkpoint.add_answers("C21", [Answer(Outcome.FOUND, 1)] * 2)

    conclude = engine.conclude

    def take_over_and_conclude(*given: Any) -> None:
        take_over()
        conclude(*given)

    monkeypatch.setattr(type(MATCH), "ask", lambda _self, run, request: ask(run, request))
    if moment == "before its end":
        monkeypatch.setattr(engine, "conclude", take_over_and_conclude)
    with Leases(node.store, 30).hold(job_lease(JOB)) as lease:
        engine.run_job(node, JOB, lease, ASKED)
        assert lease.stopping.is_set()
    assert frozen
    assert dump(node.store) == frozen
    assert require_job(node, JOB).state == "running"


def run(node: Node) -> None:
    with Leases(node.store, 30).hold(job_lease(JOB)) as lease:
        engine.run_job(node, JOB, lease)


def test_a_job_that_has_ended_stays_as_it_is(node: Node) -> None:
    run(node)
    ended = dump(node.store)
    run(node)
    assert dump(node.store) == ended
    assert [event for _, _, event, *_ in ended["audit"]].count("verification_ended") == 1


def test_the_report_has_the_refusals_that_were_kept_when_the_part_ran(node: Node) -> None:
    run(node)
    outcomes = {one.subject: (one.outcome, one.reason) for one in MATCH.results(node, JOB).findings}
    assert outcomes == {
        "h/1": (Outcome.UNAVAILABLE, "unavailable"),
        "h/2": (Outcome.NOT_MANDATED, "no_mandate"),
    }
    with node.store.transaction("forget", write=True) as tx:
        assert b"no_mandate" not in (job_rows.read_refusals(tx, JOB, "44") or b"no_mandate")  # sealed
        job_rows.update_part(tx, JOB, "44", {"refusals_sealed": None})
    again = {one.subject: one.outcome for one in MATCH.results(node, JOB).findings}
    assert again == {"h/1": Outcome.UNAVAILABLE, "h/2": Outcome.UNAVAILABLE}  # nothing is computed again


@pytest.mark.parametrize("changed", ["kind", "form"])
def test_a_job_of_another_version_of_heqiao_fails_with_a_clear_word(node: Node, changed: str) -> None:
    if changed == "form":
        plain = b"\x09" + MATCH.pack(ASKED)[1:]
        values = {"request_sealed": node.keys.vault.seal(f"request {JOB}", plain)}
    else:
        values = {"kind": "watch"}
    jobs = metadata.tables["jobs"]
    with node.store.transaction("change", write=True) as tx:
        tx.execute(jobs.update().where(jobs.c.id == JOB).values(**values))
    run(node)
    row = require_job(node, JOB)
    assert row.state == "failed"
    assert "another release of this program" in row.error


def test_open_jobs_are_those_that_no_process_holds(node: Node) -> None:
    def open_jobs() -> list[str]:
        with node.store.transaction("open") as tx:
            return job_rows.open_jobs(tx, node.clock())

    assert open_jobs() == [JOB]
    with Leases(node.store, 30).hold(job_lease(JOB)):
        assert open_jobs() == []
        expire(node.store, job_lease(JOB))
        assert open_jobs() == [JOB]
    assert open_jobs() == [JOB]
    run(node)
    assert open_jobs() == []
