"""The report of a job against its answers and refusals, one subject after another."""

import random
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from matcher import Identity, identity
from node.context import Node
from node.database import jobs as job_rows
from node.database import peers as peer_rows
from node.domain.days import FIRST_DAY
from node.domain.findings import Finding, Outcome
from node.domain.peers import PeerRow
from node.domain.refusals import pack_refusals
from node.domain.subjects import Subject
from node.domain.verification import Verification
from node.errors import InvalidRequestError, PreconditionError
from node.jobs import engine
from node.jobs.match_results import build_report
from node.requester.checkpoint import pack_answers
from node.requester.match_query import Answer, ask_question
from tests.support.examples import mandate_for
from tests.support.single_node import NOW, make_node

JOB, DAY = "j", date(2026, 1, 1)
ITEMS = ("C21", "D34", "C23")
PEERS = ("33", "44", "51", "52", "53")
ANSWERS = (
    Answer(Outcome.NOT_FOUND),
    Answer(Outcome.FOUND, 2**63, 20_000),
    Answer(Outcome.FOUND, 1, 0),
    Answer(Outcome.STALE, 0, 18_000),
    Answer(Outcome.REFUSED, reason="origin_not_granted"),
    Answer(Outcome.NAME_MISMATCH),
)


def person(at: int) -> Subject:
    body = f"44999919900101{at:03d}"
    number = Identity("resident", body + identity.check_digit(body))
    return Subject(f"h/{at}", "h", "", (number,), ("all", "one", "old", "none", "")[at % 5])


LISTED = tuple(map(person, range(1, 41)))
SCOPES = {
    "all": {},
    "one": {"items": frozenset({"C21"}), "regions": frozenset({"44"})},
    "old": {"valid_from": DAY, "valid_to": DAY, "event": ""},
}
MANDATES = {
    name: mandate_for(*(one.identities[0].value for one in LISTED), number=name, **scope)
    for name, scope in SCOPES.items()
}
ASKED = Verification(ITEMS, PEERS, "review", "SA-2026-41", LISTED, MANDATES)
# Per peer: state and reason of its part, the items it has answered, whether it ran at all.
PARTS = {
    "33": ("done", "", ITEMS, True),
    "44": ("unavailable", "internal", ("D34",), True),
    "51": ("refused", "grant", (), True),
    "52": ("distrusted", "dishonest:canary", ("C21",), True),
    "53": ("cancelled", "", (), False),
}
GAPS = {
    "44": Outcome.UNAVAILABLE,
    "51": Outcome.REFUSED,
    "52": Outcome.UNAVAILABLE,
    "53": Outcome.UNAVAILABLE,
}


@pytest.fixture
def node(tmp_path: Path) -> Node:
    found = make_node(tmp_path / "44")
    with found.store.transaction("peers") as tx:
        for code in PEERS:
            row = PeerRow(code, f"name of {code}", "127.0.0.1:1", bytes(32), False, ())
            peer_rows.put_peer(tx, row, NOW)
    assert engine.submit(found, JOB, ASKED)
    return found


def run_parts(node: Node) -> dict[tuple[str, str], list[Answer]]:
    """Leave what parts leave; the answers by peer and item."""
    drawn = random.Random(7)
    kept: dict[tuple[str, str], list[Answer]] = {}
    with node.store.transaction("run") as tx:
        for peer, (state, reason, items, ran) in PARTS.items():
            values: dict[str, object] = {"state": state, "reason": reason}
            if ran:
                question = ask_question(node, ASKED, peer, NOW.date())
                packed = pack_refusals(question.uncovered)
                values["refusals_sealed"] = node.keys.vault.seal(f"part {JOB} {peer} refusals", packed)
            job_rows.update_part(tx, JOB, peer, values)
            for item in items:
                kept[peer, item] = drawn.choices(ANSWERS, k=len(ASKED.subjects))
                sealed = node.keys.vault.seal(f"answers {JOB} {peer} {item}", pack_answers(kept[peer, item]))
                job_rows.add_answers(tx, JOB, peer, item, sealed)
        job_rows.set_job_state(tx, JOB, "done", NOW)
    return kept


def expected(node: Node, kept: dict[tuple[str, str], list[Answer]]) -> list[Finding]:
    """One finding after another."""
    found = []
    for peer, (state, reason, _, ran) in PARTS.items():
        uncovered = ask_question(node, ASKED, peer, NOW.date()).uncovered
        for item in ITEMS:
            for at, subject in enumerate(ASKED.subjects):
                if (peer, item) in kept and state != "distrusted":
                    answer = kept[peer, item][at]
                elif ran and item in uncovered[at]:
                    answer = Answer(Outcome.NOT_MANDATED, reason=uncovered[at][item])
                else:
                    answer = Answer(GAPS[peer], reason=reason or state)
                day = None if answer.as_of is None else FIRST_DAY + timedelta(days=answer.as_of)
                said = (answer.outcome, answer.value, day, answer.reason)
                found.append(Finding(subject.ref, item, peer, *said))
    return found


def test_every_finding_is_that_of_its_subject_item_and_peer(node: Node) -> None:
    with pytest.raises(PreconditionError, match="not ended"):
        build_report(node, JOB)
    kept = run_parts(node)
    report = build_report(node, JOB)
    assert report.subjects == tuple(one.ref for one in ASKED.subjects)
    assert list(report.findings) == expected(node, kept)
    assert {one.reason for one in report.findings if one.outcome is Outcome.NOT_MANDATED} == {
        "no_mandate", "expired", "item_not_covered", "region_not_covered",
    }  # fmt: skip


def test_a_reference_twice_is_refused(node: Node) -> None:
    with pytest.raises(InvalidRequestError, match="reference is given twice"):
        engine.submit(node, "k", replace(ASKED, subjects=(*ASKED.subjects, person(1))))
