"""Peers that are away, clocks, parts asked again, peers chosen by their manifests, earlier answers."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from node.cli.asking import describe_choice
from node.client.platform import Platform
from node.database import jobs as job_rows
from node.database import peers as peer_rows
from node.domain.findings import Outcome, Report
from node.domain.job_access import platform_access
from node.domain.jobs import PartRow
from node.domain.verification import Verification
from node.errors import InvalidRequestError, NotFoundError, PreconditionError
from node.jobs import deadlines, engine, mandates
from node.jobs.lookup import require_job
from node.jobs.match_results import build_report
from node.jobs.retry import retry_part
from node.reports.kinds import to_short_json
from tests.support.cli_runner import ok
from tests.support.cluster import (
    FakeClock,
    Province,
    World,
    free_port,
    know,
    move_peer,
    part_of,
    read_verification,
    run_job,
    serve_all,
    wait_for,
    wait_report,
)
from tests.support.federation import set_config, without_holidays

ITEMS = ("C21", "Z59b")


@pytest.fixture(scope="module")
def clock() -> FakeClock:
    """From a Monday on."""
    now = datetime.now(UTC)
    return FakeClock((now + timedelta(days=7 - now.weekday())).replace(hour=4, minute=0))


@pytest.fixture(scope="module")
def provinces(small: World, clock: FakeClock, tmp_path_factory) -> Iterator[dict[str, Province]]:
    folder = tmp_path_factory.mktemp("deadlines")
    homes = small.copy(folder)
    without_holidays(homes["45"], clock.now.year)
    set_config(homes["45"], "deadlines", retry_min_s=300, retry_max_s=7_200)
    set_config(homes["45"], "requester", retry_attempts=1, retry_wait_s=0.05, retry_wait_max_s=0.2)
    with serve_all(homes, clock) as served:
        yield served


@pytest.fixture(scope="module")
def people(small: World) -> Verification:
    """People with a mandate, some of whom have a record."""
    return read_verification(small.data, ITEMS, ("44", "33"), most=40)


def part(province: Province, job: str, peer: str) -> PartRow:
    with province.node.store.transaction("look") as tx:
        return next(one for one in job_rows.list_parts(tx, job) if one.peer == peer)


def outcomes(report: Report, peer: str) -> set[tuple[str, str]]:
    found = {(one.outcome.value, one.reason) for one in report.findings if one.peer == peer}
    return {one for one in found if one[0] != "NOT_MANDATED"}


def platform(province: Province) -> Platform:
    return Platform.open(province.home, f"127.0.0.1:{province.platform_port}")


def command(province: Province, *words: str) -> str:
    return ok(
        *words[:2], "--home", str(province.home), "--node", f"127.0.0.1:{province.platform_port}", *words[2:]
    )


def test_a_peer_that_is_away_for_weeks(provinces, clock: FakeClock, people: Verification) -> None:
    """Waits, is shown as not answered, is warned of, is due, is closed; then it is asked again alone."""
    home = provinces["45"]
    real = provinces["33"].port
    move_peer(home.node, "33", free_port())
    began = clock.now
    assert engine.submit(home.node, "weeks", people)
    home.server.start_job("weeks")
    wait_for(lambda: part(home, "weeks", "33").state == "waiting", 120, "33 does not wait")
    wait_for(lambda: part(home, "weeks", "44").state == "done", 120, "44 does not answer")
    assert part(home, "weeks", "33").is_away
    interim = build_report(home.node, "weeks")
    assert (interim.state, interim.finished_at) == ("running", None)
    assert outcomes(interim, "33") == {("UNAVAILABLE", "awaited")}
    assert {"FOUND", "NOT_FOUND"} <= {outcome for outcome, _ in outcomes(interim, "44")}
    with pytest.raises(PreconditionError, match="part of 33 is waiting"):
        retry_part(home.node, "weeks", "33")

    home.stop()  # a restart: what waits, waits on
    home.start()
    clock.now = began  # working days without holidays from here on
    assert deadlines.watch_deadlines(home.node) == (0, 0)
    clock.advance(days=3)
    assert deadlines.watch_deadlines(home.node) == (1, 0)
    assert deadlines.watch_deadlines(home.node) == (0, 0)
    assert part(home, "weeks", "33").warned_at == clock.now
    shown = json.loads(command(home, "jobs", "deadlines", "--json"))
    assert [(one["job_id"], one["peer"], one["stage"]) for one in shown["deadlines"]] == [
        ("weeks", "33", "warned")
    ]
    assert "33:waiting!" in command(home, "jobs", "list")
    home.server.start_job("weeks")  # it is still away: the wait grows
    longest = clock.now + timedelta(hours=2)
    wait_for(lambda: part(home, "weeks", "33").retry_at == longest, 120, "it is not tried, or does not wait")
    clock.advance(days=4)
    with platform(home) as own:
        assert [one.stage for one in own.deadlines()[0]] == ["due"]
    clock.advance(days=7)
    home.server.start_job("weeks")
    report = wait_report(home.node, "weeks")
    assert part_of(report, "33") == ("overdue", "due_date_passed")
    assert outcomes(report, "33") == {("OVERDUE", "due_date_passed")}
    assert part_of(report, "44") == ("done", "")

    move_peer(home.node, "33", real)
    before = {one for one in report.findings if one.peer == "44"}
    with platform(home) as own:
        own.retry("weeks", "33")
        *_, last = own.watch("weeks")
        again = own.report("weeks")
    assert last.state == "done"
    (attempt,) = next(one for one in again.peers if one.peer == "33").attempts
    assert (attempt.state, attempt.reason, attempt.asked_at) == ("overdue", "due_date_passed", began)
    assert {"FOUND", "NOT_FOUND"} <= {outcome for outcome, _ in outcomes(again, "33")}
    assert {one for one in again.findings if one.peer == "44"} == before
    times = json.loads(ok("peers", "show", "--home", str(home.home), "33", "--json"))["times"]
    assert (times["attempts"], times["answered"], times["overdue"]) == (2, 1, 1)
    assert "overdue" in command(home, "jobs", "show", "weeks")


def test_what_cannot_be_asked_again(provinces, people: Verification) -> None:
    home = provinces["45"]
    run_job(home, "whole", replace(people, peers=("44",)))
    with pytest.raises(PreconditionError, match="part of 44 is done"):
        retry_part(home.node, "whole", "44")
    with pytest.raises(NotFoundError, match="does not ask 51"):
        retry_part(home.node, "whole", "51")
    with pytest.raises(NotFoundError):  # of another owner
        retry_part(home.node, "whole", "44", platform_access("intake", {}))


def test_all_peers_that_offer_an_item_and_grant_it(
    provinces, clock: FakeClock, small: World, people: Verification
) -> None:
    """33 grants nothing, 51 is away: it is asked, and waits. The first digits of numbers decide nothing."""
    home = provinces["45"]
    clock.advance(hours=25)  # mirrors are fresh for a day
    granted = _set_grants(provinces["33"], ())
    know(home.node, small.folder / "33", free_port(), code="51")
    try:
        assert engine.submit(home.node, "auto", replace(people, peers=("auto",)))
        home.server.start_job("auto")
        wait_for(
            lambda: _parts(home, "auto") == {"44": "done", "51": "waiting"}, 120, "other peers are asked"
        )
        with platform(home) as own:
            found = next(iter(own.watch("auto")))
            report = own.report("auto")
        assert [(one.peer, one.reason) for one in found.left_out] == [("33", "not_granted")]
        assert "44 " in describe_choice(found)
        assert "51 " in describe_choice(found)
        assert describe_choice(found).endswith("left out: 33 not_granted")
        assert to_short_json(report, home.node.catalogue)["left_out"] == {"33": "not_granted"}
        assert dict(report.left_out) == {"33": "not_granted"}
        assert outcomes(report, "51") == {("UNAVAILABLE", "awaited")}
        engine.cancel(home.node, "auto")
        home.server.start_job("auto")
        wait_for(lambda: require_job(home.node, "auto").state == "cancelled", 120, "it is not cancelled")
    finally:
        _set_grants(provinces["33"], granted)
        with home.node.store.transaction("forget", write=True) as tx:
            peer_rows.remove_peer(tx, "51")
    with pytest.raises(InvalidRequestError):
        engine.submit(home.node, "both", replace(people, peers=("auto", "44")))
    assert engine.submit(home.node, "nobody", replace(people, items=("C22",), peers=("auto",)))
    home.server.start_job("nobody")
    wait_for(lambda: require_job(home.node, "nobody").state == "failed", 120, "somebody is asked")
    assert dict(build_report(home.node, "nobody").left_out) == {"33": "not_offered", "44": "not_offered"}


def _parts(province: Province, job: str) -> dict[str, str]:
    with province.node.store.transaction("look") as tx:
        return {one.peer: one.state for one in job_rows.list_parts(tx, job)}


def _set_grants(province: Province, grants):
    with province.node.store.transaction("grant", write=True) as tx:
        before = peer_rows.find_peer(tx, "45").grants
        peer_rows.set_grants(tx, "45", grants)
    return before


def said(report: Report) -> dict[tuple[str, str], tuple[Outcome, int | None, object]]:
    return {(one.subject, one.item): (one.outcome, one.value, one.as_of) for one in report.findings}


def test_earlier_answers_are_used_again_until_the_mandate_is_revoked(
    provinces, clock: FakeClock, people: Verification, tmp_path
) -> None:
    home, asked = provinces["45"], replace(people, peers=("44",), purpose="new_application")
    clock.advance(hours=1)
    first = run_job(home, "first", asked)
    clock.advance(days=1)
    again = replace(asked, reuse=True)
    with platform(home) as own:  # over the wire, both ways
        own.submit(again, "second")
        *_, last = own.watch("second")
        second = own.report("second")
    assert last.state == "done"
    valid = {Outcome.FOUND, Outcome.NOT_FOUND}
    assert said(second) == said(first)
    for one in second.findings:
        used = one.outcome in valid
        assert (one.reused_from is not None) == used, one
    assert {one.reused_from.job for one in second.findings if one.reused_from} == {"first"}
    spent = {peer.peer: peer.points for peer in (*first.peers, *second.peers)}
    assert spent["44"] < first.peers[0].points  # fewer people, or nobody

    # Another purpose, another owner, and without the wish: asked.
    plain = run_job(home, "plain", asked)
    assert not any(one.reused_from for one in plain.findings)
    assert engine.submit(home.node, "theirs", again, "platform/intake")
    home.server.start_job("theirs")
    assert not any(one.reused_from for one in wait_report(home.node, "theirs").findings)

    found = next(one for one in second.findings if one.outcome is Outcome.FOUND)
    subject = next(one for one in asked.subjects if one.ref == found.subject)
    mandates.revoke(home.node, [subject.mandate])
    third = run_job(home, "third", again)
    gone = {one.subject for one in third.findings if one.reason == "revoked"}
    assert subject.ref in gone
    # Signed again under another number: the earlier answer was given under the one that is revoked.
    signed = replace(asked.mandates[subject.mandate], number="AGAIN")
    anew = replace(again, subjects=(replace(subject, mandate="AGAIN"),), mandates={"AGAIN": signed})
    fourth = run_job(home, "fourth", anew)
    assert {one.reused_from for one in fourth.findings} == {None}
    assert said(fourth) == {key: value for key, value in said(first).items() if key[0] == subject.ref}
    # What the fourth job answered under the new mandate is used again, and is shown as such in all forms.
    command(home, "report", "second", "--out", str(tmp_path / "out"), "--format", "text,json,csv,html")
    day = f"{next(one.reused_from.day for one in second.findings if one.reused_from)}"
    for name in ("summary.txt", "report.json", "findings.csv", "report.html"):
        text = (tmp_path / "out" / name).read_text(encoding="utf-8")
        assert day in text or "沿用" in text, name
    fifth = run_job(home, "fifth", anew)
    assert {one.reused_from.job for one in fifth.findings if one.outcome in valid} == {"fourth"}


def test_no_number_is_in_what_is_kept_to_find_people(provinces, people: Verification) -> None:
    with provinces["45"].node.store.transaction("look") as tx:
        rows = tx.exec_driver_sql("SELECT digests FROM answered_people").fetchall()
    kept = b"".join(bytes(row[0]) for row in rows)
    assert kept
    assert not any(one.identities[0].value.encode() in kept for one in people.subjects)
