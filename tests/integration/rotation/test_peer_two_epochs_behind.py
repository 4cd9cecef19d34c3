"""A peer that is two epochs behind, or asks for one that was destroyed: served, or told where to go."""

import secrets
from dataclasses import replace
from datetime import timedelta

import pytest

from keys.types import RotationPolicy
from matcher import SUITE
from matcher.types import TokenClass
from node.errors import EpochError, SaltError
from node.responder import manifest, match, sums
from node.rotation import driver
from node.rotation.kinds import OPRF, SALT, SUMS
from node.wire.match_messages import EvaluateStart
from tests.support.salt_rotation import PEER, PEOPLE, run
from tests.support.salt_rotation import home as two_salts  # noqa: F401  a home with two salts
from tests.support.sum_peer import begin
from tests.support.sum_rotation import POLICY, WAGES, ask, drawn, home, register  # noqa: F401  a home with sums

SALT_POLICY = RotationPolicy(timedelta(days=3_650), timedelta(days=90))


def cohort(node, epoch, salt=1):
    start = replace(begin(), epoch=epoch, salt_version=salt)
    return sums.Cohort(node, PEER, start, "node")


def evaluation(node, epoch, salt):
    start = EvaluateStart(
        epoch,
        salt,
        bytes(32),
        secrets.token_bytes(16),
        1,
        0,
        ("C21",),
        "new_application",
        "SA-2026-41",
        bytes(32),
        TokenClass.ORDINARY,
    )
    return match.Evaluation(node, PEER, start, "node")


def led_to(epoch, call):
    with pytest.raises(EpochError) as caught:
        call()
    assert caught.value.details == {"epoch": str(epoch)}


def test_sums(home):
    node, store = home
    for epoch in (2, 3):
        assert driver.rotate(SUMS, node, store, POLICY).epoch == epoch
    assert ask(node, list(WAGES)[:12], 1, secrets.token_bytes(16))
    assert all(cohort(node, epoch) for epoch in (1, 2, 3))
    assert len(driver.retire(SUMS, node, store, early=True)) == 6
    for epoch in (1, 2, 4):
        led_to(3, lambda epoch=epoch: cohort(node, epoch))
    assert len(driver.destroy(SUMS, node, store)) == 6
    for epoch in (1, 2, 4):
        led_to(3, lambda epoch=epoch: cohort(node, epoch))
    assert cohort(node, 3)


def test_salts_and_the_keys_of_the_index(two_salts, tmp_path):
    node, store = two_salts
    store.add("salt.3", secrets.token_bytes(32))
    store.remove("salt.2")  # it came and went while this one was away
    driver.rotate(SALT, node, store, SALT_POLICY)
    run(node, tmp_path, PEOPLE)
    assert driver.rotate(SALT, node, store, SALT_POLICY).switched
    assert (node.keys.salt_version, node.keys.epoch) == (3, 2)
    assert manifest.offer_manifest(node, PEER, (SUITE,), salt_versions=(1,))
    assert evaluation(node, 1, 1)
    assert evaluation(node, 2, 3)
    with pytest.raises(SaltError):
        manifest.offer_manifest(node, PEER, (SUITE,), salt_versions=(2,))
    driver.retire(SALT, node, store, early=True)
    driver.destroy(SALT, node, store)
    driver.destroy(OPRF, node, store)
    led_to(2, lambda: evaluation(node, 1, 1))
    for held in ((1,), (1, 2)):
        with pytest.raises(SaltError) as caught:
            manifest.offer_manifest(node, PEER, (SUITE,), salt_versions=held)
        assert caught.value.hint
    assert evaluation(node, 2, 3)
