"""node.client.Peer: a platform that asks another province's node directly gets the answers of a job."""

from dataclasses import replace
from pathlib import Path

import pytest

from node.client.peer import Peer
from node.domain.findings import Outcome
from node.errors import NotFoundError, UnknownCallerError
from node.jobs import mandates
from node.transport.peer_client import PeerClient
from tests.support.cluster import EVERYTHING, World, findings_of, know, open_home, read_verification, run_job

ITEMS = ("C21", "C23", "Z59b")


@pytest.fixture
def platform_home(world: World, served, tmp_path: Path) -> Path:
    home = world.federation.make_home(tmp_path / "platform", "45", "platform")
    node = open_home(home)
    know(node, world.folder / "44", served["44"].port)
    node.store.dispose()
    return home


def allow(world: World, served, *, platforms: bool) -> None:
    know(served["44"].node, world.folder / "45", 0, EVERYTHING, allow_platforms=platforms)


def test_a_platform_gets_the_answers_of_a_job(world: World, served, platform_home: Path) -> None:
    asked = read_verification(world.data, ITEMS)
    report = run_job(served["45"], "for-comparison", asked)
    allow(world, served, platforms=True)
    try:
        with Peer.open(platform_home, "44") as peer:
            answers = peer.verify(asked)
    finally:
        allow(world, served, platforms=False)
    direct = {
        (subject.ref, item, "44"): (answer.outcome.value, answer.value, answer.reason)
        for item, found in answers.items()
        for subject, answer in zip(asked.subjects, found, strict=True)
    }
    assert direct == findings_of(report, "44")
    # The platform's home kept nothing of it.
    assert not list(platform_home.glob("**/*.csv"))


def test_a_platform_that_is_not_allowed(world: World, served, platform_home: Path) -> None:
    with Peer.open(platform_home, "44") as peer, pytest.raises(UnknownCallerError):
        peer.verify(read_verification(world.data, ("C21",), most=2))


def test_nobody_is_asked_about_under_a_mandate_revoked_in_the_home(
    world: World, served, platform_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A caller without a job knew no revocations: the list beside it was all that it went by."""
    asked = read_verification(world.data, ("C21",), most=4)
    home = open_home(platform_home)
    mandates.revoke(home, [asked.subjects[0].mandate.lower()])
    home.store.dispose()
    allow(world, served, platforms=True)
    try:
        with Peer.open(platform_home, "44") as peer:
            (answers,) = peer.verify(asked).values()
            monkeypatch.setattr(PeerClient, "evaluate", None)  # nothing is sent about nobody
            (alone,) = peer.verify(replace(asked, subjects=asked.subjects[:1])).values()
    finally:
        allow(world, served, platforms=False)
    reasons = [(answer.outcome, answer.reason) for answer in answers]
    told = [reason == (Outcome.NOT_MANDATED, "revoked") for reason in reasons]
    assert told == [one.mandate == asked.subjects[0].mandate for one in asked.subjects]
    assert [(one.outcome, one.reason) for one in alone] == [(Outcome.NOT_MANDATED, "revoked")]


def test_an_unknown_peer(platform_home: Path) -> None:
    with pytest.raises(NotFoundError):
        Peer.open(platform_home, "33")
