"""`heqiao peers grant`: what a peer may ask about is replaced, by item and origin."""

import json

import pytest

from testbed.fingerprints import of_card
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


def granted(home):
    return json.loads(ok("peers", "list", "--home", home, "--json"))["peers"][0]["grants"]


def test_by_default_a_peer_is_granted_no_sensitive_item(home):
    assert granted(home) == ["45"]


def test_grants_are_replaced_and_audited(home):
    text = ok("peers", "grant", "--home", home, "45", " C23:45, 45,00 ,D35:45,45")
    assert text.strip() == "peer 45 45, grants: 00, 45, C23:45, D35:45"
    assert granted(home) == ["00", "45", "C23:45", "D35:45"]
    made = json.loads(ok("peers", "grant", "--home", home, "--json", "45", "C21:45"))
    assert made["grants"] == granted(home) == ["C21:45"]
    ok("peers", "grant", "--home", home, "45", "none")
    assert granted(home) == []
    events = [json.loads(line) for line in ok("audit", "list", "--home", home).splitlines()]
    assert [(one["event"], one["details"]["grants"]) for one in events] == [
        ("peer_added", ["45"]),
        ("peer_granted", ["00", "45", "C23:45", "D35:45"]),
        ("peer_granted", ["C21:45"]),
        ("peer_granted", []),
    ]


@pytest.mark.parametrize(
    ("grants", "code", "said"),
    [
        ("4X", 2, "'4X' is no origin"),
        ("45,", 2, "'' is no origin"),
        ("C23", 2, "'C23' is no origin"),
        ("C23:", 2, "'' is no origin"),
        ("deposits:45", 2, "'deposits' is no code of an item"),
        (":45", 2, "'' is no code of an item"),
        ("C23:C23:45", 2, "'C23:C23' is no code of an item"),
        ("C99:45", 1, "there is no item C99"),
    ],
)
def test_a_grant_that_means_nothing_changes_nothing(home, grants, code, said):
    for command in (
        ("peers", "grant", "45", grants),
        ("peers", "add", home / "../45.card", *of_card(home / "../45.card"), "--grant", grants),
    ):
        found, _, err = heqiao(*command, "--home", home)
        assert (found, said in err) == (code, True), err
    assert granted(home) == ["45"]
