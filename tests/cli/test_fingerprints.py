"""Fingerprints that a person must give before a request, a CA or a card is accepted (attack A2)."""

import hashlib
import os
import sys

import pytest

from keys.pki.enrolment import ca_fingerprint, load_card, load_request
from tests.support.cli_runner import fails, heqiao, ok
from tests.support.members import answer


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A CA; homes 45 and 44 that have not joined, with a bundle for 45 and a card of 44."""
    base = tmp_path_factory.mktemp("world")
    ok("ca", "init", "--dir", base / "ca", "--federation", "test")
    for code in ("45", "44"):
        ok("init", "--home", base / code, "--code", code, "--name", code)
    answer(base / "ca", base / "45/request.json", base / "45.bundle")
    ok("card", "--home", base / "44", "--out", base / "44.card")
    return base


def cases(world):
    """Command, its option, the right fingerprint."""
    issue = ("ca", "issue", "--dir", world / "ca", world / "44/request.json", "--out", world / "out")
    join = ("join", "--home", world / "45", world / "45.bundle")
    add = ("peers", "add", "--home", world / "45", world / "44.card")
    return {
        "issue": (issue, "--fingerprint", load_request(world / "44/request.json").fingerprint()),
        "join": (join, "--ca-fingerprint", ca_fingerprint((world / "ca/ca.pem").read_bytes())),
        "add": (add, "--fingerprint", load_card(world / "44.card").fingerprint()),
    }


def contents(world):
    return {
        path.relative_to(world): hashlib.sha256(path.read_bytes()).digest()
        for path in world.rglob("*")
        if path.is_file() and "heqiao.db" not in path.name
    }


def other(fingerprint):
    """Another one in the last digit."""
    return fingerprint[:-1] + ("0" if fingerprint[-1] != "0" else "1")


@pytest.mark.parametrize("name", ["issue", "join", "add"])
def test_nothing_is_written_without_the_right_one(world, name):
    command, option, right = cases(world)[name]
    before = contents(world)
    error = fails(*command)
    assert "its fingerprint is needed" in error
    assert f"`{option}`" in error
    assert right not in error  # it could be copied
    error = fails(*command, option, other(right))
    assert "has another fingerprint than the one given" in error
    assert right not in error
    for bad in ("", "0000", right + "00", "z" * 32):
        assert "32 hex digits" in fails(*command, option, bad)
    assert contents(world) == before
    assert ok("peers", "list", "--home", world / "45", "--json") == '{"peers": []}\n'


@pytest.fixture
def terminal(monkeypatch):
    """What a person types at a terminal."""
    ours, theirs = os.openpty()

    def type_(text):
        os.write(ours, f"{text}\n".encode())

    with os.fdopen(theirs, "r") as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        yield type_
    os.close(ours)


@pytest.mark.parametrize("name", ["issue", "join", "add"])
def test_it_is_asked_for_at_a_terminal(world, terminal, name):
    command, _, right = cases(world)[name]
    before = contents(world)
    terminal(other(right))
    code, _, err = heqiao(*command)
    assert (code, "another fingerprint" in err, right in err) == (1, True, False)
    assert "as its sender reads it to you" in err
    assert contents(world) == before


def test_the_right_ones_are_taken_as_people_write_them(world, terminal):
    """Last of the module: now all three are accepted, and each says so before it writes."""
    for name, written in (
        ("issue", lambda right: right.upper()),
        ("join", lambda right: right.replace("-", ":")),
        ("add", lambda right: right.replace("-", " ")),
    ):
        command, option, right = cases(world)[name]
        if name == "issue":
            terminal(written(right))
            code, _, err = heqiao(*command)
        else:
            code, _, err = heqiao(*command, option, written(right))
        assert (code, f"fingerprint {right} is the one given" in err) == (0, True), err
    ok("join", "--home", world / "45", world / "45.bundle")  # the CA is known: nothing is asked
    command, option, right = cases(world)["join"]
    assert "another fingerprint" in fails(*command, option, other(right))  # but what is given counts


def test_the_sender_prints_it(world):
    for name, path in (
        ("issue", world / "44/request.json"),
        ("join", world / "ca/ca.pem"),
        ("add", world / "44.card"),
    ):
        right = cases(world)[name][2]
        assert ok("fingerprint", path) == f"{right}\n"
    code, _, err = heqiao("card", "--home", world / "44")
    assert (code, err) == (0, f"fingerprint {cases(world)['add'][2]}\n")
    assert "no file whose fingerprint" in fails("fingerprint", world / "45/node.toml")
    assert "No such file" in fails("fingerprint", world / "none")
