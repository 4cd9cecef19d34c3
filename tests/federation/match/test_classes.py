"""A job over both classes of items makes two queries (design.md section 2, step 4)."""

import json

from tests.support.cluster import (
    World,
    findings_of,
    part_of,
    query_database,
    read_verification,
    run_job,
    serve_all,
)


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
