"""Imports and rotations over token blocks, killed before every step: all fits, and again finishes it."""

import pytest

from matcher import identity
from node.config import load
from node.context import open_node
from tests.support.cli_runner import heqiao, ok
from tests.support.killed_commands import copy, each_step
from tests.support.single_node import Held, number
from tests.support.token_blocks import check_tokens

REGISTER = f"id_no,former_id_no,record_no\n{number(1)},,a\n{number(2)},{number(3, '459999')},b\n"
COMMANDS = {
    "second item": ("import", "Z59b", "r2.csv"),
    "upsert": ("import", "C21", "r2.csv", "--upsert"),
    "delete": ("import", "C21", "r2.csv", "--delete"),
    "again": ("import", "C21", "r2.csv"),
    "rotation": ("keys", "rotate", "oprf"),
}


def check(world, *, unused):
    """Pointers lead to their tokens; whether the first person is found."""
    node = open_node(load(world / "44/node.toml"))
    try:
        held = check_tokens(node, unused=unused)
        assert all(len(set(found.values())) == len(found) for found in held.values())
        return Held(node, "C21").open(identity.parse(number(1))) is not None
    finally:
        node.store.dispose()


@pytest.mark.long
@pytest.mark.parametrize("name", COMMANDS)
def test_killed_before_every_step(base, tmp_path, name):
    world = copy(base, tmp_path / "before")
    (world / "r2.csv").write_text(REGISTER, encoding="utf-8")
    ok("import", "--home", world / "44", "B12r", world / "r2.csv")

    def command(place):
        words = [place / word if word.endswith(".csv") else word for word in COMMANDS[name]]
        return (*words, "--workers", "0", "--home", place / "44")

    steps = 0
    for place in each_step(world, tmp_path, command):
        steps += 1
        check(place, unused=True)
        assert heqiao("index", "verify", "--home", place / "44")[0] == 0
        ok(*command(place))
        assert check(place, unused=name != "rotation") is (name != "delete")
        ok("index", "verify", "--home", place / "44")
    assert steps > 5
