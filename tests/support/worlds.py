"""Federations that tests of several folders share, as fixtures."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from node import config
from node.clock import utc_now
from node.domain.peers import read_grants
from node.domain.verification import Verification
from node.governance.peers import set_grants
from tests.support.cluster import (
    World,
    findings_of,
    make_world,
    read_verification,
    run_job,
    serve_all,
    silence_log,
)
from tests.support.federation import REQUESTER
from tests.support.mirrors import sync
from tests.support.once import made_once

THREE = ("C21", "Z59b", "C23")


def last_people(verification: Verification, count: int = 60) -> Verification:
    """The end of the list, also people without a mandate: enough for many chunks and each outcome."""
    return replace(verification, subjects=verification.subjects[-count:])


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    silence_log(tmp_path_factory.mktemp("log"))
    return World.load(made_once(tmp_path_factory, "world", make_world))


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Another, with the registers of three items only, for tests that rotate all keys."""
    silence_log(tmp_path_factory.mktemp("log"))
    return World.load(made_once(tmp_path_factory, "small", partial(make_world, items=THREE)))


@pytest.fixture(scope="session")
def few(small: World, tmp_path_factory: pytest.TempPathFactory) -> World:
    """The same with grants for people of two origins: six partitions of a peer are mirrored, not eighteen."""
    return replace(small, folder=made_once(tmp_path_factory, "few", partial(_grant_few, small)))


@pytest.fixture(scope="session")
def few_mirrored(few: World, tmp_path_factory: pytest.TempPathFactory) -> World:
    """And 45 has the mirror of 44, for tests of what happens to one later."""
    return replace(few, folder=made_once(tmp_path_factory, "few-mirrored", partial(_mirror, few)))


def _grant_few(small: World, folder: Path) -> None:
    for home in small.copy(folder).values():
        if home.name != REQUESTER:
            granted = read_grants(["45", "44", "C23:45", "C23:44"])
            set_grants(config.load(home / "node.toml"), REQUESTER, granted, utc_now())


def _mirror(few: World, folder: Path) -> None:
    homes = few.copy(folder)
    with serve_all({code: homes[code] for code in (REQUESTER, "44")}) as provinces:
        sync(provinces[REQUESTER].node)


@pytest.fixture(scope="session")
def served(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict]:
    """Three running provinces, for tests that do not change them."""
    with serve_all(world.copy(tmp_path_factory.mktemp("served"))) as provinces:
        yield provinces


@pytest.fixture(scope="session")
def small_served(small: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict]:
    """The same of the small one. Answers are compared within one world only: whether a wrong name passes the
    name check, or its form after conversion, is chance, and another chance under another record key.
    """
    with serve_all(small.copy(tmp_path_factory.mktemp("served"))) as provinces:
        yield provinces


@pytest.fixture(scope="session")
def asked(world: World) -> Verification:
    """Three items of the end of the list, with every outcome and many chunks, for tests that interrupt."""
    return last_people(read_verification(world.data, THREE))


@pytest.fixture(scope="session")
def undisturbed(served: dict, asked: Verification) -> dict:
    """Its findings without any interruption."""
    report = run_job(served["45"], "undisturbed", asked)
    assert report.state == "done"
    return findings_of(report)
