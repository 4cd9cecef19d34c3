"""E2: a requester that tries all the numbers of a county; and an honest one that is told to come back."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from heqiao.peer.v1 import mirror_pb2, service_pb2_grpc

from matcher import SUITE, batch
from matcher.suites.suite import CURRENT
from node.domain.jobs import WAITING
from node.domain.quotas import Measure
from node.errors import LimitError
from node.governance.quotas import suspend
from node.jobs import engine
from node.jobs.lookup import require_job
from tests.support.bound_queries import ask, know_peer, start_of
from tests.support.calls import GOOD, Target, chunk, fails, opening
from tests.support.cluster import (
    FakeClock,
    Province,
    World,
    channel,
    findings_of,
    part_of,
    query_database,
    read_verification,
    run_job,
    serve_all,
    wait_for,
    wait_report,
)
from tests.support.federation import set_config
from tests.support.single_node import make_node, number

Code = grpc.StatusCode
# A full hour in China, with time left in the day.
HOUR = datetime.now(UTC).replace(hour=2, minute=0, second=0, microsecond=0)
SMALL = {"points_hour": 160, "points_day": 240, "points_30_days": 1_000, "sensitive_points_30_days": 32}


def audited(home: Path, event: str) -> list[dict[str, object]]:
    rows = query_database(home, "SELECT details FROM audit WHERE event = ? ORDER BY seq", event)
    return [json.loads(str(details)) for (details,) in rows]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(HOUR + timedelta(minutes=20))


@pytest.fixture
def provider(world: World, tmp_path: Path, clock: FakeClock) -> Iterator[Province]:
    homes = world.copy(tmp_path, "44")
    set_config(homes["44"], "quotas", **SMALL)
    with serve_all(homes, clock) as provinces:
        yield provinces["44"]


@pytest.fixture
def target(world: World, provider: Province) -> Iterator[Target]:
    with channel(provider.port, "44.node.heqiao", world.federation.client("45")) as line:
        yield Target.of(service_pb2_grpc.PeerServiceStub(line), provider.port)


def try_points(target: Target, token_class: str = "ordinary") -> tuple[str, timedelta | None] | None:
    """One query of 16 points: None where it is answered, else the rule and when to come back."""
    start = target.start
    start.points_announced, start.token_class = 16, token_class
    start.items[:] = ["C23" if token_class == "sensitive" else "C21"]
    try:
        target.evaluate(opening(start), chunk(0, GOOD * 16))
    except grpc.RpcError as error:
        code, reason, details, text = fails(lambda caught=error: (_ for _ in ()).throw(caught))
        assert (code, reason) == (Code.RESOURCE_EXHAUSTED, "limit")
        said = (text + details["hint"]).replace(details["rule"], "")
        assert not any(character.isdigit() for character in said)
        retry = error_details_pb2.RetryInfo()
        found = [one for one in rpc_status.from_call(error).details if one.Unpack(retry)]
        return details["rule"], retry.retry_delay.ToTimedelta() if found else None
    return None


def test_a_sweep_stops_at_the_hours_quota_with_a_status_and_alerts(
    target: Target, provider: Province, clock: FakeClock
) -> None:
    """A county's 22 million possible numbers took minutes."""
    answers = [try_points(target) for _ in range(30)]
    assert answers == [None] * 10 + [("quota.points.hour", timedelta(minutes=40))] * 20
    assert [(one["quota"], one["percent"]) for one in audited(provider.home, "quota_alert")] == [
        ("points.hour", 50),
        ("points.hour", 80),
        ("points.day", 50),
        ("points.hour", 100),
    ]
    assert sum(one["charged"] for one in audited(provider.home, "query_answered")) == 160
    clock.now = HOUR + timedelta(hours=1)
    answers = [try_points(target) for _ in range(10)]
    tomorrow = datetime.combine(HOUR.date(), datetime.min.time(), UTC) + timedelta(hours=16)
    assert answers == [None] * 5 + [("quota.points.day", tomorrow - clock.now)] * 5
    assert len(audited(provider.home, "quota_alert")) == 7


def test_refused_points_are_neither_evaluated_nor_charged(target: Target, provider: Province) -> None:
    for _ in range(2):
        assert try_points(target, "sensitive") is None
    rule, retry = try_points(target, "sensitive") or ("", None)
    assert rule == "quota.sensitive_points.30_days"
    assert retry is not None
    assert timedelta(days=29) < retry <= timedelta(days=30)
    assert try_points(target) is None
    rows = query_database(provider.home, "SELECT measure, amount FROM quota_uses ORDER BY measure")
    assert rows == [("points", 48), ("sensitive_points", 32)]


def test_the_same_query_again_costs_nothing(target: Target) -> None:
    start = target.start
    for _ in range(50):
        target.evaluate(opening(start), chunk(0, GOOD * 4))
    assert [try_points(target) for _ in range(10)][-2] is None


def test_a_query_beyond_every_quota_is_refused_for_ever(target: Target) -> None:
    start = target.start
    start.points_announced = 161
    code, reason, details, _ = fails(lambda: target.evaluate(opening(start), chunk(0, GOOD * 16)))
    assert (code, reason, details["rule"]) == (Code.RESOURCE_EXHAUSTED, "limit", "quota.points.hour")


def test_fetches_are_charged_before_they_are_sent_and_audited(target: Target, provider: Province) -> None:
    part = target.part("C21")
    request = mirror_pb2.FetchPartitionRequest(
        suite=SUITE, epoch=1, item="C21", origin="45", version=part.version
    )
    pieces = list(target.stub.FetchPartition(request, timeout=60))
    size = sum(piece.ByteSize() for piece in pieces)
    used = "SELECT amount FROM quota_uses WHERE measure = 'bytes'"
    assert query_database(provider.home, used) == [(size,)]
    (fetched,) = audited(provider.home, "partition_fetched")
    assert (fetched["query"], fetched["item"], fetched["origin"]) == ("mirror", "C21", "45")


def test_a_suspended_peer_is_refused_until_that_is_lifted(target: Target, provider: Province) -> None:
    node = provider.node
    with node.store.transaction("suspend", write=True) as tx:
        suspend(tx, "45", Measure.POINTS, "for a test", node.clock())
    assert try_points(target) == ("quota.points.suspended", None)
    assert audited(provider.home, "quota_suspended") == [
        {"measure": "points", "peer": "45", "reason": "for a test"}
    ]


def test_a_sweep_of_400_000_consecutive_numbers_under_the_defaults(tmp_path: Path) -> None:
    """Of forty queries of 10,240 numbers each, the fifteenth is refused, and all after it."""
    node = make_node(tmp_path / "44", {})
    know_peer(node)
    numbers = batch.pack_identities([("resident", number(one)) for one in range(1_024)])
    # Who sweeps has 400,000 different points; the node is shown as many, and cannot tell.
    few = CURRENT.map_to_curve(node.keys.salt, *numbers).tobytes()
    refused, tokens = [], 0
    for query in range(40):
        # A refused query is refused by its first chunk, so that the rest of it need not be made.
        points = few * (10 if query < 15 else 4)
        try:
            answers, _ = ask(node, start_of(node, 10_240), points, chunk=4_096)
        except LimitError as error:
            refused.append(error)
        else:
            tokens += len(answers) // 32
    assert tokens == 14 * 10_240 <= 150_000
    assert len(refused) == 26
    assert {error.details["rule"] for error in refused} == {"quota.points.hour"}
    assert all(error.retry_after is not None for error in refused)
    with node.store.transaction("look") as tx:
        levels = tx.exec_driver_sql("SELECT window, level FROM quota_alerts ORDER BY window").all()
    assert levels == [("hour", 100)]
    assert ask(node, start_of(node, 4_096), GOOD * 4_096, chunk=4_096)  # an honest one still fits
    node.store.dispose()


# ---- the requester's side


def test_a_part_waits_for_the_peers_quota_and_goes_on_by_itself(
    world: World, tmp_path: Path, clock: FakeClock
) -> None:
    """Three lists wait for 44, and hold neither of the two workers: 33 is asked at once."""
    homes = world.copy(tmp_path)
    set_config(homes["44"], "quotas", points_hour=24, points_day=400, points_30_days=4_000)
    set_config(homes["45"], "jobs", poll_s=0.2)
    with serve_all(homes, clock) as provinces:
        asking = provinces["45"]
        few = read_verification(world.data, ("C21",), ("44",), most=12)
        assert part_of(run_job(asking, "first", few), "44") == ("done", "")
        for job in ("one", "two", "three"):
            assert engine.submit(asking.node, job, few)
            asking.server.start_job(job)
        for job in ("one", "two", "three"):
            wait_for(lambda job=job: state_of(asking, job)[0] == WAITING, 60, "it does not wait")
            assert state_of(asking, job)[1:] == ("quota.points.hour", HOUR + timedelta(hours=1))
        other = read_verification(world.data, ("C21",), ("33",), most=12)
        assert part_of(run_job(asking, "other", other), "33") == ("done", "")
        engine.cancel(asking.node, "three")
        assert part_of(wait_report(asking.node, "three"), "44") == ("cancelled", "")
        clock.now = HOUR + timedelta(
            hours=1, seconds=1
        )  # there is room for one of the two, whichever asks first
        wait_for(lambda: "done" in {state_of(asking, job)[0] for job in ("one", "two")}, 60, "none goes on")
        clock.now = HOUR + timedelta(hours=2, seconds=1)
        for job in ("one", "two"):
            found = wait_report(asking.node, job)
            assert part_of(found, "44") == ("done", "")
            assert findings_of(found)
    assert len(audited(homes["44"], "query_answered")) == 3


def state_of(province: Province, job: str) -> tuple[str, str, datetime | None]:
    require_job(province.node, job)
    rows = query_database(province.home, "SELECT state, reason, retry_at FROM parts WHERE job = ?", job)
    ((state, reason, retry_at),) = rows
    at = None if retry_at is None else datetime.fromisoformat(str(retry_at)).replace(tzinfo=UTC)
    return str(state), str(reason), at


def test_a_part_that_would_wait_beyond_its_due_date_is_refused(
    world: World, tmp_path: Path, clock: FakeClock
) -> None:
    homes = world.copy(tmp_path, "44", "45")
    set_config(homes["44"], "quotas", sensitive_points_30_days=24)
    with serve_all(homes, clock) as provinces:
        asked = read_verification(world.data, ("C23",), ("44",), most=12)
        states = [part_of(run_job(provinces["45"], f"job-{n}", asked), "44") for n in range(2)]
    assert states == [("done", ""), ("refused", "quota.sensitive_points.30_days")]
