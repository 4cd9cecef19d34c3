"""E1: a requester that asks about more people than it announced, under whatever it makes up (design.md 7)."""

import json
import secrets
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import grpc
import pytest
from heqiao.peer.v1 import match_pb2, service_pb2_grpc

from matcher.suites import tokens
from node.database import open_store
from node.domain.verification import Verification
from node.requester import match
from tests.support.calls import GOOD, Target, chunk, fails, opening
from tests.support.cluster import (
    World,
    channel,
    findings_of,
    part_of,
    query_database,
    read_verification,
    run_job,
    serve_all,
)

Code = grpc.StatusCode
OTHER = tokens.canary_points()[32:64]
REFUSED = (Code.PERMISSION_DENIED, "refused", {"rule": "query_id"})


@pytest.fixture(scope="module")
def target(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    homes = world.copy(tmp_path_factory.mktemp("bound"), "44")
    with (
        serve_all(homes) as provinces,
        channel(provinces["44"].port, "44.node.heqiao", world.federation.client("45")) as line,
    ):
        yield Target.of(service_pb2_grpc.PeerServiceStub(line), provinces["44"].port)


def refusal(
    target: Target, start: match_pb2.EvaluateStart, points: bytes
) -> tuple[Code, str, dict[str, str]]:
    """How a stream of one chunk is refused; no point of it is answered."""
    seen: list[match_pb2.EvaluateResponse] = []

    def call() -> None:
        responses = target.stub.Evaluate(iter([opening(start), chunk(0, points)]), timeout=120)
        seen.extend(responses)

    code, reason, details, _ = fails(call)
    assert not seen
    details.pop("hint", None)
    return code, reason, details


def test_a_second_batch_under_one_query_id_is_refused(target: Target) -> None:
    """It went through: one id, one charge, 20,480 people."""
    start = target.start
    answered = target.evaluate(opening(start), chunk(0, GOOD * 4))
    for batch in (OTHER * 4, GOOD * 3 + OTHER):
        assert refusal(target, start, batch) == REFUSED
    again = target.evaluate(opening(start), chunk(0, GOOD * 4))
    assert again == answered


def test_more_points_items_or_another_mandate_root_under_one_query_id_are_refused(target: Target) -> None:
    start = target.start
    target.evaluate(opening(start), chunk(0, GOOD * 4))
    for name, value in (
        ("points_announced", 8),
        ("mandate_root", bytes(31) + b"\1"),
        ("legal_basis", "law-2"),
    ):
        changed = match_pb2.EvaluateStart()
        changed.CopyFrom(start)
        setattr(changed, name, value)
        assert refusal(target, changed, GOOD * changed.points_announced) == REFUSED
    sensitive = match_pb2.EvaluateStart()
    sensitive.CopyFrom(start)
    sensitive.token_class = "sensitive"
    sensitive.items[:] = ["C23"]
    assert refusal(target, sensitive, GOOD * 4) == REFUSED


def test_a_manifest_that_was_never_issued_is_refused(target: Target) -> None:
    """Its digest was not looked at."""
    start = target.start
    start.manifest_digest = secrets.token_bytes(32)
    assert refusal(target, start, GOOD * 4) == (Code.FAILED_PRECONDITION, "manifest_unknown", {})


def test_a_query_that_begins_in_its_middle_is_refused(target: Target) -> None:
    start = target.start
    start.points_announced, start.first_point = 32, 16
    assert refusal(target, start, GOOD * 16) == (Code.FAILED_PRECONDITION, "query_unknown", {})


def test_the_query_id_of_one_peer_is_nothing_to_another(world: World, target: Target) -> None:
    """An id is a peer's own: nobody can take or probe another's."""
    start = target.start
    target.evaluate(opening(start), chunk(0, GOOD * 4))
    with channel(target.port, "44.node.heqiao", world.federation.client("33")) as line:
        stub = service_pb2_grpc.PeerServiceStub(line)
        call = lambda: list(stub.Evaluate(iter([opening(start)]), timeout=120))  # noqa: E731
        assert fails(call)[0] is Code.UNAUTHENTICATED


def test_buckets_are_fetched_for_a_query_that_was_asked(target: Target) -> None:
    """They named any query, or none that there was, and were on no record."""
    start, part = target.start, target.part("C21")
    target.evaluate(opening(start), chunk(0, GOOD * 4))
    everything = range(1 << part.bucket_bits)

    def fetch(**changes: object) -> list[object]:
        return list(target.stub.FetchBuckets(target.fetch(buckets=everything, **changes), timeout=120))

    unknown = fails(lambda: fetch(query_id=b"q" * 16))
    assert unknown[:2] == (Code.FAILED_PRECONDITION, "query_unknown")
    other = target.part("Z59b")
    found = fails(lambda: fetch(query_id=start.query_id, item="Z59b", version=other.version))
    assert found[:2] == (Code.PERMISSION_DENIED, "refused")
    assert found[2]["rule"] in ("query_id", "bucket_blocks")
    assert fetch(query_id=start.query_id)


# ---- an honest requester is not in the way of these rules


def forget(home: Path, *tables: str) -> None:
    """The responder's database as after a restore from an older backup."""
    store = open_store(f"sqlite:///{home / 'heqiao.db'}")
    with store.transaction("forget", write=True) as tx:
        for table in tables:
            tx.exec_driver_sql(f"DELETE FROM {table}")
    store.dispose()


def queries_of(home: Path) -> list[dict[str, object]]:
    rows = query_database(home, "SELECT details FROM audit WHERE event = 'query_answered' ORDER BY seq")
    return [json.loads(str(details)) for (details,) in rows]


def few(world: World) -> Verification:
    return read_verification(world.data, ("C21", "C23"), ("44",), most=40)


def test_a_requester_follows_a_responder_that_forgot_its_manifests(world: World, tmp_path: Path) -> None:
    homes = world.copy(tmp_path, "44", "45")
    with serve_all(homes) as provinces:
        first = run_job(provinces["45"], "first", few(world))
        forget(homes["44"], "manifests", "queries", "granules")
        again = run_job(provinces["45"], "again", few(world))
    assert part_of(again, "44") == part_of(first, "44") == ("done", "")
    assert findings_of(again) == findings_of(first)
    manifests = [one["manifest"] for one in queries_of(homes["44"])]
    assert len(manifests) == 4
    assert len(set(manifests)) == 2  # the second job asked for another one, once


def test_a_responder_that_never_knows_its_manifests_ends_the_part(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    homes, sent = world.copy(tmp_path, "44", "45"), []
    evaluate = match.evaluate_query

    def forgetful(context, opened, question, query):
        forget(homes["44"], "manifests")
        sent.append(opened.session.query_id)
        return evaluate(context, opened, question, query)

    monkeypatch.setattr(match, "evaluate_query", forgetful)
    with serve_all(homes) as provinces:
        report = run_job(provinces["45"], "job", replace(few(world), items=("C21",)))
    assert part_of(report, "44") == ("refused", "manifest_unknown")
    assert len(set(sent)) == len(sent) == 2
