"""`heqiao quotas`: what a peer may ask is shown, set and lifted; more of it needs a second administrator."""

import json

import pytest

from node.clock import utc_now
from node.config import load
from node.database import database_url, open_store
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


def test_a_suspension_is_shown_and_lifted(home):
    assert "not suspended" in heqiao("quotas", "lift", "--home", home, "45", "sums")[2]
    store = open_store(database_url(load(home / "node.toml")))
    with store.transaction("suspend", write=True) as tx:
        suspend(tx, "45", Measure.SUMS, "multiplicity", utc_now())
    store.dispose()
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
    toml.write_text(toml.read_text().replace("#required = false", "required = true"))
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
