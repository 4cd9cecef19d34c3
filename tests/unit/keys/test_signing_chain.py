"""Chains of signing keys: valid ones, and every kind of invalid one."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import ValidationError

from keys.errors import SuccessionError
from keys.signing_chain import MAX_CHAIN, Succession, follow, sign
from keys.store.kinds import fingerprint, fingerprint_of

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
GRACE = timedelta(days=30)
SECRETS = [bytes([at]) * 32 for at in range(1, 25)]


def public(at):
    return Ed25519PrivateKey.from_private_bytes(SECRETS[at]).public_key().public_bytes_raw()


def link(at, issued=NOW, code="44", number=None):
    """From key `at` to the next."""
    return sign(code, number or at + 2, SECRETS[at], SECRETS[at + 1], issued, issued + GRACE)


CHAIN = tuple(link(at, NOW + timedelta(days=at)) for at in range(3))  # key 0 to key 3
LATER = NOW + timedelta(days=3)


def test_a_statement_is_what_the_protocol_says():
    found = CHAIN[0]
    said = (
        b"heqiao v1 succession\x00" + b"44" + (2).to_bytes(4, "big") + public(0) + public(1)
        + int(NOW.timestamp()).to_bytes(8, "big") + int((NOW + GRACE).timestamp()).to_bytes(8, "big")
    )  # fmt: skip
    assert found.signed_part() == said
    for key, signature in ((0, found.by_old), (1, found.by_new)):
        Ed25519PrivateKey.from_private_bytes(SECRETS[key]).public_key().verify(signature, said)
    with pytest.raises(InvalidSignature):
        Ed25519PrivateKey.from_private_bytes(SECRETS[1]).public_key().verify(found.by_old, said)
    assert fingerprint_of(public(0)) == fingerprint("signing", SECRETS[0])


@pytest.mark.parametrize("known", range(4))
def test_it_is_followed_from_any_key_of_the_chain(known):
    """Through several rotations at once; there is nothing to do where the last key is pinned."""
    assert follow("44", public(known), CHAIN, LATER) == CHAIN[known:]


def test_an_empty_chain_leads_to_no_key():
    assert follow("44", public(0), (), NOW) == ()


@dataclass(frozen=True)
class Case:
    check: str
    chain: tuple[Succession, ...]
    known: int = 0
    now: datetime = LATER
    code: str = "44"
    replaced: tuple[int, ...] = ()


def altered(**changes):
    return CHAIN[0].model_copy(update=changes)


CASES = {
    "another new key": Case("forged", (altered(new_key=public(9)),)),
    "another old key": Case("forged", (altered(old_key=public(9)),), known=9),
    "another number": Case("forged", (altered(number=7),)),
    "a longer grace": Case("forged", (altered(expires_at=CHAIN[0].expires_at + 1),)),
    "an earlier issue": Case("forged", (altered(issued_at=CHAIN[0].issued_at - 1),)),
    "not signed by the old key": Case("forged", (altered(by_old=CHAIN[0].by_new),)),
    "not signed by the new key": Case("forged", (altered(by_new=CHAIN[0].by_old),)),
    "of another province": Case("forged", (link(0, code="33"),)),
    "shown by another province": Case("forged", CHAIN, code="33"),
    "a key after itself": Case("forged", (sign("44", 2, SECRETS[0], SECRETS[0], NOW, NOW + GRACE),)),
    "one of several is forged": Case("forged", (CHAIN[0], altered(number=9), CHAIN[2])),
    "the other way round": Case("order", CHAIN[::-1]),
    "one left out": Case("order", (CHAIN[0], CHAIN[2])),
    "one twice": Case("order", (CHAIN[0], CHAIN[0])),
    "numbers that do not ascend": Case("order", (CHAIN[0], link(1, LATER, number=2))),
    "issued before the one before": Case("order", (CHAIN[0], link(1, NOW - timedelta(days=1)))),
    "too many": Case("order", tuple(link(at) for at in range(MAX_CHAIN + 1)), now=NOW),
    "from an unknown key": Case("gap", CHAIN, known=9),
    "from before the key that is known": Case("gap", CHAIN[:1], known=2),
    "back to a key that was replaced": Case("replayed", CHAIN[:1], known=2, replaced=(0, 1)),
    "on to a key that was replaced": Case(
        "replayed", (sign("44", 5, SECRETS[3], SECRETS[1], NOW, NOW + GRACE),), known=3, replaced=(0, 1, 2)
    ),
    "after its grace": Case("expired", CHAIN, now=NOW + GRACE + timedelta(minutes=6)),
    "from the future": Case("clock", CHAIN, now=NOW - timedelta(minutes=6)),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_what_must_not_be_followed(name):
    case = CASES[name]
    with pytest.raises(SuccessionError) as refused:
        follow(case.code, public(case.known), case.chain, case.now, [public(at) for at in case.replaced])
    assert refused.value.check == case.check
    assert not any(public(at).hex() in str(refused.value) for at in range(4))


def test_an_old_stolen_key_misleads_no_peer_with_a_newer_key():
    """A thief of key 0 can sign another successor, but only peers that still pin key 0 would follow."""
    other = sign("44", 2, SECRETS[0], SECRETS[20], NOW, NOW + GRACE)
    for known in (1, 2, 3):
        with pytest.raises(SuccessionError) as refused:
            follow("44", public(known), (other,), LATER, [public(at) for at in range(known)])
        assert refused.value.check == "gap"


def test_in_its_grace_and_a_little_skew():
    assert follow("44", public(2), CHAIN, NOW + GRACE + timedelta(days=2))
    assert follow("44", public(0), CHAIN[:1], NOW - timedelta(minutes=4))


@pytest.mark.parametrize(
    "changes",
    [{"code": "99"}, {"number": 1}, {"number": 2**31}, {"old_key": bytes(31)}, {"by_new": bytes(63)},
     {"issued_at": -1}, {"expires_at": 2**40}, {"issued_at": "1"}, {"more": 1}],
)  # fmt: skip
def test_malformed_statements(changes):
    with pytest.raises(ValidationError) as refused:
        Succession(**{**CHAIN[0].plain(), **changes})
    assert "input_value" not in str(refused.value)


def test_as_json_and_back():
    assert Succession.model_validate_json(CHAIN[0].model_dump_json()) == CHAIN[0]
