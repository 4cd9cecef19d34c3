"""Passwords at the cost they have in service; other tests take a cheaper one."""

import runpy

import pytest

from keys import passwords as loaded

SERVED = "$argon2id$v=19$m=19456,t=2,p=1$"


@pytest.fixture(scope="module")
def passwords():
    """The module as a node loads it."""
    return runpy.run_path(loaded.__file__)


def test_a_password_is_kept_at_the_cost_of_today(passwords):
    kept = passwords["hash_password"]("correct horse battery")
    assert kept.startswith(SERVED)
    assert passwords["is_current"](kept)
    assert passwords["is_password"]("correct horse battery", kept)
    assert not passwords["is_password"]("correct horse", kept)


def test_nobody_has_a_password_and_costs_as_much(passwords):
    assert not passwords["is_password"]("", "")
    one, other = passwords["_nobodys"](), passwords["_nobodys"]()
    assert one != other
    assert one.startswith(SERVED)
    assert len(one) == len(passwords["hash_password"]("correct horse battery"))


@pytest.mark.parametrize("cheap", ["m=19455,t=2,p=1", "m=19456,t=1,p=1", "m=19456,t=2,p=2"])
def test_another_cost_is_not_current(passwords, cheap):
    assert not passwords["is_current"](f"$argon2id$v=19${cheap}$")
