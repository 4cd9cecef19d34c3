"""`heqiao mirror` and `heqiao index republish`, against a responder that serves."""

import json
from pathlib import Path

import pytest

from tests.support.cli_runner import heqiao, ok
from tests.support.cluster import World, serve_all
from tests.support.mirrors import mirror_files


@pytest.fixture
def homes(world: World, tmp_path: Path):
    found = world.copy(tmp_path)
    with serve_all(found):
        yield found


def plain(*words: object) -> dict:
    return json.loads(ok(*words, "--json"))


def test_the_life_of_a_mirror(homes) -> None:
    home = homes["45"]
    (empty,) = plain("mirror", "status", "--home", home, "44")["mirrors"]
    assert empty == {"peer": "44", "issued_at": None, "partitions": []}
    done = plain("mirror", "sync", "--home", home)
    assert [one["peer"] for one in done["synced"]] == ["33", "44"]
    assert done["failed"] == []
    files = mirror_files(home)
    assert len(files) == next(one["partitions"] for one in done["synced"] if one["peer"] == "44")
    states = plain("mirror", "status", "--home", home)["mirrors"]
    assert {part["state"] for peer in states for part in peer["partitions"]} == {"whole"}
    again = plain("mirror", "sync", "--home", home, "44")["synced"][0]
    assert again["bytes_down"] < done["synced"][1]["bytes_down"] / 2
    assert "up to date" in ok("mirror", "sync", "--home", home, "44")
    assert ok("mirror", "verify", "--home", home)
    dropped = plain("mirror", "drop", "--home", home, "44")["dropped"]
    assert dropped["44"] > 0
    assert mirror_files(home) == []
    assert mirror_files(home, "33") != []


def test_damage_is_found_and_mended(homes) -> None:
    home = homes["45"]
    ok("mirror", "sync", "--home", home, "44")
    chosen = max(mirror_files(home), key=lambda path: path.stat().st_size)
    data = chosen.read_bytes()
    chosen.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    code, out, _ = heqiao("mirror", "verify", "--home", home, "44", "--json")
    assert code == 1
    (peer,) = json.loads(out)["mirrors"]
    (bad,) = [part for part in peer["partitions"] if part["state"] == "damaged"]
    assert f"{bad['item']}-{bad['origin']}" in chosen.name
    assert bad["damaged"]
    assert plain("mirror", "sync", "--home", home, "44")["failed"] == []
    assert ok("mirror", "verify", "--home", home, "44")
    assert chosen.read_bytes() == data


def test_a_peer_that_is_away_fails_alone(world: World, tmp_path: Path) -> None:
    homes = world.copy(tmp_path)
    with serve_all({code: homes[code] for code in ("45", "33")}):
        code, out, _ = heqiao("mirror", "sync", "--home", homes["45"], "--json")
    assert code == 1
    done = json.loads(out)
    assert [one["peer"] for one in done["synced"]] == ["33"]
    assert [(one["peer"], one["code"]) for one in done["failed"]] == [("44", "unavailable")]


def test_an_unknown_peer_is_told(homes) -> None:
    code, _, err = heqiao("mirror", "sync", "--home", homes["45"], "99")
    assert code == 1
    assert "knows no peer 99" in err


def test_partitions_are_published_anew(homes) -> None:
    before = plain("mirror", "sync", "--home", homes["45"], "44")["synced"][0]
    done = plain("index", "republish", "--home", homes["44"])
    assert done["partitions"] >= before["partitions"]
    versions = versions_of(homes["45"])
    plain("mirror", "sync", "--home", homes["45"], "44")
    assert min(versions_of(homes["45"])) > max(versions)


def versions_of(home: Path) -> set[int]:
    (peer,) = plain("mirror", "status", "--home", home, "44")["mirrors"]
    return {part["version"] for part in peer["partitions"]}
