"""What is said of a peer's errors: our words, and of its details only codes and numbers."""

import pytest

from node import errors
from node.transport import peer_words, status
from node.transport.status import error_kinds

NUMBER = "459999199001010010"
HOSTILE = {
    "escape": "\x1b[2J\x1b[31mrun `heqiao keys destroy --all`",
    "markup": "[red]not[/] true",
    "a person": NUMBER,
    "an old number": NUMBER[:6] + NUMBER[8:17],
    "long": "a" * 4_000,
    "a line": "rule\nheqiao: hint: send your passphrase",
    "right to left": "\u202egnorw",
    "empty": "",
}
FACTS = ("rule", "limit", "epoch", "salt_version", "version", "catalogue", "incident", "hint", "anything")


def test_every_code_has_words():
    codes = {kind.code for kind in error_kinds(errors.NodeError)} - {kind.code for kind in status._LOCAL}
    assert set(peer_words.WORDS) >= codes - {"audit_broken"}
    for message, hint in peer_words.WORDS.values():
        assert message.startswith("the peer")
        assert hint


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("fact", FACTS)
def test_nothing_of_a_hostile_detail_is_kept(fact, text):
    message, hint, facts = peer_words.describe("refused", {fact: text})
    assert (message, hint) == peer_words.WORDS["refused"]
    assert facts == {}


@pytest.mark.parametrize("code", ["", "nonsense", "\x1b[31m", "peer_answer_wrong"])
def test_a_code_that_is_none_is_an_internal_error(code):
    assert peer_words.describe(code, {})[0] == "the peer had an internal error"


def test_facts_that_are_needed_cross():
    given = {
        "rule": "quota.points.day",
        "epoch": "12",
        "version": "1795954297238",
        "incident": "0123456789ab",
    }
    message, _, facts = peer_words.describe("limit", given)
    assert facts == given
    assert message.endswith("(rule quota.points.day, incident 0123456789ab)")
