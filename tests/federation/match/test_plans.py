"""Retrieval plans change what is fetched, never what is answered (design.md section 3)."""

from pathlib import Path

import pytest

from matcher import retrieval_plan as plans
from matcher.retrieval_plan import Plan
from node.requester import retrieval
from tests.support.cluster import World, findings_of, read_verification, run_job, serve_all
from tests.support.federation import REQUESTER, set_config
from tests.support.plans import force

ITEMS = ("C21", "B12r", "C23", "D34")


def ask(world: World, folder: Path, floor: str, job: str, most: int | None = None):
    homes = world.copy(folder)
    for code, home in homes.items():
        if code != REQUESTER:
            set_config(home, "limits", retrieval_floor=floor)
    with serve_all(homes) as provinces:
        return run_job(provinces[REQUESTER], job, read_verification(world.data, ITEMS, most=most)), homes


def test_every_plan_gives_the_same_answers(world: World, tmp_path, monkeypatch):
    results = {}
    for plan in Plan:
        with monkeypatch.context() as patched:
            force(patched, plan)
            report, _ = ask(world, tmp_path / plan, "filter", f"plan-{plan}")
        assert report.state == "done"
        assert {peer.plan for peer in report.peers} == {plan.value}
        results[plan] = findings_of(report)
    assert results[Plan.PARTITION] == results[Plan.BUCKETS] == results[Plan.FILTER]


def test_the_filter_plan_fetches_less_for_a_few_people_and_less_still_when_cached(
    world: World, tmp_path, monkeypatch
):
    homes = world.copy(tmp_path)
    with serve_all(homes) as provinces:
        few = read_verification(world.data, ("C21",), ("44",), most=40)
        seen = {}
        for job, plan in (("b", Plan.BUCKETS), ("f1", Plan.FILTER), ("f2", Plan.FILTER)):
            with monkeypatch.context() as patched:
                force(patched, plan)
                report = run_job(provinces[REQUESTER], job, few)
            seen[job] = (findings_of(report), report.peers[0].bytes_down)
    assert seen["b"][0] == seen["f1"][0] == seen["f2"][0]
    assert seen["f2"][1] < seen["f1"][1]
    # Times in the manifests are a few bytes longer or shorter.
    assert seen["f2"][1] <= seen["b"][1] + 64
    kept = list((homes[REQUESTER] / "cache" / "filters").iterdir())
    assert [path.name.rsplit("-", 1)[0] for path in kept] == ["44-C21-45"]
    assert kept[0].stat().st_mode & 0o777 == 0o600


def test_a_damaged_filter_in_the_cache_is_fetched_again(world: World, tmp_path, monkeypatch):
    homes = world.copy(tmp_path)
    with serve_all(homes) as provinces:
        few = read_verification(world.data, ("C21",), ("44",), most=40)
        force(monkeypatch, Plan.FILTER)
        first = run_job(provinces[REQUESTER], "first", few)
        (kept,) = (homes[REQUESTER] / "cache" / "filters").iterdir()
        good = kept.read_bytes()
        kept.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
        second = run_job(provinces[REQUESTER], "second", few)
        assert findings_of(first) == findings_of(second)
        assert kept.read_bytes() == good


def test_a_kept_partition_answers_the_same_and_nothing_is_fetched(world: World, tmp_path):
    """Under any floor; a damaged file is fetched again."""
    homes = world.copy(tmp_path)
    set_config(homes[REQUESTER], "requester", keep_partitions_mib=64)
    set_config(homes["44"], "limits", retrieval_floor="partition")
    asked = read_verification(world.data, ("C21",), ("44",), most=40)
    with serve_all(homes) as provinces:
        seen = []
        for job in ("first", "second"):
            report = run_job(provinces[REQUESTER], job, asked)
            seen.append((findings_of(report), report.peers[0].bytes_down, report.peers[0].plan))
        (kept,) = (homes[REQUESTER] / "cache" / "partitions").iterdir()
        assert kept.name.rsplit("-", 1)[0] == "44-C21-45"
        assert kept.stat().st_mode & 0o777 == 0o600
        good = kept.read_bytes()
        assert seen[0][0] == seen[1][0]
        assert seen[1][1] < seen[0][1] - len(good) + 36 + 64
        assert seen[0][2] == seen[1][2] == "partition"
        kept.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
        report = run_job(provinces[REQUESTER], "third", asked)
        assert (findings_of(report), kept.read_bytes()) == (seen[0][0], good)


@pytest.mark.parametrize(
    ("floor", "allowed"), [("partition", {"partition"}), ("buckets", {"partition", "buckets"})]
)
def test_the_floor_is_kept(world: World, tmp_path, floor, allowed):
    report, _ = ask(world, tmp_path, floor, "floor", most=30)
    assert report.state == "done"
    for peer in report.peers:
        assert set(peer.plan.split("+")) <= allowed
        assert "C21" in peer.plan_reason


def test_a_requester_that_ignores_the_floor_is_refused(world: World, tmp_path, monkeypatch):
    force(monkeypatch, Plan.FILTER)
    report, _ = ask(world, tmp_path, "buckets", "ignores", most=30)
    assert {(peer.state, peer.reason) for peer in report.peers} == {("refused", "retrieval_floor")}


def test_decoys_stay_the_same_in_one_query_and_differ_between_queries(world: World):
    del world
    from node.wire.manifest import PartitionOffer

    part = PartitionOffer("C21", "45", 1, 1, 100_000, 6, bytes(32), 0, 1, 12, (), 0, bytes(32))
    asked = set(range(60))
    first = retrieval.draw_decoys(b"a" * 32, part, asked, 8)
    assert first == retrieval.draw_decoys(b"a" * 32, part, sorted(asked, reverse=True), 8)
    assert first != retrieval.draw_decoys(b"b" * 32, part, asked, 8)
    assert plans.decoy_count(0, 6, 60) == 8
