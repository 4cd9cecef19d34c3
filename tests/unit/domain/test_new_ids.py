"""Ids made at random are never like an identity number."""

import pytest

from node.domain import new_ids
from node.domain.mandate import CODE


def test_one_with_fifteen_digits_is_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = iter(["1234567890123456", "a123456789012345", "12345678a0123456"])
    monkeypatch.setattr(new_ids.secrets, "token_hex", lambda _size: next(drawn))
    assert new_ids.new_id("v") == "v-12345678a0123456"


def test_all_are_codes() -> None:
    assert all(CODE.fullmatch(new_ids.new_id("d")) for _ in range(5_000))
