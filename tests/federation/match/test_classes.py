"""A job over both classes of items makes two queries (design.md section 2, step 4)."""

import json

import pytest

from node.clock import utc_now
from node.config import load
from node.domain.peers import read_grants
from node.governance.peers import set_grants
from node.requester import match
from tests.support.cluster import (
    EVERYTHING,
    World,
    findings_of,
    part_of,
    query_database,
    read_verification,
    run_job,
    serve_all,
)


def grant(home, *granted):
    """What `heqiao peers grant 45 ...` does, beside the running node."""
    set_grants(load(home / "node.toml"), "45", read_grants(granted), utc_now())


def queries_of(home):
    rows = query_database(home, "SELECT details FROM audit WHERE event = 'query_answered' ORDER BY seq")
    return [json.loads(details) for (details,) in rows]


def test_a_job_over_both_classes_makes_two_queries(world: World, tmp_path):
    homes = world.copy(tmp_path, "44", "45")
    with serve_all(homes) as provinces:
        asked = read_verification(world.data, ("C23", "C21", "Z59b"), ("44",), most=60)
        report = run_job(provinces["45"], "both", asked)
    assert part_of(report, "44") == ("done", "")
    ordinary, sensitive = queries_of(homes["44"])
    assert [(one["class"], one["items"]) for one in (ordinary, sensitive)] == [
        ("ordinary", ["C21", "Z59b"]),
        ("sensitive", ["C23"]),
    ]
    assert ordinary["query"] != sensitive["query"]
    assert ordinary["mandate_root"] != sensitive["mandate_root"]
    (part,) = report.peers
    assert part.points == ordinary["points"] + sensitive["points"]


def test_answers_are_those_of_two_jobs_of_one_class_each(world: World, served):
    both, *apart = (
        run_job(served["45"], f"classes-{'-'.join(items)}", read_verification(world.data, items, most=200))
        for items in (("C21", "C23"), ("C21",), ("C23",))
    )
    assert findings_of(both) == {key: value for one in apart for key, value in findings_of(one).items()}
    assert {outcome for outcome, _, _ in findings_of(both).values()} >= {"FOUND", "OVER", "NOT_OVER"}


def test_a_responder_that_grants_only_ordinary_items(world: World, served, tmp_path):
    """The sensitive part is REFUSED, and nobody is asked about; the ordinary part is answered."""
    homes = world.copy(tmp_path, "44", "45")
    grant(homes["44"], *(one for one in EVERYTHING if ":" not in one))
    asked = read_verification(world.data, ("C21", "C23", "Z59b"), ("44",), most=200)
    with serve_all(homes) as provinces:
        report = run_job(provinces["45"], "granted", asked)
    assert part_of(report, "44") == ("done", "")
    found, full = findings_of(report), findings_of(run_job(served["45"], "all-granted", asked))
    assert {key: value for key, value in found.items() if key[1] != "C23"} == {
        key: value for key, value in full.items() if key[1] != "C23"
    }
    assert {value for key, value in found.items() if key[1] == "C23"} <= {
        ("REFUSED", None, "item_not_granted"),
        *((outcome, None, reason) for outcome, _, reason in full.values() if outcome == "NOT_MANDATED"),
    }
    assert {key for key, (outcome, _, _) in found.items() if outcome == "REFUSED"} == {
        key for key, (outcome, _, _) in full.items() if key[1] == "C23" and outcome != "NOT_MANDATED"
    }
    assert [(one["class"], one["items"]) for one in queries_of(homes["44"])] == [
        ("ordinary", ["C21", "Z59b"])
    ]


@pytest.mark.parametrize("lost", ["C23", "C21"])
def test_a_grant_that_is_taken_away_after_the_manifest(lost, world: World, served, tmp_path, monkeypatch):
    """The responder refuses that query at its start; the answers of the other one stand."""
    homes = world.copy(tmp_path, "44", "45")
    asked = read_verification(world.data, ("C21", "C23"), ("44",), most=60)
    others = [one for one in EVERYTHING if (":" in one) == (lost == "C21")]
    evaluate = match.evaluate_query

    def take_away(context, opened, question, query):
        if query.items == (lost,):
            grant(homes["44"], *others)
        evaluate(context, opened, question, query)

    monkeypatch.setattr(match, "evaluate_query", take_away)
    with serve_all(homes) as provinces:
        report = run_job(provinces["45"], "taken", asked)
    monkeypatch.undo()
    full = findings_of(run_job(served["45"], f"taken-{lost}", asked))
    found = findings_of(report)
    if lost == "C23":
        assert part_of(report, "44") == ("done", "")
        assert {key: value for key, value in found.items() if key[1] == "C21"} == {
            key: value for key, value in full.items() if key[1] == "C21"
        }
    for (subject, item, peer), (outcome, value, reason) in found.items():
        if item == lost and full[subject, item, peer][0] != "NOT_MANDATED":
            assert (outcome, value, reason) == ("REFUSED", None, "item_not_granted")


def test_where_every_query_is_refused_the_part_is_refused(world: World, tmp_path, monkeypatch):
    homes = world.copy(tmp_path, "44", "45")
    evaluate = match.evaluate_query

    def take_all_away(*arguments):
        grant(homes["44"])
        evaluate(*arguments)

    monkeypatch.setattr(match, "evaluate_query", take_all_away)
    with serve_all(homes) as provinces:
        report = run_job(provinces["45"], "all", read_verification(world.data, ("C21",), ("44",), most=20))
    assert part_of(report, "44") == ("refused", "item_not_granted")
