"""What a platform submits, as columns: what is refused, and how long messages become."""

import gc
from dataclasses import replace
from datetime import date

import pytest
from heqiao.platform.v1 import platform_pb2 as pb

from matcher import Identity, identity
from node.domain.findings import Finding, Findings, Outcome
from node.domain.subjects import Subject, Subjects
from node.domain.verification import Verification, pack_verification, unpack_verification
from node.errors import InvalidRequestError
from node.wire import platform
from node.wire.platform_requests import read_verification
from tests.support.examples import MANDATE
from tests.support.reports import VERIFICATION

MESSAGE = 1_048_576  # bytes that every node takes (docs/protocol.md)
BODIES = [
    f"4499991990{n // 10_000 % 9 + 1:02d}{n // 1_000 % 28 + 1:02d}{n % 1_000:03d}" for n in range(20_000)
]
NUMBERS = [body + identity.check_digit(body) for body in BODIES]


def county(people):
    """A list of some people, four of a household."""
    return tuple(
        Subject(
            f"H{n // 4}/{n % 4}", f"H{n // 4}", "王秀英", (Identity("resident", NUMBERS[n]),), f"M{n // 4}"
        )
        for n in range(people)
    )


def asked(subjects, mandates=()):
    return Verification(
        ("C21",), ("44",), "review", "SA-2026-41", subjects, {one.number: one for one in mandates}
    )


def sizes(messages):
    return [one.ByteSize() for one in messages]


# ---- how long messages become


def test_a_list_of_a_county_takes_few_messages():
    sent = list(platform.submission("j", asked(county(20_000))))
    assert len(sent) == 1 + 4
    assert max(sizes(sent)) < MESSAGE
    assert sum(sizes(sent)) < 20_000 * 80


def test_no_message_is_too_long_however_long_the_texts_are():
    """The longest that `heqiao verify` takes."""
    longest = [
        replace(
            one,
            ref=f"{at:06d}{'户' * 42}/{'员' * 48}",
            household=f"{at:06d}{'户' * 42}",
            name="䶮" * 100,
            mandate=f"{at:06d}{'书' * 42}",
        )
        for at, one in enumerate(county(6_000))
    ]
    mandates = [
        replace(MANDATE, number=one.mandate, signers=("阿" * 100,) * 12, items=frozenset({f"C{at}"}))
        for at, one in enumerate(longest[:1_000])
    ]
    verification = asked(tuple(longest), mandates)
    sent = list(platform.submission("j", verification))
    assert max(sizes(sent)) < MESSAGE
    assert read_verification(sent, 6_000) == ("j", verification)


def test_no_message_of_a_report_is_too_long():
    refs = tuple(f"{at:06d}{'户' * 194}" for at in range(4_000))
    said = [Finding("", "C21", "44", Outcome.FOUND, at, date(2026, 1, 1), "r" * 64) for at in range(20_000)]
    findings = Findings.of(replace(one, subject=refs[at % 4_000]) for at, one in enumerate(said))
    report = replace(VERIFICATION, subjects=refs, findings=findings, issuing_body="局" * 200)
    sent = list(platform.report_messages(report, pb.Job(state=pb.JOB_STATE_DONE)))
    assert max(sizes(sent)) < MESSAGE
    found = platform.read_report(sent)
    assert (found.subjects, found.findings) == (refs, findings)
    assert found.issuing_body == report.issuing_body


def test_a_list_is_read_stored_and_read_back_without_an_object_for_each_person():
    sent = [one.SerializeToString() for one in platform.submission("j", asked(county(2_000)))]

    def objects():
        gc.collect()
        return sum(isinstance(one, Subject | Identity) for one in gc.get_objects())

    before = objects()
    _, read = read_verification(map(pb.SubmitVerificationRequest.FromString, sent), 2_000)
    back = unpack_verification(pack_verification(read))
    assert isinstance(read.subjects, Subjects)
    assert isinstance(back.subjects, Subjects)
    assert objects() == before
    assert len(back.subjects) == 2_000


# ---- what is refused


def people(**columns):
    """Two subjects as columns, some of them changed."""
    known = {
        "refs": ["1/1", "1/2"],
        "households": ["1", "1"],
        "names": ["", "甲"],
        "mandate_nos": ["M", ""],
        "counts": [1, 2],
        "values": NUMBERS[:3],
        "types": [1, 0, 1],
        **columns,
    }
    identities = pb.Identities(**{name: known.pop(name) for name in ("counts", "values", "types")})
    return pb.VerificationChunk(subjects=pb.Subjects(**known, identities=identities))


def mandates(**columns):
    """Two mandates as columns, some of them changed."""
    scope = pb.Scope(programme="review", items=["C21"], regions=["44"], valid_from="2026-01-01")
    known = {
        "mandate_nos": ["M1", "M2"],
        "scopes": [scope],
        "scope_places": [0, 0],
        "signer_counts": [2, 0],
        "signers": ["甲", "乙"],
        "doc_hashes": ["ab", ""],
        "people_counts": [2, 1],
        "people": NUMBERS[:3],
        **columns,
    }
    return pb.VerificationChunk(mandates=pb.Mandates(**known))


def scope(**changed):
    known = {"programme": "review", "items": ["*"], "regions": ["*"], "valid_from": "2026-01-01", **changed}
    return mandates(scopes=[pb.Scope(**known)])


def submit(*chunks, announced=2, most=3):
    start = pb.VerificationStart(job_id="j", items=["C21"], peers=["44"], subjects_announced=announced)
    sent = [pb.SubmitVerificationRequest(chunk=chunk) for chunk in chunks]
    return read_verification([pb.SubmitVerificationRequest(start=start), *sent], most)[1]


def test_the_chunks_that_the_refusals_change_are_good():
    read = submit(mandates(), people())
    assert [one.ref for one in read.subjects] == ["1/1", "1/2"]
    assert [len(one.identities) for one in read.subjects] == [1, 2]
    assert [(one.number, one.signers, one.doc_hash) for one in read.mandates.values()] == [
        ("M1", ("甲", "乙"), "ab"),
        ("M2", (), ""),
    ]
    assert [one.people for one in read.mandates.values()] == [set(NUMBERS[:2]), {NUMBERS[2]}]


LENGTHS = "columns of subjects differ in length"
REFUSED = {
    "a reference too few": (people(refs=["1/1"]), LENGTHS),
    "a household too many": (people(households=["1"] * 3), LENGTHS),
    "no names": (people(names=[]), LENGTHS),
    "no mandates": (people(mandate_nos=[]), LENGTHS),
    "a count too few": (people(counts=[3]), LENGTHS),
    "nobody without identities": (people(counts=[0, 3]), "1 to 8 identities"),
    "nine identities": (people(counts=[1, 9], values=NUMBERS[:10], types=[]), "1 to 8 identities"),
    "counts that add up to more": (people(counts=[2, 2]), "not as many as their counts"),
    "counts that add up to fewer": (people(counts=[1, 1]), "not as many as their counts"),
    "an enormous count": (people(counts=[1, 2**32 - 1]), "1 to 8 identities"),
    "a type too few": (people(types=[1, 1]), "document types"),
    "a type that is unknown": (people(types=[1, 1, 9]), "not valid: the document type"),
    "a type of another form": (people(types=[1, 1, 2]), "not valid"),
    "a long household": (people(households=["1", "h" * 201]), "text of a subject"),
    "a long mandate number": (people(mandate_nos=["m" * 201, ""]), "text of a subject"),
    "no reference": (people(refs=["1/1", ""]), "no reference"),
    "an identity number among others": (people(refs=["1/1", f"x{NUMBERS[9]}"]), "must not serve"),
    "mandates of two lengths": (mandates(doc_hashes=["ab"]), "columns of mandates"),
    "too few scopes": (mandates(scope_places=[0]), "columns of mandates"),
    "too few signers": (mandates(signers=["甲"]), "columns of mandates"),
    "a scope that is not there": (mandates(scope_places=[0, 1]), "no scope"),
    "a mandate without number": (mandates(mandate_nos=["M1", ""]), "no number"),
    "a mandate twice": (mandates(mandate_nos=["M1", "M1"]), "given twice"),
    "an identity number as mandate": (mandates(mandate_nos=["M1", NUMBERS[0]]), "must not serve"),
    "a long signer": (mandates(signers=["甲", "乙" * 201]), "text of a mandate"),
    "a long digest": (mandates(doc_hashes=["ab", "a" * 201]), "text of a mandate"),
    "too few people": (mandates(people=NUMBERS[:2]), "columns of mandates"),
    "people of one mandate only": (mandates(people_counts=[3]), "columns of mandates"),
    "too many people": (mandates(people_counts=[101, 0], people=NUMBERS[:101]), "too long"),
    "a person without a valid number": (mandates(people=[*NUMBERS[:2], "4" * 18]), "not valid"),
    "agents of nobody": (mandates(agents=["甲"]), "columns of mandates"),
    "agents of one mandate only": (mandates(agents=["甲"], agent_counts=[1]), "columns of mandates"),
    "a long office": (scope(office="o" * 201), "text of a mandate"),
    "an identity number as office": (scope(office=f"{NUMBERS[0]}"), "must not serve"),
    "too many signers": (mandates(signer_counts=[101, 0], signers=["甲"] * 101), "too long"),
    "no programme": (scope(programme=""), "programme"),
    "another programme": (scope(programme="p" * 300), "mandate"),
    "too many items": (scope(items=["*"] * 101), "too long"),
    "too many regions": (scope(regions=["*"] * 101), "too long"),
    "no first day": (scope(valid_from=""), "no first day"),
    "no such day": (scope(revoked_at="2026-02-30"), "not written as"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_a_platform_must_not_send(name):
    chunk, text = REFUSED[name]
    with pytest.raises(InvalidRequestError, match=text) as refused:
        submit(*((chunk,) if chunk.HasField("subjects") else (chunk, people())))
    assert "449999" not in f"{refused.value} {refused.value.hint}"


def test_a_mandate_in_two_chunks_and_too_many_of_them_are_refused():
    with pytest.raises(InvalidRequestError, match="given twice"):
        submit(mandates(), mandates(mandate_nos=["M3", "M1"]), people(), most=9)
    with pytest.raises(InvalidRequestError, match="more mandates"):
        submit(mandates(), mandates(mandate_nos=["M3", "M4"]), people())


def test_a_client_refuses_a_document_type_that_no_message_has():
    strange = replace(county(1)[0], identities=(identity.planted("C21", "44", "hit-0"),))
    with pytest.raises(InvalidRequestError, match="document type"):
        list(platform.submission("j", asked((strange,))))


@pytest.mark.parametrize(
    ("chunk", "text"),
    [
        (pb.FindingChunk(subject_places=[0], answer_places=[]), "not complete"),
        (pb.FindingChunk(subject_places=[1], answer_places=[0]), "no subject or answer"),
        (pb.FindingChunk(subject_places=[0], answer_places=[1]), "no subject or answer"),
    ],
)
def test_a_report_that_refers_to_nothing_is_refused(chunk, text):
    header = pb.ReportHeader(job=pb.Job(state=pb.JOB_STATE_DONE))
    known = pb.FindingChunk(subjects=["1/1"], answers=[pb.Answer(item="C21", outcome=pb.OUTCOME_FOUND)])
    sent = [pb.GetReportResponse(header=header), pb.GetReportResponse(chunk=known)]
    assert len(platform.read_report(sent).findings) == 0
    with pytest.raises(InvalidRequestError, match=text):
        platform.read_report([*sent, pb.GetReportResponse(chunk=chunk)])
