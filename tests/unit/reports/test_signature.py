"""A report altered in any group of fields fails, and the group is named; so does any altered byte."""

import hashlib
import io
import json
import shutil
import zipfile
from dataclasses import replace

import pypdfium2
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from node.errors import InputError
from node.reports import files, groups
from node.reports.checking import check, check_all
from node.reports.groups import digests_of, read_digests
from node.reports.numbers import check_digit, is_number, report_number
from node.reports.signature import Trusted, fault
from tests.support.reports import CATALOGUE, SUMS, VERIFICATION
from tests.support.signed_reports import NAMES, SIGNER, STRANGER, TRUSTED, load, write_all


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return write_all(tmp_path_factory.mktemp("signed"))


@pytest.fixture
def copy(made, tmp_path):
    return shutil.copytree(made, tmp_path / "copy")


def save(path, plain):
    path.write_text(json.dumps(plain, ensure_ascii=False, indent=3), encoding="utf-8")


def test_all_of_it_is_valid(made):
    verdicts = check_all(made, TRUSTED)
    assert [one.file for one in verdicts] == [*NAMES, "report.json"]
    assert all(one.valid for one in verdicts)
    assert {one.signed_by for one in verdicts} == {"45 广西"}
    assert all(is_number(one.number) for one in verdicts)


def test_the_signature_is_ed25519_over_canonical_json(made):
    """By another implementation of what docs/report.md says."""
    plain = load(made / "report.sig.json")
    signature = bytes.fromhex(plain.pop("signature"))
    text = json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(plain["key"]))
    key.verify(signature, b"heqiao v1 report\0" + text.encode())
    for name in NAMES:
        assert plain["files"][name]["digest"] == hashlib.sha256((made / name).read_bytes()).hexdigest()


def test_the_digest_of_a_group_is_what_the_document_says(made):
    plain = load(made / "report.json")
    findings = "".join(
        json.dumps(one, ensure_ascii=False, separators=(",", ":")) + "\n" for one in plain["findings"]
    )
    summary = json.dumps({"summary": plain["summary"]}, ensure_ascii=False, separators=(",", ":")) + "\n"
    groups = plain["signature"]["groups"]
    assert groups["findings"] == hashlib.sha256(b"findings\0" + findings.encode()).hexdigest()
    assert groups["summary"] == hashlib.sha256(b"summary\0" + summary.encode()).hexdigest()


ALTERED = {
    "head": lambda plain: plain.update(purpose="review"),
    "catalogue": lambda plain: plain["items"].reverse(),
    "subjects": lambda plain: plain["subjects"].append("H3/01"),
    "peers": lambda plain: plain["peers"][2].update(state="done"),
    "summary": lambda plain: plain["summary"].update(people=0),
    "notes": lambda plain: plain["notes"]["zh"].pop(),
    "findings": lambda plain: plain["findings"][3].update(outcome="FOUND"),
    "eligible": lambda plain: plain.update(eligible=True),
}


@pytest.mark.parametrize("group", ALTERED)
def test_an_altered_group_is_named(copy, group):
    path = copy / "report.json"
    plain = load(path)
    save(path, plain)
    assert check(path, TRUSTED).valid, "white space is no content"
    ALTERED[group](plain)
    save(path, plain)
    verdict = check(path, TRUSTED)
    assert (verdict.valid, verdict.altered) == (False, (group,))


def test_a_finding_left_out_is_found(copy):
    plain = load(copy / "report.json")
    plain["findings"].pop()
    save(copy / "report.json", plain)
    assert check(copy / "report.json", TRUSTED).altered == ("findings",)


def test_every_byte_of_the_record_counts(copy):
    """A digit or a letter changed anywhere in it is found, or leaves no record of that form."""
    path = copy / "report.json"
    content = path.read_bytes()
    tried = 0
    for at in range(0, len(content), 41):
        if not bytes([content[at]]).isalnum():
            continue
        other = b"1" if content[at] != ord("1") else b"2"
        path.write_bytes(content[:at] + other + content[at + 1 :])
        tried += 1
        try:
            assert not check(path, TRUSTED).valid, content[max(0, at - 30) : at + 30]
        except InputError:
            continue
    assert tried > 100


def test_a_workbook_that_no_longer_unpacks_is_altered(copy):
    """Bytes within what is packed: the library raised zlib.error."""
    path = copy / "report.xlsx"
    content = path.read_bytes()
    for at in range(1000, len(content), len(content) // 60):
        path.write_bytes(content[:at] + bytes([content[at] ^ 0xFF]) + content[at + 1 :])
        assert not check(path, TRUSTED).valid


@pytest.mark.parametrize("name", NAMES)
def test_every_byte_of_a_file_counts(copy, name):
    path = copy / name
    content = path.read_bytes()
    for at in (0, len(content) // 3, len(content) // 2, len(content) - 1):
        path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
        assert not check(path, TRUSTED).valid
    path.write_bytes(content + b"\n")
    assert not check(path, TRUSTED).valid


def rewritten(path, alter):
    """A PDF file altered by a library and written anew."""
    book = pypdfium2.PdfDocument(path.read_bytes())
    try:
        alter(book)
        book.save(path)
    finally:
        book.close()


def test_altered_pages_over_a_whole_attachment_fail(copy):
    path = copy / "report.pdf"
    rewritten(path, lambda book: book[0].set_rotation(180))
    verdict = check(path, TRUSTED)
    assert (verdict.valid, verdict.altered) == (False, ("pages",))


def test_an_altered_attachment_is_named_by_its_group(copy):
    def alter(book):
        attached = book.get_attachment(0)
        plain = json.loads(bytes(attached.get_data()))
        plain["peers"][0]["state"] = "refused"
        attached.set_data(json.dumps(plain, ensure_ascii=False).encode())

    rewritten(copy / "report.pdf", alter)
    assert check(copy / "report.pdf", TRUSTED).altered == ("peers",)


def test_an_altered_part_of_a_page_is_named(copy):
    path = copy / "report.html"
    text = path.read_text(encoding="utf-8")
    start = text.index('<section id="section-3">')
    path.write_text(text[:start] + text[start:].replace("未接入", "无记录", 1), encoding="utf-8")
    assert check(path, TRUSTED).altered == ("section-3",)


def test_an_altered_sheet_is_named(copy):
    path, other = copy / "report.xlsx", copy / "other.xlsx"
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(other, "w") as new:
        for member in old.infolist():
            content = old.read(member)
            if member.filename == "xl/worksheets/sheet2.xml":
                assert "未接入".encode() in content
                content = content.replace("未接入".encode(), "无记录".encode())
            new.writestr(member, content)
    other.replace(path)
    assert check(path, TRUSTED).altered == ("xl/worksheets/sheet2.xml",)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_but_the_record_proves_itself(copy, name):
    (copy / "report.sig.json").unlink()
    verdict = check(copy / name, TRUSTED)
    assert not verdict.valid
    assert "report.sig.json is not beside it" in verdict.problem
    assert ("not the pages" in verdict.problem) == (name == "report.pdf")
    assert check(copy / "report.json", TRUSTED).valid


def test_a_file_that_was_renamed_is_still_proved(copy):
    (copy / "report.pdf").rename(copy / "H1.pdf")
    assert check(copy / "H1.pdf", TRUSTED).valid
    assert [one.file for one in check_all(copy, TRUSTED) if not one.valid] == ["report.pdf"], "it is missing"


def test_the_key_must_be_known_and_of_that_province(made):
    path = made / "report.json"
    assert not check(path, Trusted({})).valid
    assert not check(path, Trusted({STRANGER.key: "45 广西"})).valid
    assert not check(path, Trusted({SIGNER.key: "44 广东"})).valid, "a peer signs for itself only"
    assert check(path, Trusted({}, [SIGNER.fingerprint])).valid


def test_a_number_of_another_body_is_refused():
    ours = report_number("45", VERIFICATION.created_at, "job-1")
    assert fault(SIGNER.sign(ours, "job-1", {}), TRUSTED) == ""
    for number in (report_number("44", VERIFICATION.created_at, "job-1"), ours[:-1], ours[:-1] + "x", ""):
        assert fault(SIGNER.sign(number, "job-1", {}), TRUSTED) == "its number is not one of this body"


def test_a_stranger_who_signs_again_is_not_believed(copy):
    write_all(copy, signer=STRANGER)
    assert not any(one.valid for one in check_all(copy, TRUSTED))
    plain = load(copy / "report.json")
    plain["signature"]["key"] = SIGNER.key.hex()  # the right name over the stranger's signature
    save(copy / "report.json", plain)
    assert "does not fit" in check(copy / "report.json", TRUSTED).problem


def test_a_record_of_another_day_beside_the_files_is_found(copy):
    other = replace(VERIFICATION, findings=VERIFICATION.findings[:-1])
    files.write(other, CATALOGUE, copy / "other", ("json",), "zh", SIGNER)
    (copy / "other" / "report.json").replace(copy / "report.json")
    assert check(copy / "report.json", TRUSTED).valid, "both are signed"
    assert check_all(copy, TRUSTED)[-1].altered == ("summary", "findings")


def test_an_unsigned_record_says_so(tmp_path):
    files.write(VERIFICATION, CATALOGUE, tmp_path, ("json",), "zh")
    assert check(tmp_path / "report.json", TRUSTED).problem == "it is not signed"
    assert not (tmp_path / "report.sig.json").exists()


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1, "a": 1}',
        '{"a": {"b": 1, "b": 2}}',
        '{"a": NaN}',
        '{"a": 1} x',
        '{"a": 1',
        "[1]",
        "{1: 2}",
        "\xff",
    ],
)
def test_a_record_that_can_be_read_in_two_ways_is_refused(text):
    with pytest.raises(InputError, match=r"x\.json"):
        read_digests(io.BytesIO(text.encode("latin-1")), "x.json")


@pytest.mark.parametrize("piece", [1, 2, 7, 64])
def test_a_record_is_read_in_pieces_of_any_size(made, monkeypatch, piece):
    monkeypatch.setattr(groups, "_PIECE", piece)
    assert check(made / "report.json", TRUSTED).valid
    digests, _ = read_digests(io.BytesIO(b'{"a": 12345678901, "findings": [1, 23456789, {}], "b": []}'), "x")
    assert digests == digests_of({"a": 12345678901, "findings": [1, 23456789, {}], "b": []})


def test_digests_of_sums_are_those_of_their_file(tmp_path):
    files.write(SUMS, CATALOGUE, tmp_path, files.FORMATS, "en", SIGNER)
    assert all(one.valid for one in check_all(tmp_path, TRUSTED))
    with (tmp_path / "report.json").open("rb") as file:
        digests, signature = read_digests(file, "x")
    assert digests == signature["groups"]
    assert digests_of({"findings": []}).keys() == {"findings"}


def test_numbers():
    made = report_number("45", VERIFICATION.created_at, "job-1", ("H1/01",))
    assert made.startswith("450000-20260701-")
    assert is_number(made)
    assert made == report_number("45", VERIFICATION.created_at, "job-1", ("H1/01",))
    assert made != report_number("45", VERIFICATION.created_at, "job-1", ("H1/02",))
    assert report_number("450125", VERIFICATION.created_at, "j").startswith("450125-")
    wrong = [
        made[:at] + str((int(made[at]) + 1) % 10) + made[at + 1 :]
        for at in range(len(made))
        if made[at] != "-"
    ]
    assert not any(map(is_number, wrong)), "every single wrong digit"


def test_the_check_digit_is_that_of_the_standard():
    """0794 has 5: the example of ISO 7064 for MOD 11,10."""
    assert check_digit("0794") == 5
