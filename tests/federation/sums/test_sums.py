"""Sums between two real nodes over mutual TLS, beside the plain sums of the registers."""

import random
import sqlite3
from contextlib import closing
from dataclasses import replace
from statistics import pvariance

import pytest

from matcher import identity, oprf
from matcher.sums import paillier
from node.client.peer import Peer
from node.errors import DishonestPeerError, InvalidRequestError, LimitError, ManifestUnknownError
from node.registers import importer
from node.requester import trusted_manifest
from node.transport.peer_client import PeerClient
from node.wire.sum_messages import SumAnswer
from tests.support.cluster import Province, know, open_home
from tests.support.federation import Federation, allow_sums


def number(order: int, area: str = "459999") -> str:
    body = f"{area}1985{1 + order // 1000 % 12:02}{1 + order // 12000 % 28:02}{order % 1000:03}"
    return body + identity.check_digit(body)


DRAW = random.Random(5)
PEOPLE = [number(at) for at in range(700)]
WAGES = {person: DRAW.randrange(0, 15_000_000) for person in PEOPLE[:600]}
COSTS = {person: DRAW.randrange(0, 6_000_000) for person in PEOPLE[100:550]}
COHORT = [frozenset({identity.parse(person)}) for person in PEOPLE[400:]]
CAP, SCALE = 5_000_000, 3  # of D35: what one person counts for, and the noise of a count
LAW = "SA-2026-41"
OTHER = oprf.clamp(bytes(range(32)))


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """The homes of a requester and of a responder that serves."""
    folder = tmp_path_factory.mktemp("sums")
    federation = Federation.create()
    homes = {code: federation.make_home(folder / code, code) for code in ("45", "44")}
    allow_sums(homes.values())
    node = open_home(homes["44"])
    for item, rows in (("B11", WAGES), ("D35", COSTS)):
        path = folder / f"{item}.csv"
        path.write_text(
            "id_no,amount_fen\n" + "\n".join(f"{k},{v}" for k, v in rows.items()), encoding="utf-8"
        )
        importer.import_item(node, item, [path], workers=0)
    know(node, homes["45"], 0, ("45", "D35:45"))
    node.store.dispose()
    served = Province(homes["44"]).start()
    own = open_home(homes["45"])
    know(own, homes["44"], served.port)
    own.store.dispose()
    yield homes["45"]
    served.stop()


@pytest.fixture
def peer(pair):
    """The responder's privacy budgets are whole, and neither side knows of an earlier sum."""
    for code, table in (("44", "sum_queries"), ("45", "sum_exposures")):
        with closing(sqlite3.connect(pair.parent / code / "heqiao.db", timeout=30)) as base, base:
            base.execute(f"DELETE FROM {table}")
    with Peer.open(pair, "44") as opened:
        yield opened


def plain(rows):
    asked = set(PEOPLE[400:])
    found = [fen for person, fen in rows.items() if person in asked]
    return len(found), sum(found), pvariance(found)


def test_sums_are_the_plain_sums_and_a_second_time_they_are_held_back(peer):
    wages, costs, months = peer.sum(COHORT, ("B11", "D35", "D32m"), LAW)
    count, total, variance = plain(WAGES)
    got = wages.answer
    assert (got.rule, got.mode, got.count, got.total) == ("", "exact", count, total)
    assert abs(got.variance - variance) <= 1
    count, total, _ = plain({person: min(fen, CAP) for person, fen in COSTS.items()})
    noisy = costs.answer
    assert (noisy.rule, noisy.mode, noisy.variance, noisy.epsilon) == ("", "dp", None, 1.0)
    assert abs(noisy.count - count) < 16 * SCALE
    assert 0 < abs(noisy.total - total) < 16 * SCALE * CAP
    assert all(one.asked == 300 and one.as_of is not None for one in (wages, costs))
    assert months.answer == SumAnswer("D32m", rule="not_connected")
    again = peer.sum(COHORT, ("B11",), LAW)
    assert again[0].answer == SumAnswer("B11", rule="differencing")


def test_too_few_and_nobody(peer):
    few = [frozenset({identity.parse(person)}) for person in PEOPLE[:5]]
    nobody = [frozenset({identity.parse(number(at, "119999"))}) for at in range(20)]
    assert peer.sum(few, ("D35", "B11"), LAW)[1].answer.rule == "min_opened"
    (found,) = peer.sum(nobody, ("B11",), LAW)
    assert (found.answer.rule, found.as_of) == ("min_opened", None)


def test_what_cannot_be_asked(peer):
    with pytest.raises(InvalidRequestError, match="C21 is not an item"):
        peer.sum(COHORT, ("C21",), LAW)
    with pytest.raises(InvalidRequestError, match="malformed"):
        peer.sum(COHORT, ("B11",), "")


def test_a_broken_stream_of_rows_goes_on(peer, monkeypatch):
    """The same rows are fetched from where the stream broke; the query is charged once."""
    real, broken = PeerClient.fetch_rows, []

    def breaking(self, asked, size):
        for part in real(self, asked, size):
            cut = replace(part, points=part.points[: 32 * 200], ciphertexts=part.ciphertexts[: size * 200])
            yield cut
            if len(part.points) > 32 * 200:
                broken.append(asked.first_row)
                return

    monkeypatch.setattr(PeerClient, "fetch_rows", breaking)
    monkeypatch.setattr("tenacity.nap.time.sleep", lambda _: None)
    (found,) = peer.sum(COHORT[:150], ("B11",), LAW)
    assert (found.answer.rule, found.answer.count) == ("", 150)
    assert broken


@pytest.mark.parametrize("times", [1, 2])
def test_a_peer_that_has_forgotten_its_manifest_is_asked_anew_once(peer, pair, monkeypatch, times):
    real, sent = PeerClient.evaluate_cohort, []

    def forgotten(self, start, chunks):
        if len(sent) < times:
            with closing(sqlite3.connect(pair.parent / "44/heqiao.db", timeout=30)) as base, base:
                base.execute("DELETE FROM manifests")
        sent.append(start.query_id)
        return real(self, start, chunks)

    monkeypatch.setattr(PeerClient, "evaluate_cohort", forgotten)
    if times == 1:
        (found,) = peer.sum(COHORT[:170], ("B11",), LAW)
        assert (found.answer.rule, found.answer.count) == ("", 170)
    else:
        with pytest.raises(ManifestUnknownError):
            peer.sum(COHORT[:190], ("B11",), LAW)
    assert len(set(sent)) == 2


def test_a_peer_that_was_restored_from_before_the_query_is_asked_anew(peer, pair, monkeypatch):
    """Its database is from a backup, so it has forgotten the query, and refuses the rows of it."""
    real, forgotten = PeerClient.fetch_rows, []

    def forgetting(self, asked, size):
        if not forgotten:
            with closing(sqlite3.connect(pair.parent / "44" / "heqiao.db", timeout=30)) as base, base:
                forgotten.append(base.execute("DELETE FROM sum_queries WHERE item = 'B11'").rowcount)
        yield from real(self, asked, size)

    monkeypatch.setattr(PeerClient, "fetch_rows", forgetting)
    (found,) = peer.sum(COHORT[:100], ("B11",), LAW)
    assert (found.answer.rule, found.answer.count) == ("", 100)
    assert forgotten == [1]


@pytest.mark.parametrize(
    ("name", "change", "check"),
    [
        ("evaluate_cohort", lambda _, answer: (answer[0], oprf.evaluate_own(OTHER, answer[1])), "canary"),
        ("evaluate_cohort", lambda _, answer: (answer[0], bytes(len(answer[1]))), "point"),
        ("evaluate_cohort", lambda _, answer: (answer[0] + 1, answer[1]), "sequence"),
        ("fetch_rows", lambda _, part: replace(part, first_row=7), "rows_order"),
        ("fetch_rows", lambda _, part: replace(part, points=part.points[:32] * 450), "rows_digest"),
        ("fetch_rows", lambda _, part: replace(part, ciphertexts=bytes(len(part.ciphertexts))), "ciphertext"),
    ],
)
def test_a_peer_that_cheats_is_found_out(peer, monkeypatch, name, change, check):
    real = getattr(PeerClient, name)
    monkeypatch.setattr(PeerClient, name, lambda *given: (change(given, part) for part in real(*given)))
    with pytest.raises(DishonestPeerError) as refused:
        peer.sum(COHORT[:40], ("D35",), LAW)
    assert refused.value.details["check"] == check


def test_rows_of_another_key_are_refused(peer, monkeypatch):
    """Of the same length and well formed; whichever check sees them first, nothing is sent back."""
    other = paillier.generate(3072).public
    foreign = paillier.to_bytes(other, paillier.encrypt(other, 5))
    real, opened = PeerClient.fetch_rows, []

    def replaced(*given):
        for part in real(*given):
            yield replace(part, ciphertexts=foreign * (len(part.ciphertexts) // len(foreign)))

    monkeypatch.setattr(PeerClient, "fetch_rows", replaced)
    monkeypatch.setattr(PeerClient, "open_sums", lambda *given: opened.append(given))
    with pytest.raises(DishonestPeerError) as refused:
        peer.sum(COHORT[:40], ("D35",), LAW)
    assert refused.value.details["check"] in ("ciphertext", "rows_digest")
    assert not opened


def test_a_modulus_without_its_proof_is_refused(peer, monkeypatch):
    real = trusted_manifest.sum_offer

    def forged(manifest):
        offer = real(manifest)
        return replace(offer, proof=bytes(len(offer.proof)))

    monkeypatch.setattr(trusted_manifest, "sum_offer", forged)
    with pytest.raises(DishonestPeerError) as refused:
        peer.sum(COHORT, ("B11",), LAW)
    assert refused.value.details["check"] == "modulus_proof"


def test_the_privacy_budget_of_thirty_days_ends(peer):
    def ask_on():
        for _ in range(40):
            peer.sum(COHORT[:12], ("D35",), LAW)

    with pytest.raises(LimitError) as refused:
        ask_on()
    assert refused.value.details["rule"] == "privacy_budget"
