"""A member whose keys are due for rotation, and what `heqiao keys rotate --due` says there."""

import json
import os
import shutil
import time

import pytest

from keys.store.kinds import generate_secret
from tests.support.ca_member import drawn, made  # noqa: F401  a member with fast key stores
from tests.support.cli_runner import heqiao, ok
from tests.support.single_node import number

AGE = 4_000 * 86_400  # seconds: older than every policy


@pytest.fixture(scope="module")
def member(made, tmp_path_factory):
    base = tmp_path_factory.mktemp("due") / "world"
    shutil.copytree(made, base)
    (base / "r.csv").write_text(f"id_no,name,record_no\n{number(1)},陈三,a\n", encoding="utf-8")
    ok("import", "--home", base / "44", "C21", base / "r.csv")
    return base


@pytest.fixture
def world(member, tmp_path, monkeypatch, drawn):
    monkeypatch.setattr(
        "node.rotation.sums.generate_secret",
        lambda purpose, *rest: drawn if purpose == "paillier" else generate_secret(purpose, *rest),
    )
    return shutil.copytree(member, tmp_path / "world")


def age(world, *purposes):
    """Set the creation times of the keys far back."""
    for purpose in purposes:
        for path in (world / "44/keys").glob(f"{purpose}.1.key"):
            os.utime(path, (time.time() - AGE,) * 2)


def due(world, *more, code=0):
    got, out, err = heqiao("keys", "rotate", "--due", "--home", world / "44", "--json", *more)
    assert (got, err) == (code, ""), err
    return json.loads(out)


def outcomes(found):
    return {one["purpose"]: one["outcome"] for one in found["outcomes"]}


def status(world):
    return json.loads(heqiao("keys", "status", "--home", world / "44", "--json")[1])


def states(world, purpose):
    return {key["epoch"]: key["state"] for key in status(world)["keys"] if key["purpose"] == purpose}
