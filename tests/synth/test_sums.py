"""Registers that are summed: the files say what the truth says, and change nothing else."""

import csv
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from node.domain.sum_findings import SumOutcome
from node.tabular.person_lists import read_cohort
from synth import choose_scenario, write_federation
from testbed import plain_sums

TODAY = date(2026, 6, 30)
COLUMN = {"B11": "金额(元)", "D32m": "数量", "D35": "金额(元)"}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("synth")
    for name, sums in (("with", True), ("without", False)):
        write_federation(choose_scenario("small"), folder / name, 2026, TODAY, sums=sums)
    return folder


def rows(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_all_other_files_are_the_same(made):
    files = {
        name: {path.relative_to(made / name): path.read_bytes() for path in (made / name).rglob("*.csv")}
        for name in ("with", "without")
    }
    more = set(files["with"]) - set(files["without"])
    assert {path.parts[1] for path in more} == {"sums", "workers.csv", "earnings.csv"}
    assert all(files["with"][path] == content for path, content in files["without"].items())


def test_the_same_bytes_again(made, tmp_path):
    write_federation(choose_scenario("small"), tmp_path / "again", 2026, TODAY, sums=True)
    for path in (made / "with").rglob("*.csv"):
        assert (tmp_path / "again" / path.relative_to(made / "with")).read_bytes() == path.read_bytes()


def test_the_plain_sums_are_those_of_the_files(made):
    """Added once more from the registers alone, without the truth folder."""
    folder = made / "with"
    people, rejected = read_cohort(folder / "45" / "workers.csv")
    assert Counter(reject.reason for reject in rejected) == {"bad_check_digit": 3}
    asked = {one.value for person in people for one in person}
    for (item, province), due in plain_sums.expected(folder).items():
        (path,) = (folder / province / "sums").glob(f"*_{item}_*.csv")
        amounts = Counter()
        for row in rows(path):
            amounts[row["证件号码"]] += round(float(row[COLUMN[item]]) * (1 if item == "D32m" else 100))
        found = [amount for number, amount in amounts.items() if number in asked]
        cap = plain_sums.CAPS.get(item, max(found))
        assert (due.count, due.total) == (len(found), sum(min(amount, cap) for amount in found))
        assert due.count >= 10
        assert sum(due.bands) in (0, due.count)


@pytest.mark.parametrize(
    ("more", "right"),
    [
        ({}, True),
        ({"count": 40}, True),  # scale 3
        ({"count": 60}, False),
        ({"total": 200_000_000}, True),  # scale 15 million
        ({"total": 300_000_000}, False),
        ({"total": -300_000_000}, False),
        ({"bands": 60}, False),
    ],
)
def test_figures_with_noise_are_within_it(made, tmp_path, more, right):
    import json

    folder = made / "with"
    place = ("D35", "44")
    due = plain_sums.expected(folder)[place]
    bands = [due.bands[0] + more.get("bands", 0), *due.bands[1:]]
    noisy = {"mode": "dp", "epsilon": 1.0, "variance": None, "bands": bands}
    noisy |= {"count": due.count + more.get("count", 0), "total": due.total + more.get("total", 0)}
    path = Path(tmp_path / "report.json")
    path.write_text(json.dumps({"findings": [finding(place, due, **noisy)]}), encoding="utf-8")
    (line,) = plain_sums.compare(path, folder)
    assert (line.right, line.verdict) == (right, "within noise" if right else "DIFFERS")


def finding(place, due, **changes):
    variance = round(due.squares / due.count - (due.total / due.count) ** 2)
    exact = due.count * due.squares - due.total**2
    variance = (2 * exact + due.count**2) // (2 * due.count**2)
    plain = {
        "item": place[0], "peer": place[1], "outcome": SumOutcome.RELEASED.value, "count": due.count,
        "total": due.total, "variance": variance, "bands": list(due.bands), "mode": "exact", "epsilon": 0.0,
    }  # fmt: skip
    return {**plain, **changes}


@pytest.mark.parametrize(
    ("changes", "right"),
    [
        ({}, True),
        ({"bands": "hide one"}, True),
        ({"total": 1}, False),
        ({"count": 1}, False),
        ({"variance": 1}, False),
        ({"bands": []}, False),
        ({"outcome": "SUPPRESSED", "count": None, "total": None}, False),
    ],
)
def test_a_report_is_held_against_them(made, tmp_path, changes, right):
    import json

    folder = made / "with"
    due = plain_sums.expected(folder)
    place = ("B11", "44")
    changed = dict(changes)
    if changed.get("bands") == "hide one":
        changed["bands"] = [None, *due[place].bands[1:]]
    path = Path(tmp_path / "report.json")
    path.write_text(json.dumps({"findings": [finding(place, due[place], **changed)]}), encoding="utf-8")
    (line,) = plain_sums.compare(path, folder)
    assert line.right is right
