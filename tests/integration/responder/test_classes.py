"""What a token, a key and a query of one class reach at a responder (design.md section 2, step 4)."""

import json
import secrets
from dataclasses import replace
from datetime import timedelta

import pytest

from keys.types import RotationPolicy
from matcher import identity, oprf
from matcher.suites import tokens
from matcher.suites.suite import CURRENT
from matcher.types import SUITE, TokenClass
from node.database import audit_log
from node.domain.peers import read_grants
from node.errors import PreconditionError, RefusedError
from node.registers import importer
from node.responder import manifest, match, mirrors
from node.rotation import driver
from node.rotation.kinds import OPRF
from node.wire.match import parse_manifest
from node.wire.match_messages import BucketRequest, EvaluateStart
from node.wire.mirror_messages import DeltaRequest, PartitionRequest
from tests.support.bound_queries import PEER, POINTS, ask, issued, know_peer, start_of
from tests.support.single_node import LIMITS, Held, class_key, copied, make_node, number, with_key_store

POLICY = RotationPolicy(timedelta(days=90), timedelta(days=7))
PEOPLE = [number(at) for at in range(30)]
ONE = identity.parse(PEOPLE[7])


@pytest.fixture(scope="module")
def imported(tmp_path_factory):
    """Vehicles and deposits of the same people."""
    folder = tmp_path_factory.mktemp("imported")
    node = make_node(folder / "44", LIMITS)
    for item in ("C21", "C23"):
        importer.import_item(node, item, [write_register(folder / f"{item}.csv", item)])
    node.store.dispose()
    return node


@pytest.fixture
def home(imported, tmp_path):
    node, store = with_key_store(copied(imported, tmp_path / "44", LIMITS))
    know_peer(node)
    yield node, store
    node.store.dispose()


def write_register(path, item):
    column, value = ("record_no", "a{}") if item == "C21" else ("amount_yuan", "60000")
    rows = [f"{person},{value.format(at)}" for at, person in enumerate(PEOPLE)]
    path.write_text("\n".join([f"id_no,{column}", *rows]) + "\n", encoding="utf-8")
    return path


def start(token_class, *items):
    return EvaluateStart(
        1, 1, bytes(32), secrets.token_bytes(16), 1, 0, items, "review", "SA-2026-46", bytes(32), token_class
    )


def evaluate(node, token_class, *items):
    """The token of a person, as a requester gets it by an evaluation."""
    scalar = CURRENT.cohort_blind(secrets.token_bytes(32))
    asked = replace(start(token_class, *items), manifest_digest=issued(node))
    query = match.Evaluation(node, PEER, asked, "node")
    answer = query.answer(0, oprf.blind(scalar, tokens.map_to_curve(node.keys.salt, ONE)))
    return oprf.finalize(scalar, answer)


def tag_of(token, item, epoch=1):
    return tokens.entry_keys(tokens.token_secret(token), item, epoch)[0]


def test_a_token_of_one_class_does_not_open_the_entry_of_the_other(home):
    node, _ = home
    held = {item: set().union(*Held(node, item).tags.values()) for item in ("C21", "C23")}
    ordinary = evaluate(node, TokenClass.ORDINARY, "C21")
    sensitive = evaluate(node, TokenClass.SENSITIVE, "C23")
    assert [tag_of(ordinary, item) in held[item] for item in ("C21", "C23")] == [True, False]
    assert [tag_of(sensitive, item) in held[item] for item in ("C21", "C23")] == [False, True]


def test_entries_of_each_class_open_under_the_key_of_the_class(home):
    node, _ = home
    for item in ("C21", "C23"):
        opened = Held(node, item).open(ONE)
        assert opened is not None
        assert opened[0].value == 1


@pytest.mark.parametrize(
    ("token_class", "items"),
    [
        (TokenClass.ORDINARY, ("C23",)),
        (TokenClass.ORDINARY, ("C21", "C23")),
        (TokenClass.SENSITIVE, ("C21",)),
        (TokenClass.SENSITIVE, ("C23", "C21")),
    ],
)
def test_a_query_that_names_an_item_of_the_other_class_is_refused(home, token_class, items):
    node, _ = home
    with pytest.raises(RefusedError) as refused:
        match.Evaluation(node, PEER, start(token_class, *items), "node")
    assert refused.value.details == {"rule": "item_class"}
    assert "C2" not in str(refused.value) + refused.value.hint
    with node.store.transaction("look") as tx:
        assert not [event for event in audit_log.events(tx) if event.event == "query_answered"]


def test_the_audit_chain_says_the_class(home):
    node, _ = home
    evaluate(node, TokenClass.SENSITIVE, "C23")
    with node.store.transaction("look") as tx:
        details = [json.loads(e.details) for e in audit_log.events(tx) if e.event == "query_answered"]
    assert [(one["class"], one["items"]) for one in details] == [("sensitive", ["C23"])]


def test_each_class_has_its_own_canaries(home):
    node, _ = home
    offered = parse_manifest(manifest.offer_manifest(node, PEER, (SUITE,)).serialised)
    for item, token_class in (("C21", TokenClass.ORDINARY), ("C23", TokenClass.SENSITIVE)):
        expected = oprf.evaluate_own(class_key(node, item), tokens.canary_points())
        assert offered.canaries[token_class] == expected
    assert len(set(offered.canaries.values())) == len(TokenClass)


def test_a_rotation_keeps_the_classes_apart(home):
    node, store = home
    before = {item: [Held(node, item).open(identity.parse(one)) for one in PEOPLE] for item in ("C21", "C23")}
    driver.rotate(OPRF, node, store, POLICY)
    for item in ("C21", "C23"):
        held = Held(node, item)
        after = [held.open(identity.parse(one)) for one in PEOPLE]
        assert [one[0] for one in after] == [one[0] for one in before[item]]
        other = TokenClass.SENSITIVE if item == "C21" else TokenClass.ORDINARY
        key = CURRENT.class_key(node.keys.oprf, other)
        token = oprf.evaluate_own(key, tokens.map_to_curve(node.keys.salt, ONE))
        assert tag_of(token, item, 2) not in set().union(*held.tags.values())


def reclassified(node):
    """The same node after a new catalogue has made vehicles sensitive."""
    items = tuple(
        replace(item, sensitivity="SF") if item.code == "C21" else item for item in node.catalogue.items
    )
    return replace(node, catalogue=replace(node.catalogue, items=items))


def test_an_item_whose_class_changed_is_not_offered_until_a_full_import(home, tmp_path):
    node, store = home
    changed = reclassified(node)
    offered = parse_manifest(manifest.offer_manifest(changed, PEER, (SUITE,)).serialised)
    assert (offered.items, {part.item for part in offered.partitions}) == (("C23",), {"C23"})
    register = write_register(tmp_path / "again.csv", "C21")
    for mode in ("upsert", "delete"):
        with pytest.raises(PreconditionError, match="sensitive since the last full import"):
            importer.import_item(changed, "C21", [register], mode=mode)
    driver.rotate(OPRF, changed, store, POLICY)  # under the class that it was imported with
    assert Held(node, "C21").open(ONE) is not None
    importer.import_item(changed, "C21", [register])
    assert Held(changed, "C21").open(ONE) is not None
    offered = parse_manifest(manifest.offer_manifest(changed, PEER, (SUITE,)).serialised)
    assert offered.items == ("C21", "C23")


# ---- grants


def asks(granted):
    return replace(PEER, grants=read_grants(granted))


def test_a_manifest_shows_a_peer_only_what_it_is_granted(home):
    node, _ = home

    def shown(*granted):
        offered = parse_manifest(manifest.offer_manifest(node, asks(granted), (SUITE,)).serialised)
        assert offered.items == ("C21", "C23")  # that they are held is no secret
        return {(part.item, part.origin) for part in offered.partitions}

    assert shown() == set()
    assert shown("44") == {("C21", "44")}
    assert shown("C23:44") == {("C23", "44")}
    assert shown("44", "C23:45") == {("C21", "44"), ("C23", "45")}
    assert shown("C21:00", "C23:44", "53") == {("C21", "00"), ("C23", "44"), ("C21", "53")}


@pytest.mark.parametrize(
    ("granted", "token_class", "items"),
    [
        ((), TokenClass.ORDINARY, ("C21",)),
        (("44",), TokenClass.SENSITIVE, ("C23",)),
        (("C23:44",), TokenClass.ORDINARY, ("C21",)),
        (("Z59b:44",), TokenClass.ORDINARY, ("Z59b", "C21")),
        (("44", "D34:45"), TokenClass.SENSITIVE, ("C23",)),
    ],
)
def test_a_query_for_an_item_that_is_not_granted_is_refused_at_its_start(home, granted, token_class, items):
    node, _ = home
    with pytest.raises(RefusedError) as refused:
        match.Evaluation(node, asks(granted), start(token_class, *items), "node")
    assert refused.value.details == {"rule": "item_not_granted"}
    assert not any(code in str(refused.value) + refused.value.hint for code in items)
    with node.store.transaction("look") as tx:
        assert not [event for event in audit_log.events(tx) if event.event == "query_answered"]


@pytest.mark.parametrize(
    ("granted", "item", "origin", "rule"),
    [
        (("44",), "C23", "44", "item_not_granted"),
        (("44", "C23:45"), "C23", "44", "origin_not_granted"),
        (("C23:44",), "C21", "44", "item_not_granted"),
        (("45", "C23:44"), "C21", "44", "origin_not_granted"),
    ],
)
def test_nothing_of_a_partition_that_is_not_granted_is_served(home, granted, item, origin, rule):
    node, _ = home
    part = Held(node, item).partitions[origin]
    query = start_of(node, token_class=node.catalogue.item(item).token_class)
    ask(node, query, POINTS)
    buckets = BucketRequest(1, query.query_id, item, origin, part.version, tuple(range(1 << part.bits)))
    whole = PartitionRequest(1, item, origin, part.version)
    delta = DeltaRequest(1, item, origin, part.version, part.root, part.version)
    for serve, request in (
        (lambda *asked: list(match.serve_buckets(*asked)), buckets),
        (lambda *asked: list(mirrors.serve_partition(*asked)[1]), whole),
        (lambda *asked: mirrors.serve_delta(*asked), delta),
    ):
        with pytest.raises(RefusedError) as refused:
            serve(node, asks(granted), request)
        assert refused.value.details == {"rule": rule}
        assert serve(node, PEER, request)
