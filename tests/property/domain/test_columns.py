"""Lists and reports as columns agree with the same one object after another (tests/support/by_object.py)."""

from dataclasses import replace
from datetime import date

import pytest
from heqiao.platform.v1 import platform_pb2 as pb
from hypothesis import example, given
from hypothesis import strategies as st

from matcher import identity
from node.domain.findings import Finding, Findings, Outcome, PeerSummary
from node.domain.mandate import Mandate
from node.domain.subjects import Subjects, holds_identity, refers_by_identity
from node.domain.verification import Verification, pack_verification, unpack_head, unpack_verification
from node.errors import InvalidRequestError
from node.reports import csv, json, verification
from node.reports.coverage import summarise
from node.wire import platform
from node.wire.platform_requests import read_verification
from tests.support import by_object
from tests.support.reports import CATALOGUE, VERIFICATION

# ---- lists

OLD = "449999900101003"  # its old form of 15 digits
NUMBERS = [f"44999919900101{n:03d}" + identity.check_digit(f"44999919900101{n:03d}") for n in range(1, 30)]
PERMIT = "81000019900101001" + identity.check_digit("81000019900101001")
CARD = "91044019900101001" + identity.check_digit("91044019900101001")
GOOD = (*NUMBERS, PERMIT, CARD, "ABC123456789012", OLD, f" {NUMBERS[0]} ", NUMBERS[1].translate({49: 0xFF11}))
BAD = ("", NUMBERS[0][:17], NUMBERS[0][:17] + "9", "44999919900230001X", "1" * 300, "四" * 18, "४" * 18)
GOOD_TYPES = (pb.IDENTITY_TYPE_UNSPECIFIED, pb.IDENTITY_TYPE_UNSPECIFIED, pb.IDENTITY_TYPE_RESIDENT)
TYPES = (*GOOD_TYPES, pb.IDENTITY_TYPE_HMT_PERMIT, pb.IDENTITY_TYPE_FOREIGN_PERMIT_OLD, 9)
NAMES = ("", "王秀英", "Ａｂ ｃ", "買買提·依明", "x" * 200)
TEXTS = st.one_of(
    st.text(max_size=6),
    st.sampled_from(("H1/01", "450000000012/3", "H" * 200, "1" * 14, "1" * 15, "ABC12345678", "\n", "ß/1")),
)
WRONG_TEXTS = st.one_of(
    TEXTS,
    st.sampled_from(
        (*NUMBERS[:3], f"H{NUMBERS[0]}", f"{NUMBERS[1].lower()}/1", OLD, "abc123456789012", "y" * 201)
    ),
)


def identities(values, types):
    return st.tuples(st.sampled_from(types), st.sampled_from(values))


def people(texts, values, types, most=3):
    person = st.tuples(
        texts, texts, st.sampled_from(NAMES), texts, st.lists(identities(values, types), max_size=most)
    )
    return st.lists(person, max_size=5)


def message(rows):
    refs, households, names, mandates, known = zip(*rows, strict=True) if rows else ((),) * 5
    every = [one for each in known for one in each]
    return pb.Subjects(
        refs=refs,
        households=households,
        names=names,
        mandate_nos=mandates,
        identities=pb.Identities(
            counts=map(len, known), values=[value for _, value in every], types=[code for code, _ in every]
        ),
    )


def submit(chunks, announced):
    start = pb.SubmitVerificationRequest(start=pb.VerificationStart(job_id="j", subjects_announced=announced))
    sent = [pb.SubmitVerificationRequest(chunk=pb.VerificationChunk(subjects=one)) for one in chunks]
    return read_verification([start, *sent], 100)[1].subjects


@given(rows=people(WRONG_TEXTS, GOOD + BAD, TYPES, most=9), cut=st.integers(0, 5))
@example(rows=[("abc123456789012/1", "", "", "", [(0, "ABC123456789012")])], cut=0)
@example(rows=[("1", "x449999900101001x", "", "", [(0, NUMBERS[0])])], cut=0)
@example(rows=[("1", "", "", "", [(0, NUMBERS[0])] * 8), ("2", "", "", "", [(1, NUMBERS[1])])], cut=1)
@example(rows=[("1", "", "", "", [(pb.IDENTITY_TYPE_HMT_PERMIT, NUMBERS[0])])], cut=1)
@example(rows=[("1", "", "", "", [])], cut=1)
def test_a_list_is_accepted_and_read_as_its_people_one_by_one(rows, cut):
    expected = [by_object.read_subject(*row) for row in rows]
    chunks = [message(rows[:cut]), message(rows[cut:])]
    if None not in expected:
        assert submit(chunks, len(rows)) == tuple(expected)
        return
    with pytest.raises(InvalidRequestError) as refused:
        submit(chunks, len(rows))
    assert "449999" not in f"{refused.value} {refused.value.hint}"


@given(rows=people(TEXTS, GOOD, GOOD_TYPES[:2]), cut=st.integers(0, 5))
def test_columns_are_a_sequence_of_people(rows, cut):
    objects = [one for one in (by_object.read_subject(*row) for row in rows) if one]
    columns = Subjects.of(objects)
    assert columns == tuple(objects) == Subjects.of(columns)
    assert Subjects.of(columns) is columns
    assert (len(columns), list(columns), columns[::-1]) == (len(objects), objects, objects[::-1])
    assert columns[:cut] == objects[:cut]
    assert columns[cut:] == objects[cut:]
    assert [columns[row] for row in range(-len(objects), len(objects))] == objects * 2
    assert Subjects.joined([columns[:cut], columns[cut:]]) == columns
    assert columns != tuple(objects[1:]) or not objects
    held = any(
        holds_identity(number, one.identities)
        for one in objects
        for number in (one.ref, one.household, one.mandate)
    )
    assert refers_by_identity(columns) == held
    with pytest.raises(IndexError):
        columns[len(objects)]


DAYS = st.sampled_from((date(2026, 1, 1), date(2026, 7, 1)))
SCOPES = st.frozensets(st.sampled_from(("C21", "C23", "44", "*")), max_size=3)
WORDS, SIGNERS = st.sampled_from(("", "x")), st.lists(st.sampled_from(("甲", "乙"))).map(tuple)
MANDATES = st.lists(
    st.builds(
        Mandate, st.sampled_from(("m1", "m2", "m3")), st.sampled_from(("review", "*")), SCOPES, SCOPES, DAYS,
        DAYS | st.none(), DAYS | st.none(), WORDS, WORDS, WORDS, WORDS, st.sampled_from(("", "01", "*")),
        SIGNERS, SIGNERS,
        st.frozensets(st.sampled_from((*NUMBERS[:4], PERMIT)), max_size=3), st.sampled_from(("", "ab")),
    ),
    max_size=4, unique_by=lambda one: one.number,
)  # fmt: skip


@given(rows=people(TEXTS, GOOD, GOOD_TYPES[:2]), mandates=MANDATES)
def test_a_submission_crosses_and_packs_alike_as_objects_and_as_columns(rows, mandates):
    objects = tuple(one for one in (by_object.read_subject(*row) for row in rows) if one)
    known = {one.number: one for one in mandates}
    asked = Verification(("C21",), ("44",), "review", "SA-2026-41", objects, known)
    columns = replace(asked, subjects=Subjects.of(objects))
    assert asked == columns
    sent = [list(platform.submission("j", one)) for one in (asked, columns)]
    assert sent[0] == sent[1]
    assert read_verification(sent[0], 100) == ("j", asked)
    packed = pack_verification(asked)
    assert packed == pack_verification(columns)
    assert unpack_verification(packed) == asked
    assert list(unpack_verification(packed).mandates.values()) == [known[one] for one in sorted(known)]
    assert unpack_head(packed).refs == tuple(one.ref for one in objects)


# ---- reports

REFS = ("H1/1", "=1+1", 'q"uote', "a,b", "两\n行", "")
REASONS = st.sampled_from(("", "grant", "=cmd()", 'a "b", c'))
ANSWERS = st.builds(
    Finding, st.just(""), st.sampled_from(("C21", "D34", "X99")), st.sampled_from(("44", "33")),
    st.sampled_from(Outcome), st.none() | st.integers(0, 2**64 - 1), st.none() | DAYS, REASONS,
)  # fmt: skip
PLACES = st.tuples(st.integers(0, len(REFS) - 1), st.integers(0, 7))


@st.composite
def reports(draw):
    answers = draw(st.lists(ANSWERS, min_size=8, max_size=8))
    rows = draw(st.lists(PLACES, max_size=30))
    findings = tuple(replace(answers[answer], subject=REFS[subject]) for subject, answer in rows)
    peers = (PeerSummary("44", "广东", "done"), PeerSummary("33", "浙江", "refused"))
    return replace(VERIFICATION, items=("C21", "D34"), subjects=REFS, peers=peers, findings=findings)


@given(reports())
def test_findings_are_a_sequence(report):
    findings = report.findings
    objects = tuple(findings)
    assert isinstance(findings, Findings)
    assert findings == objects == Findings.of(objects)
    assert (len(findings), findings[3:9], findings[::-2]) == (len(objects), objects[3:9], objects[::-2])
    assert [findings[row] for row in range(-len(objects), len(objects))] == [*objects, *objects]
    assert findings != (*objects, Finding("x", "C21", "44", Outcome.FOUND))


@given(reports())
def test_figures_are_those_of_one_finding_after_another(report):
    summary, expected = summarise(report), by_object.count_report(report)
    items = expected.pop("items")
    assert {key: getattr(summary, key) for key in expected} == expected
    assert [line.item for line in summary.items] == [item["item"] for item in items]
    for line, item in zip(summary.items, items, strict=True):
        missing = {peer: list(cover.missing.items()) for peer, cover in line.coverage.items()}
        assert missing == item.pop("missing")
        assert list(line.histogram.items()) == item.pop("histogram")
        assert {key: getattr(line, key) for key in item} == item


@given(reports())
def test_files_are_those_of_one_finding_after_another(report):
    record = verification.record(report, CATALOGUE)
    header, _, rows = b"".join(csv.render(record.listing)).partition(b"\r\n")
    assert header.startswith(b"\xef\xbb\xbfsubject,")
    assert rows == by_object.csv_file(report, CATALOGUE)
    written = b"".join(json.finding_a_line({"a": 1, "findings": record.findings})).decode()
    lines = ",\n  ".join(by_object.json_findings(report))
    assert written == '{\n "a": 1,\n "findings": [' + ("\n  " + lines if lines else "") + "\n ]\n}\n"


@given(reports())
def test_a_report_crosses(report):
    job = pb.Job(job_id=report.job, state=pb.JOB_STATE_DONE)
    sent = [one.SerializeToString() for one in platform.report_messages(report, job)]
    found = platform.read_report(map(pb.GetReportResponse.FromString, sent))
    assert (found.subjects, found.findings) == (report.subjects, report.findings)
