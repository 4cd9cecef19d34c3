"""`heqiao quotas`: what a peer may ask is shown, set and lifted; more of it needs a second administrator."""

import json
from datetime import timedelta

import pytest

from node.clock import utc_now
from node.config import load
from node.database import database_url, open_store, sum_alerts
from node.database.sum_alerts import SumAlert
from node.domain.quotas import Measure
from node.governance.quotas import audit, charge, suspend
from tests.support.cli_runner import heqiao, ok
from tests.support.members import add_peer


@pytest.fixture
def home(tmp_path):
    """Node 44, which knows 45."""
    for code in ("44", "45"):
        ok("init", "--home", tmp_path / code, "--code", code, "--name", code)
    ok("card", "--home", tmp_path / "45", "--out", tmp_path / "45.card")
    add_peer(tmp_path / "44", tmp_path / "45.card")
    return tmp_path / "44"


def charged(home, amounts, *items):
    config, now = load(home / "node.toml"), utc_now()
    store = open_store(database_url(config))
    with store.transaction("charge", write=True) as tx:
        found = charge(tx, config.quotas, "45", amounts, now, items or ("",))
        audit(tx, found, now)
    store.dispose()
    return found.refusal


def shown(home):
    found = json.loads(ok("quotas", "show", "--home", home, "--json", "45"))["quotas"]
    return {(one["quota"], one.get("item", "")): one for one in found}


def test_quotas_and_their_use_are_shown(home):
    assert charged(home, {Measure.POINTS: 75_000}) is None
    assert charged(home, {Measure.SUMS: 1, Measure.SUM_POINTS: 64}, "B11", "D35") is None
    assert charged(home, {Measure.SUMS: 1, Measure.SUM_POINTS: 64}, "D35") is None
    too_many = {Measure.SUMS: 6, Measure.SUM_POINTS: 64}
    assert charged(home, too_many, "A1", "D35").details == {"rule": "quota.sums.30_days"}
    found = shown(home)
    hour = {"peer": "45", "quota": "points.hour", "item": "", "used": 75_000, "limit": 150_000}
    assert found["points.hour", ""] == {**hour, "is_set": False}
    assert [found["sum_points.30_days", item]["used"] for item in ("B11", "D35")] == [64, 128]
    text = ok("quotas", "show", "--home", home)
    assert "75,000" in text
    assert "points.hour" in text
    alerts = json.loads(ok("quotas", "alerts", "--home", home, "--json"))["alerts"]
    assert {(one["peer"], one["quota"], one["item"], one["percent"]) for one in alerts} == {
        ("45", "points.hour", "", 50),
        ("45", "sums.30_days", "D35", 100),
    }
    assert "50 %" in ok("quotas", "alerts", "--home", home, "45")
    assert "50 %" not in ok("quotas", "alerts", "--home", home, "33")


def test_a_quota_of_a_peer_applies_at_once_and_is_audited(home):
    text = ok("quotas", "set", "--home", home, "45", "points.hour", "10")
    assert text.strip() == "peer 45: points.hour is 10"
    assert charged(home, {Measure.POINTS: 11}).details == {"rule": "quota.points.hour"}
    made = json.loads(ok("quotas", "set", "--home", home, "45", "points.hour", "default", "--json"))
    assert made == {"peer": "45", "quota": "points.hour", "limit": 150_000, "is_set": False}
    assert charged(home, {Measure.POINTS: 11}) is None
    events = [json.loads(line) for line in ok("audit", "list", "--home", home).splitlines()]
    assert [(one["event"], one["details"].get("amount")) for one in events if "quota" in one["event"]] == [
        ("quota_set", 10),
        ("quota_alert", None),
        ("quota_set", "default"),
    ]


def suspended(home, *ages):
    """Alerts about sums of some peers, so many days old; 45 is suspended."""
    now = utc_now()
    store = open_store(database_url(load(home / "node.toml")))
    with store.transaction("suspend", write=True) as tx:
        for peer, age in ages:
            query = f"{peer}{age}".rjust(16).encode()
            alert = SumAlert(peer, query, "B11", "multiplicity", now - timedelta(days=age))
            sum_alerts.add_alert(tx, alert)
        suspend(tx, "45", Measure.SUMS, "multiplicity", now)
    store.dispose()


def listed(home, *more):
    return json.loads(ok("quotas", "alerts", "--home", home, "--json", *more))["alerts"]


def test_alerts_about_sums_are_listed_and_count_no_more_when_lifted(home):
    suspended(home, ("45", 300), ("45", 20), ("33", 5), ("45", 1))
    charged(home, {Measure.POINTS: 75_000})
    found = listed(home)
    assert [(one["peer"], one["quota"], one.get("rule")) for one in found] == [
        ("45", "points.hour", None),
        ("45", "sums", "multiplicity"),
        ("33", "sums", "multiplicity"),
        ("45", "sums", "multiplicity"),
        ("45", "sums", "multiplicity"),
    ]
    assert (found[1]["query"], found[1]["item"]) == (b"451".rjust(16).hex(), "B11")
    assert [one["peer"] for one in listed(home, "33")] == ["33"]
    assert len(listed(home, "--limit", "2")) == 2
    text = ok("quotas", "alerts", "--home", home)
    assert (text.count("multiplicity"), text.count("lifted")) == (4, 0)
    lifted = json.loads(ok("quotas", "lift", "--home", home, "--json", "45", "sums"))
    assert lifted == {"peer": "45", "lifted": "sums"}
    assert [bool(one["lifted_at"]) for one in listed(home) if "rule" in one] == [True, False, True, True]
    assert ok("quotas", "alerts", "--home", home).count("lifted") == 3
    events = [json.loads(line) for line in ok("audit", "list", "--home", home).splitlines()]
    assert events[-1]["event"] == "quota_lifted"
    assert events[-1]["details"] == {"peer": "45", "measure": "sums", "alerts": 3}


def test_a_suspension_is_shown_and_lifted(home):
    assert "not suspended" in heqiao("quotas", "lift", "--home", home, "45", "sums")[2]
    suspended(home)
    assert charged(home, {Measure.SUMS: 1, Measure.SUM_POINTS: 64}, "B11").details["rule"] == (
        "quota.sums.suspended"
    )
    assert charged(home, {Measure.POINTS: 1}) is None
    assert shown(home)["sums.suspended", ""]["reason"] == "multiplicity"
    assert "suspended" in ok("quotas", "show", "--home", home)
    ok("quotas", "lift", "--home", home, "45", "sums")
    assert charged(home, {Measure.SUMS: 1, Measure.SUM_POINTS: 64}, "B11") is None


def test_more_and_the_end_of_a_suspension_need_a_second_administrator(home, tmp_path):
    for name in ("one", "two"):
        ok("admins", "key", "--dir", tmp_path / name, "--name", name)
        ok("admins", "add", "--home", home, tmp_path / name / "admin.json")
    toml = home / "node.toml"
    toml.write_text(toml.read_text().replace("#required = false", "required = true", 1))
    me = ("--as", tmp_path / "one")
    ok("quotas", "set", "--home", home, "45", "points.hour", "10")  # less needs nobody
    for command in (
        ("quotas", "set", "45", "points.hour", "11", "--home", home, *me),
        ("quotas", "set", "45", "points.hour", "default", "--home", home, *me),
        ("quotas", "lift", "45", "sums", "--home", home, *me),
    ):
        code, _, err = heqiao(*command)
        assert (code, "needs a second administrator" in err) == (1, True)
    assert shown(home)["points.hour", ""]["limit"] == 10


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("set", "45", "points.week", "5"), 2, "points.week"),
        (("set", "45", "points.hour", "-5"), 2, "No such option"),
        (("set", "45", "points.hour", "many"), 2, "write a number from 0 on"),
        (("set", "33", "points.hour", "5"), 1, "there is no peer 33"),
        (("show", "33"), 1, "there is no peer 33"),
        (("lift", "45", "people"), 2, "people"),
    ],
)
def test_what_means_nothing_changes_nothing(home, words, code, said):
    found, _, err = heqiao("quotas", *words, "--home", home)
    assert (found, said in err) == (code, True), err
