"""Checks of a manifest before a point is sent: each violation has its name; on bytes alone."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from keys.signing_chain import sign
from matcher.suites.suite import CURRENT
from matcher.types import TokenClass
from node.domain import catalogue
from node.errors import (
    CatalogueMismatchError,
    DishonestPeerError,
    EpochError,
    ItemNotOfferedError,
    PreconditionError,
    SaltError,
    UnknownSuiteError,
)
from node.requester import trusted_manifest
from node.requester.trusted_manifest import (
    CLOCK_SKEW,
    OVERLAP,
    OfferChangedError,
    PeerKeys,
    TrustedState,
    require_fresh,
    require_same_batch,
    require_same_sums,
)
from node.wire import manifest as manifests
from node.wire.manifest import Manifest, PlantedSubject
from node.wire.match import manifest_bytes
from node.wire.sum_messages import SumGroupOffer, SumOffer
from tests.support.examples import MANIFEST, NOW, PART

SALT = bytes(range(32))
GOOD = replace(MANIFEST, salt_check=CURRENT.salt_check(SALT))
CATALOGUE = catalogue.load()
STATE = TrustedState("45", "44", {1: SALT}, CATALOGUE)
SKEW = CLOCK_SKEW + timedelta(seconds=1)
OFFER = SumOffer(1, b"\x01" * 384, b"", bytes(512), 1_000, ())


def secret(number: int) -> bytes:
    return bytes([number]) * 32


def public(number: int) -> bytes:
    return Ed25519PrivateKey.from_private_bytes(secret(number)).public_key().public_bytes_raw()


# ---- rules 2 to 8

BROKEN = {
    "another responder": (replace(GOOD, responder="33"), DishonestPeerError, "manifest_parties"),
    "for another requester": (replace(GOOD, requester="33"), DishonestPeerError, "manifest_parties"),
    "from the future": (
        replace(GOOD, issued_at=NOW + SKEW, expires_at=NOW + 2 * SKEW),
        PreconditionError,
        "clock",
    ),
    "no suite": (replace(GOOD, suites=()), UnknownSuiteError, ""),
    "another suite": (replace(GOOD, suites=("SM2-SM3-SM4",)), UnknownSuiteError, ""),
    "another salt version": (replace(GOOD, salt_version=2), SaltError, ""),
    "another salt": (replace(GOOD, salt_check=CURRENT.salt_check(secret(1))), SaltError, ""),
    "another major version of the catalogue": (
        replace(GOOD, catalogue_version="2.0"),
        CatalogueMismatchError,
        "catalogue_major",
    ),
    "a catalogue without a version": (
        replace(GOOD, catalogue_version="federation"),
        DishonestPeerError,
        "manifest_form",
    ),
    "an item without a definition": (replace(GOOD, definitions={}), DishonestPeerError, "manifest_form"),
    "a definition of another length": (
        replace(GOOD, definitions={"C21": bytes(16)}),
        DishonestPeerError,
        "manifest_form",
    ),
    "a definition of what is no code": (
        replace(GOOD, definitions={**GOOD.definitions, "../../C2": bytes(32)}),
        DishonestPeerError,
        "manifest_form",
    ),
    "more definitions than a catalogue has": (
        replace(
            GOOD,
            definitions={
                **GOOD.definitions,
                **{f"X{a:02}A{b:02}": bytes(32) for a in range(10) for b in range(50)},
            },
        ),
        DishonestPeerError,
        "manifest_form",
    ),
    "no planted subjects": (
        replace(GOOD, partitions=(replace(PART, planted=()),)),
        DishonestPeerError,
        "manifest_form",
    ),
    "a partition twice": (replace(GOOD, partitions=(PART, PART)), DishonestPeerError, "manifest_form"),
    "a partition of another epoch": (
        replace(GOOD, partitions=(replace(PART, epoch=2),)),
        DishonestPeerError,
        "manifest_form",
    ),
    "records of another size than the catalogue says": (
        replace(GOOD, partitions=(replace(PART, record_size=10),)),
        DishonestPeerError,
        "manifest_form",
    ),
    "records of a size that none has": (
        replace(GOOD, partitions=(replace(PART, record_size=13),)),
        DishonestPeerError,
        "manifest_form",
    ),
    "no date": (replace(GOOD, partitions=(replace(PART, date=0),)), DishonestPeerError, "manifest_form"),
    "too few canaries": (
        replace(GOOD, canaries=dict.fromkeys(TokenClass, bytes(480))),
        DishonestPeerError,
        "manifest_form",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_rule_is_refused_by_name(case: str) -> None:
    manifest, error, name = BROKEN[case]
    with pytest.raises(error) as refused:
        STATE.read(manifest_bytes(manifest), NOW)
    assert type(refused.value) is error
    assert name in ("", refused.value.details.get("check"), refused.value.details.get("rule"))


@pytest.mark.parametrize(
    "data", [b"", b"\xff", manifest_bytes(GOOD)[:-9]], ids=["empty", "no message", "cut"]
)
def test_bytes_that_are_no_manifest_are_refused(data: bytes) -> None:
    with pytest.raises(DishonestPeerError) as refused:
        STATE.read(data, NOW)
    assert refused.value.details == {"check": "manifest_form"}


def test_a_good_manifest_names_its_suite_and_salt() -> None:
    found = STATE.read(manifest_bytes(GOOD), NOW)
    assert (found.content, found.suite, found.salt) == (GOOD, CURRENT, SALT)
    assert STATE.read(manifest_bytes(replace(GOOD, issued_at=NOW + CLOCK_SKEW)), NOW)
    both = replace(GOOD, suites=("SM2-SM3-SM4", CURRENT.name))
    assert STATE.judge(both, NOW).suite is CURRENT


def test_the_first_broken_rule_is_the_one_named() -> None:
    """A manifest between other provinces reveals nothing about their salts or catalogues."""
    manifest = replace(GOOD, responder="33", suites=(), salt_version=9, catalogue_version="9.0")
    with pytest.raises(DishonestPeerError):
        STATE.read(manifest_bytes(manifest), NOW)
    with pytest.raises(UnknownSuiteError):
        STATE.read(manifest_bytes(replace(manifest, responder="44")), NOW)
    with pytest.raises(SaltError):
        STATE.read(manifest_bytes(replace(manifest, responder="44", suites=GOOD.suites)), NOW)


# ---- rule 7


def test_what_two_provinces_define_differently_is_left_out_and_named() -> None:
    """C22 differs, C23 is not in the peer's catalogue, X44A01 is the peer's own: none of them is asked."""
    theirs = {**GOOD.definitions, "C22": secret(1), "X44A01": secret(2)}
    del theirs["C23"]
    parts = tuple(replace(PART, item=code) for code in ("C21", "C22", "X44A01"))
    offered = replace(GOOD, items=("C21", "C22", "X44A01"), partitions=parts, definitions=theirs)
    found = STATE.read(manifest_bytes(offered), NOW).content
    assert found.items == ("C21",)
    assert [part.item for part in found.partitions] == ["C21"]
    assert found.conflicts == {"C22"}
    assert not found.has("C22")
    assert STATE.judge(found, NOW).content == found  # a kept manifest is judged again


def test_rows_of_sums_under_another_definition_are_left_out() -> None:
    groups = tuple(SumGroupOffer(code, "45", 1, 40, bytes(32), 1, 2) for code in ("B11", "D35"))
    theirs = {**GOOD.definitions, "D35": secret(1)}
    offered = replace(GOOD, definitions=theirs, sums=replace(OFFER, groups=groups))
    found = STATE.judge(offered, NOW).content
    assert found.sums is not None
    assert [group.item for group in found.sums.groups] == ["B11"]
    assert found.conflicts == {"D35"}


def test_another_digest_of_the_whole_document_is_no_reason_to_refuse() -> None:
    other = replace(GOOD, catalogue_digest=secret(1), catalogue_version="1.7")
    assert STATE.read(manifest_bytes(other), NOW).content.conflicts == frozenset()


# ---- rule 8


@pytest.mark.parametrize(("late", "good"), [(timedelta(0), True), (CLOCK_SKEW, True), (SKEW, False)])
def test_only_a_fresh_manifest_is_taken(late: timedelta, good: bool) -> None:
    if good:
        require_fresh(GOOD, GOOD.expires_at + late)
        return
    with pytest.raises(PreconditionError) as refused:
        require_fresh(GOOD, GOOD.expires_at + late)
    assert refused.value.details == {"rule": "clock"}


# ---- rule 9


def planted(*names: str) -> Manifest:
    return replace(
        GOOD, partitions=(replace(PART, planted=tuple(PlantedSubject(name, 1) for name in names)),)
    )


def test_a_renewed_manifest_is_of_the_same_batch() -> None:
    newer = replace(GOOD, partitions=(replace(PART, version=9, entries=101),))
    require_same_batch(newer, GOOD, GOOD)
    with pytest.raises(EpochError):
        require_same_batch(replace(GOOD, epoch=2), GOOD, GOOD)
    for other in (planted("hit-1"), planted("hit-0", "hit-1"), replace(GOOD, partitions=())):
        with pytest.raises(OfferChangedError):
            require_same_batch(other, GOOD, GOOD)


@pytest.mark.parametrize(
    "newer",
    [
        replace(GOOD, sums=replace(OFFER, epoch=2)),
        replace(GOOD, sums=replace(OFFER, modulus=b"\x02" * 384)),
        replace(GOOD, sums=OFFER, salt_version=2),
    ],
    ids=["epoch", "modulus", "salt"],
)
def test_a_renewed_offer_of_sums_is_under_the_same_keys(newer: Manifest) -> None:
    layout = replace(GOOD, sums=OFFER)
    assert require_same_sums(replace(layout, epoch=2), layout) is OFFER
    with pytest.raises(EpochError):
        require_same_sums(newer, layout)


def test_a_manifest_without_sums_offers_none() -> None:
    with pytest.raises(ItemNotOfferedError):
        require_same_sums(GOOD, replace(GOOD, sums=OFFER))
    with pytest.raises(ItemNotOfferedError):
        trusted_manifest.sum_offer(GOOD)


# ---- rule 1: keys 1, 2, 3 follow one another, 9 is unknown

SIGNED = manifest_bytes(GOOD)
STEP_2 = sign("44", 2, secret(1), secret(2), NOW, NOW + timedelta(days=90))
STEP_3 = sign("44", 3, secret(2), secret(3), NOW, NOW + timedelta(days=90))
FORGED = sign("44", 2, secret(9), secret(3), NOW, NOW + timedelta(days=90))
KNOWN_1 = PeerKeys("44", public(1))
KNOWN_2 = PeerKeys("44", public(2), {public(1): NOW})
LATER = NOW + OVERLAP + timedelta(seconds=1)
# pinned keys, number of the key that signed, chain, now, result: steps or the name of a refusal
KEYS = {
    "the known key": (KNOWN_1, 1, (), NOW, 0),
    "the known key, with a chain": (KNOWN_2, 2, (STEP_2,), NOW, 0),
    "one step on": (KNOWN_1, 2, (STEP_2,), NOW, 1),
    "two steps on": (KNOWN_1, 3, (STEP_2, STEP_3), NOW, 2),
    "a step on from the middle of a chain": (KNOWN_2, 3, (STEP_2, STEP_3), NOW, 1),
    "the key before, in the overlap": (KNOWN_2, 1, (), NOW + OVERLAP, 0),
    "the key before, after it": (KNOWN_2, 1, (STEP_2,), LATER, "succession_replayed"),
    "the key before, from before it was replaced": (
        KNOWN_2,
        1,
        (),
        NOW - timedelta(seconds=1),
        "succession_replayed",
    ),
    "a stranger": (KNOWN_1, 9, (), NOW, "manifest_signature"),
    "an unknown key with a good chain": (KNOWN_1, 9, (STEP_2,), NOW, "manifest_signature"),
    "a chain that does not begin here": (KNOWN_1, 3, (STEP_3,), NOW, "succession_gap"),
    "a chain of an unknown key": (KNOWN_1, 3, (FORGED,), NOW, "succession_gap"),
    "a chain out of order": (KNOWN_1, 3, (STEP_3, STEP_2), NOW, "succession_order"),
    "a step that has expired": (KNOWN_1, 2, (STEP_2,), NOW + timedelta(days=91), "succession_expired"),
    "a step of another province": (
        replace(KNOWN_1, code="33"),
        2,
        (STEP_2,),
        NOW,
        "succession_forged",
    ),
}


@pytest.mark.parametrize("case", KEYS)
def test_under_which_key_a_peer_is_known(case: str) -> None:
    known, signer, chain, now, expected = KEYS[case]
    signature = manifests.sign(SIGNED, secret(signer))
    if isinstance(expected, int):
        assert known.verify(SIGNED, signature, chain, now) == tuple(chain)[len(chain) - expected :]
        return
    with pytest.raises(DishonestPeerError) as refused:
        known.verify(SIGNED, signature, chain, now)
    assert refused.value.details == {"check": expected}


@pytest.mark.parametrize(("signer", "good"), [(1, True), (2, True), (3, False), (9, False)])
def test_a_kept_manifest_may_be_of_a_key_that_was_replaced_since(signer: int, good: bool) -> None:
    signature = manifests.sign(SIGNED, secret(signer))
    if good:
        KNOWN_2.verify_kept(SIGNED, signature)
        return
    with pytest.raises(DishonestPeerError) as refused:
        KNOWN_2.verify_kept(SIGNED, signature)
    assert refused.value.details == {"check": "manifest_signature"}


@pytest.mark.parametrize("signature", [b"", bytes(63), bytes(64), bytes(65)])
def test_no_other_bytes_are_a_signature(signature: bytes) -> None:
    with pytest.raises(DishonestPeerError):
        KNOWN_1.verify(SIGNED, signature, (), datetime.max.replace(tzinfo=NOW.tzinfo))
