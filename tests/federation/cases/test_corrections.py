"""A request to correct a record, from the province that asks to the office that answers; attacks on it."""

import json
import secrets
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import grpc
import pytest
from heqiao.peer.v1 import correction_pb2 as pb
from heqiao.peer.v1 import correction_pb2_grpc

from keys import target_name
from matcher.correction import prove
from node.client.cases import Cases
from node.client.platform import Platform
from node.database import corrections as rows
from node.database import partitions
from node.domain.corrections import Basis, Fault, Request, SentCorrection, State
from node.domain.findings import Outcome, Report
from node.domain.job_access import NODE_ACCESS
from node.domain.subjects import Subjects
from node.domain.verification import Verification
from node.errors import NotFoundError, PreconditionError, RefusedError
from node.jobs import mandates, received_corrections, sent_corrections
from node.wire import corrections as wire
from tests.support import cli_runner
from tests.support.calls import fails
from tests.support.cli_runner import ok
from tests.support.cluster import (
    Province,
    World,
    channel,
    query_database,
)

Code = grpc.StatusCode
Stub = correction_pb2_grpc.CorrectionServiceStub
JOB = "seen"


@pytest.fixture
def stub(small: World, provinces: dict[str, Province]) -> Iterator[Stub]:
    """Calls to 44 with the certificate of node 45."""
    with channel(provinces["44"].port, target_name("44"), small.federation.client("45")) as line:
        yield Stub(line)


def send(
    province: Province, subject: str, basis: Basis = Basis.PERSON_REQUEST, *, discloses: bool = True
) -> list[SentCorrection]:
    about = (JOB, subject, "44", "C21", Fault.NOT_MINE, basis, "case-7")
    return sent_corrections.send(province.node, NODE_ACCESS, *about, discloses=discloses)


def sealed_request(province: Province, sent: SentCorrection) -> Request:
    """What was sent, as it is kept."""
    with province.node.store.transaction("look") as tx:
        kept = rows.find_sent(tx, sent.id)
    assert kept is not None
    return sent_corrections._open(province.node, *kept)[0]


def test_from_sending_to_the_answer(
    provinces: dict[str, Province], request_: Verification, found: list[str]
) -> None:
    asking, answering = provinces["45"], provinces["44"]
    (sent,) = send(asking, found[0])
    assert (sent.state, sent.fault, sent.reference) == (State.RECEIVED, Fault.NOT_MINE, "case-7")
    assert sent.received_at is not None
    assert (sent.due_at - sent.received_at).days >= 14  # 10 working days
    with Platform.open(answering.home, f"127.0.0.1:{answering.platform_port}") as platform:
        cases = Cases(platform)
        row = next(one for one in cases.received_corrections(waiting=True) if one.id == sent.id)
        told, value, _ = cases.received_correction(row.number)
        assert (told.peer, told.item, told.reference) == ("45", "C21", "case-7")
        assert value > 0
        people = Subjects.of(request_.subjects)
        everybody = [people.identities(at) for at in range(len(people))]
        assert [people.refs[at] for at in cases.find_person(row.number, everybody)] == [found[0]]
        nobody = [one for one, ref in zip(everybody, people.refs, strict=True) if ref != found[0]]
        assert cases.find_person(row.number, nobody) == []
        cases.answer_correction(row.number, State.CORRECTED, "record_removed")
        with pytest.raises(PreconditionError, match="has an answer already"):
            cases.answer_correction(row.number, State.UPHELD, "record_confirmed")
    (now,) = [one for one in sent_corrections.sync(asking.node) if one.id == sent.id]
    assert (now.state, now.reason) == (State.CORRECTED, "record_removed")
    assert sent_corrections.sync(asking.node) == []


def test_both_sides_keep_a_record_without_the_person(
    provinces: dict[str, Province], found: list[str]
) -> None:
    (sent,) = send(provinces["45"], found[1])
    for code, event in (("45", "correction_sent"), ("44", "correction_received")):
        said = query_database(
            provinces[code].home, "SELECT details FROM audit WHERE event = ? ORDER BY seq", event
        )
        assert sent.id.hex() in str(said[-1][0])
        assert found[1] not in str(said)
    for code, table in (("45", "sent_corrections"), ("44", "received_corrections")):
        kept = query_database(provinces[code].home, f"SELECT content_sealed FROM {table}")
        assert kept
        assert all(found[1].encode() not in bytes(one[0]) for one in kept)  # type: ignore[call-overload]


def test_it_needs_a_word_that_the_person_is_disclosed(
    provinces: dict[str, Province], found: list[str]
) -> None:
    with pytest.raises(PreconditionError, match="shows the other province who the person is"):
        send(provinces["45"], found[0], discloses=False)


def test_nothing_is_corrected_that_was_not_answered(provinces: dict[str, Province], report: Report) -> None:
    absent = next(one.subject for one in report.findings if one.outcome is Outcome.NOT_FOUND)
    with pytest.raises(NotFoundError, match="no record of this person"):
        send(provinces["45"], absent)


def test_under_a_mandate_only_while_it_covers_it(
    provinces: dict[str, Province], request_: Verification, found: list[str]
) -> None:
    people = Subjects.of(request_.subjects)
    assert send(provinces["45"], found[2], Basis.MANDATE)
    mandates.revoke(provinces["45"].node, [people[people.refs.index(found[2])].mandate])
    with pytest.raises(RefusedError, match="mandate does not cover"):
        send(provinces["45"], found[2], Basis.MANDATE)
    assert send(provinces["45"], found[2], Basis.PERSON_REQUEST)


def test_a_peer_that_is_away_gets_it_later(provinces: dict[str, Province], found: list[str]) -> None:
    (sent,) = send(provinces["45"], found[3])
    with provinces["45"].node.store.transaction("forget", write=True) as tx:
        rows.update_sent(tx, sent.id, State.SENT)
    (again,) = [one for one in sent_corrections.sync(provinces["45"].node) if one.id == sent.id]
    assert (again.state, again.received_at) == (State.RECEIVED, sent.received_at)


def test_the_commands_of_both_offices(
    provinces: dict[str, Province], request_: Verification, found: list[str], tmp_path: Path
) -> None:
    asking, answering = (
        ("--home", str(provinces[code].home), "--node", f"127.0.0.1:{provinces[code].platform_port}")
        for code in ("45", "44")
    )
    about = (JOB, "--person", found[10], "--peer", "44", "--item", "C21", "--fault", "outdated")
    about = (*about, "--basis", "person_request", "--reference", "2026-0017")
    refused = cli_runner.fails("corrections", "send", *asking, *about)
    assert "WHO THE PERSON IS" in refused
    assert "nothing was sent" in refused
    (sent,) = json.loads(ok("corrections", "send", *asking, *about, "--disclose-person", "--json"))["sent"]
    assert (sent["state"], sent["fault"], sent["overdue"]) == ("received", "outdated", False)
    listed = json.loads(ok("corrections", "list", *answering, "--received", "--waiting", "--json"))[
        "received"
    ]
    number = next(str(one["number"]) for one in listed if one["id"] == sent["id"])
    assert "2026-0017" in ok("corrections", "show", *answering, number)
    people = Subjects.of(request_.subjects)
    numbers = [people.identities(at)[0].value for at in range(len(people))]
    extract = tmp_path / "extract.csv"
    extract.write_text("id_no\n" + "\n".join(dict.fromkeys(numbers)) + "\n", encoding="utf-8")
    told = json.loads(ok("corrections", "find", *answering, number, "--list", str(extract), "--json"))
    assert [list(dict.fromkeys(numbers))[row - 1] for row in told["rows"]] == [
        numbers[people.refs.index(found[10])]
    ]
    ok("corrections", "answer", *answering, number, "--upheld", "record_confirmed")
    followed = json.loads(ok("corrections", "sync", *asking, "--json"))["sent"]
    assert ("upheld", "record_confirmed") in [(one["state"], one["reason"]) for one in followed]
    assert sent["id"][:8] in ok("corrections", "list", *asking, "--sent")


# ---- attacks


def count_received(provinces: dict[str, Province]) -> int:
    return len(received_corrections.list_received(provinces["44"].node, waiting=False))


def test_attack_a_correction_for_an_entry_that_does_not_exist(
    provinces: dict[str, Province], stub: Stub, found: list[str]
) -> None:
    """A random tag, the tag of somebody that a mirror shows, that of a pad: one and the same refusal."""
    (sent,) = send(provinces["45"], found[4])
    good, before = sealed_request(provinces["45"], sent), count_received(provinces)
    refused = set()
    node = provinces["44"].node
    with node.store.transaction("look") as tx:
        part = partitions.current_partition(tx, "C21", good.origin, good.epoch)
        assert part is not None
        shown = [entry for _, entry in partitions.read_buckets(tx, part.id, range(1 << part.bits))]
    size = part.record_size + 26
    seen = [
        (number, entries[at : at + 10])
        for number, entries in enumerate(shown)
        for at in range(0, min(len(entries), 6 * size), size)
    ][:12]
    tries = [replace(good, id=secrets.token_bytes(16), tag=secrets.token_bytes(10))]
    tries += [
        replace(good, id=secrets.token_bytes(16), tag=tag, place=number << (13 - part.bits))
        for number, tag in seen
    ]
    for one in tries:
        forged = replace(one, proof=prove(secrets.token_bytes(32), one.message("45", "44")))
        refused.add(
            repr(fails(lambda forged=forged: stub.SubmitCorrection(wire.request_message(forged), timeout=60)))
        )
    assert len(refused) == 1
    assert "not_found" in refused.pop()
    assert count_received(provinces) == before


def test_attack_a_proof_for_other_words(provinces: dict[str, Province], stub: Stub, found: list[str]) -> None:
    """What was proved is the whole message: neither fault, nor reference, nor item can be replaced."""
    (sent,) = send(provinces["45"], found[5])
    good = sealed_request(provinces["45"], sent)
    for changed in (replace(good, fault=Fault.OTHER), replace(good, reference="case-8")):
        other = replace(changed, id=secrets.token_bytes(16))
        assert (
            fails(lambda other=other: stub.SubmitCorrection(wire.request_message(other), timeout=60))[1]
            == "not_found"
        )
        answer = fails(
            lambda changed=changed: stub.SubmitCorrection(wire.request_message(changed), timeout=60)
        )
        assert (answer[0], answer[2]["rule"]) == (Code.PERMISSION_DENIED, "correction_id")


def test_attack_replay(provinces: dict[str, Province], stub: Stub, small: World, found: list[str]) -> None:
    """The same message again is the same request; from another province it proves nothing."""
    (sent,) = send(provinces["45"], found[6])
    message, before = wire.request_message(sealed_request(provinces["45"], sent)), count_received(provinces)
    first, second = (stub.SubmitCorrection(message, timeout=60) for _ in range(2))
    assert first == second
    assert count_received(provinces) == before
    with channel(provinces["44"].port, target_name("44"), small.federation.client("33")) as line:
        assert fails(lambda: Stub(line).SubmitCorrection(message, timeout=60))[0] in (
            Code.NOT_FOUND,
            Code.PERMISSION_DENIED,
            Code.UNAUTHENTICATED,
        )


def test_attack_the_number_of_another_peer(
    provinces: dict[str, Province], stub: Stub, found: list[str]
) -> None:
    """To who did not send it, it does not exist: no state, no reason."""
    (sent,) = send(provinces["45"], found[7])
    mine = stub.GetCorrections(pb.GetCorrectionsRequest(correction_ids=[sent.id]), timeout=60)
    assert mine.corrections[0].state == pb.CORRECTION_STATE_RECEIVED
    other = received_corrections.tell(provinces["44"].node, "33", [sent.id, bytes(16)])
    assert [one.state for one in other] == [None, None]


def test_attack_a_flood(
    provinces: dict[str, Province], found: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond its limits a peer's request is refused before anything is stored; what was sent waits."""
    before = count_received(provinces)
    limits = provinces["44"].node.config.limits
    monkeypatch.setitem(limits.__dict__, "corrections_a_day", before)  # the section is frozen
    (sent,) = send(provinces["45"], found[8])
    assert (sent.state, count_received(provinces)) == (State.SENT, before)
    monkeypatch.setitem(limits.__dict__, "corrections_a_day", 1_000)
    monkeypatch.setitem(limits.__dict__, "corrections_open", 0)
    assert sent_corrections.sync(provinces["45"].node)
    assert count_received(provinces) == before
    monkeypatch.setitem(limits.__dict__, "corrections_open", 1_000)
    sent_corrections.sync(provinces["45"].node)
    assert count_received(provinces) == before + 1


def test_attack_a_flood_of_forged_requests(
    provinces: dict[str, Province], stub: Stub, found: list[str]
) -> None:
    """Twenty an hour that prove no entry; then no bucket is read for that peer."""
    (sent,) = send(provinces["45"], found[9])
    good = sealed_request(provinces["45"], sent)
    codes = []
    for _ in range(30):
        forged = wire.request_message(replace(good, id=secrets.token_bytes(16)))
        codes.append(fails(lambda forged=forged: stub.SubmitCorrection(forged, timeout=60))[1])
        if codes[-1] == "limit":
            break
    assert codes[-1] == "limit"
