"""`heqiao peers alerts` and `resume-sums`: a suspension is seen, and ended by an administrator."""

import json
from datetime import timedelta

import pytest

from node.clock import utc_now
from node.database import open_store
from node.database import sum_alerts as rows
from node.database.sum_alerts import AlertRow
from tests.support.cli_runner import heqiao, ok


@pytest.fixture
def home(tmp_path):
    ok("init", "--home", tmp_path / "44", "--code", "44", "--name", "44")
    return tmp_path / "44"


def alert(home, *ages, peer="45"):
    store = open_store(f"sqlite:///{home}/heqiao.db")
    with store.transaction("alert", write=True) as tx:
        for age in ages:
            query = f"{peer}{age}".rjust(16).encode()
            rows.add_alert(tx, AlertRow(peer, query, "B11", "multiplicity", utc_now() - timedelta(days=age)))
    store.dispose()


def listed(home):
    return json.loads(ok("peers", "alerts", "--home", home, "--json"))


def test_nothing_to_see(home):
    assert listed(home) == {"alerts": [], "suspended": []}
    assert "suspended" not in ok("peers", "alerts", "--home", home)


def test_three_suspend_until_an_administrator_lifts_it(home):
    alert(home, 300, 20)
    alert(home, 5, peer="33")
    assert (len(listed(home)["alerts"]), listed(home)["suspended"]) == (3, [])
    alert(home, 0)
    found = listed(home)
    assert found["suspended"] == ["45"]
    assert {one["rule"] for one in found["alerts"]} == {"multiplicity"}
    text = ok("peers", "alerts", "--home", home)
    assert "sums are suspended for: 45" in text
    assert text.count("multiplicity") == 4
    assert json.loads(ok("peers", "resume-sums", "--home", home, "--json", "45")) == {
        "peer": "45",
        "lifted": 3,
    }
    found = listed(home)
    assert (found["suspended"], len(found["alerts"])) == ([], 4)
    assert sorted(bool(one["lifted_at"]) for one in found["alerts"]) == [False, True, True, True]
    events = [json.loads(line) for line in ok("audit", "list", "--home", home).splitlines()]
    assert (events[-1]["event"], events[-1]["details"]) == ("sums_resumed", {"peer": "45", "alerts": 3})
    code, _, error = heqiao("peers", "resume-sums", "--home", home, "45")
    assert (code, "no alert about sums of 45 counts" in error, "peers alerts" in error) == (1, True, True)
