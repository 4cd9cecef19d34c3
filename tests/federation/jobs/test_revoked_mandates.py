"""Attack P1 and its like: a mandate that lacks something, that names others, that was revoked meanwhile."""

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from matcher import Identity
from node.client.platform import Platform
from node.database import audit_log
from node.domain.mandate import Mandate
from node.domain.subjects import Subject
from node.domain.verification import Verification
from node.errors import InvalidRequestError
from node.jobs import engine, mandates
from tests.support.cli_runner import ok
from tests.support.cluster import Province, World, findings_of, run_job, serve_all, wait_report
from tests.support.examples import mandate_for
from tests.support.single_node import number

PEOPLE = {name: number(place, "459999") for place, name in enumerate(("a", "b", "c"), 1)}


@pytest.fixture(scope="module")
def node(small: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Province]:
    homes = small.copy(tmp_path_factory.mktemp("mandates"), "45", "44")
    with serve_all(homes) as provinces:
        yield provinces["45"]


def subject(name: str, mandate: str, *more: str) -> Subject:
    numbers = (PEOPLE[name], *more)
    return Subject(name, name, "", tuple(Identity("resident", one) for one in numbers), mandate)


def asked(subjects: list[Subject], *known: Mandate) -> Verification:
    by_number = {one.number: one for one in known}
    return Verification(("C21", "Z59b"), ("44",), "review", "SA-2026-41", tuple(subjects), by_number)


def said(report) -> dict[str, set[tuple[str, str]]]:
    found: dict[str, set[tuple[str, str]]] = {}
    for (ref, _, _), (outcome, _, reason) in findings_of(report).items():
        found.setdefault(ref, set()).add((outcome, reason))
    return found


NOT_FOUND = {("NOT_FOUND", "")}
REVOKED = {("NOT_MANDATED", "revoked")}


def test_nobody_is_asked_about_under_the_mandate_of_others(node: Province) -> None:
    """A number that the mandate does not name, also as one more number of a person whom it names."""
    stranger = asked(
        [subject("a", "M"), subject("b", "M"), subject("c", "N", PEOPLE["b"])],
        mandate_for(PEOPLE["a"]),
        mandate_for(PEOPLE["c"], number="N"),
    )
    unnamed = {("NOT_MANDATED", "person_not_named")}
    assert said(run_job(node, "strangers", stranger)) == {"a": NOT_FOUND, "b": unnamed, "c": unnamed}


LACKS = {
    "signer": {"signers": ()},
    "office": {"office": ""},
    "digest of the signed form": {"doc_hash": ""},
    "person that it is for": {"people": frozenset()},
    "last day, or event": {"event": ""},
}


@pytest.mark.parametrize("what", LACKS)
def test_a_mandate_without_it_is_not_accepted(node: Province, what: str) -> None:
    """The row and what is missing, and no job."""
    good = mandate_for(PEOPLE["a"])
    bad = replace(mandate_for(PEOPLE["b"], number="N"), **LACKS[what])
    with (
        Platform.open(node.home, f"127.0.0.1:{node.platform_port}") as platform,
        pytest.raises(InvalidRequestError, match=f"mandate 2 of the submission has no {what}") as refused,
    ):
        platform.submit(asked([subject("a", "M")], good, bad), "lacks")
    assert "459999" not in f"{refused.value} {refused.value.hint}"
    with Platform.open(node.home, f"127.0.0.1:{node.platform_port}") as platform:
        assert "lacks" not in {job.job_id for job in platform.jobs().jobs}


def events(node: Province) -> list[dict[str, object]]:
    with node.node.store.transaction("read audit") as tx:
        return [json.loads(one.details) for one in audit_log.events(tx) if one.event == "mandates_revoked"]


def test_who_was_revoked_after_the_submission_is_not_asked_about(node: Province) -> None:
    every = [mandate_for(PEOPLE[name], number=f"R-{name}") for name in PEOPLE]
    request = asked([subject(name, f"R-{name}") for name in PEOPLE], *every)
    assert engine.submit(node.node, "waits", request)
    with Platform.open(node.home, f"127.0.0.1:{node.platform_port}") as platform:
        assert platform.revoke_mandates(["R-b"]) == 1
    command = ("mandates", "revoke", "--home", str(node.home), "--node", f"127.0.0.1:{node.platform_port}")
    assert ok(*command, "r-b", "Ｒ-c") == "1 mandate revoked, 1 already revoked before\n"
    node.server.start_job("waits")
    assert said(wait_report(node.node, "waits")) == {"a": NOT_FOUND, "b": REVOKED, "c": REVOKED}
    assert said(run_job(node, "later", request)) == {"a": NOT_FOUND, "b": REVOKED, "c": REVOKED}
    assert events(node) == [
        {"owner": "node", "mandates": 1, "new": 1, "ended": 0, "reason": "withdrawn"},
        {"owner": "node", "mandates": 2, "new": 1, "ended": 0, "reason": "withdrawn"},
    ]


def test_a_platform_revokes_for_its_own_jobs(node: Province) -> None:
    """No platform can stop what another one asks."""
    request = asked([subject("a", "P")], mandate_for(PEOPLE["a"], number="P"))
    mandates.revoke(node.node, ["P"], "platform/intake")
    for owner, due in (("platform/intake", REVOKED), ("platform/other", NOT_FOUND)):
        job = owner.replace("/", "-")
        assert engine.submit(node.node, job, request, owner)
        node.server.start_job(job)
        assert said(wait_report(node.node, job)) == {"a": due}
