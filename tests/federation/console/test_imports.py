"""Files to import, schedules and rejects in the console of 44: shown, done, refused, tried in vain."""

import csv
import io
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from keys.errors import KeyringError
from node.client.administration import Imports
from node.client.platform import Platform
from node.console.visits import SESSION
from node.errors import InvalidRequestError, NodeError, PreconditionError
from tests.support.cluster import Province, query_database, wait_for
from tests.support.console import Browser
from tests.support.single_node import number

ITEM = "C22"  # nothing else of this folder imports it
SOURCE = """
[source]
item = "C22"
title = "不动产登记"
[files]
names = "incoming/C22*.csv"
[columns]
id_no = "owner"
[floor]
rejected_share = 0.5
valid_share = 0.5
[schedule]
every = "week"
at = "03:30"  # a comment
"""
HEAD = "owner\n"
GOOD = HEAD + "".join(f"{number(one)}\n" for one in range(1, 5))
WITH_REJECT = GOOD + "449999190001010035\n"  # a wrong check digit
SECRET = "449999190001010034"


@pytest.fixture(scope="module")
def folder(answering: Province) -> Iterator[Path]:
    """The folder of files, as the node is configured for it from now on, and a source that names them."""
    place = answering.home / "incoming"
    place.mkdir()
    (answering.home / "sources").mkdir(exist_ok=True)
    source = answering.home / "sources" / f"{ITEM}.toml"
    source.write_text(SOURCE, encoding="utf-8")
    source.chmod(0o600)
    settings = answering.node.config.imports.__dict__
    settings["folder"] = place
    yield place
    settings["folder"] = None
    source.unlink()


@pytest.fixture
def tech(theirs: dict[str, Browser], folder: Path) -> Iterator[Browser]:
    for one in folder.iterdir():
        one.unlink() if not one.is_dir() else one.rmdir()
    return theirs["tech"]


@pytest.fixture
def calls(theirs: dict[str, Browser], answering: Province, folder: Path) -> Iterator[Imports]:
    """The node's own service in the hands of the system administrator, without the console before it."""
    token = theirs["tech"].client.cookies[SESSION]
    with Platform.open(answering.home, f"127.0.0.1:{answering.platform_port}") as platform:
        yield Imports(platform.as_person(token))


def post(browser: Browser, fields: dict[str, object], status: int = 200) -> str:
    token = re.search(r'name="csrf" value="([0-9a-f]+)"', browser.get("/account"))[1]
    answer = browser.client.post("/imports/files", data={"csrf": token, **fields})
    assert answer.status_code == status, (fields, answer.status_code)
    return answer.text


def ended(browser: Browser, words: str) -> str:
    """The row of the newest work of the item, once it has ended."""

    def row() -> str:
        rows = re.findall(r"<tr>.*?</tr>", browser.get("/works"), re.S)
        return next((one for one in rows if f">{ITEM}<" in one and words in one), "")

    wait_for(lambda: "进行中" not in row() and row(), 120, "the work does not end")
    return row()


def check(browser: Browser, *names: str) -> str:
    """Check files, and give the digest that the page shows."""
    post(browser, {"action": "check", "item": ITEM, "names": list(names)})
    assert "✓ 完成" in ended(browser, "检查文件")
    return re.search(r"<dt>摘要</dt><dd><code>([0-9a-f]{64})</code>", browser.get("/imports/files"))[1]


def start(browser: Browser, digest: str, status: int = 200) -> str:
    return post(browser, {"action": "import", "item": ITEM, "digest": digest, "sure": "yes"}, status)


def imports_of(province: Province) -> list[tuple[object, ...]]:
    return query_database(province.home, f"SELECT id, tally FROM imports WHERE item = '{ITEM}' ORDER BY id")


def events(province: Province, name: str) -> list[dict[str, object]]:
    rows = query_database(province.home, f"SELECT details FROM audit WHERE event = '{name}' ORDER BY seq")
    return [json.loads(str(row[0])) for row in rows]


def test_a_node_without_a_folder_says_how_to_have_one(browsers: dict[str, Browser]) -> None:
    page = browsers["tech"].get("/imports/files")
    assert "[imports]" in page
    assert 'folder = "incoming"' in page
    assert 'name="names"' not in page


def test_files_that_a_source_names_are_listed(tech: Browser, folder: Path) -> None:
    (folder / "C22-2026.csv").write_text(GOOD, encoding="utf-8")
    (folder / "other.csv").write_text(GOOD, encoding="utf-8")
    (folder / ".C22.csv").write_text(GOOD, encoding="utf-8")
    page = tech.get("/imports/files")
    assert 'value="C22-2026.csv"' in page
    assert f"{len(GOOD.encode()):,}字节" in page
    assert "other.csv" not in page  # what no source names may be anything
    assert "另有1个文件不属于任何数据源" in page
    assert "不动产登记" in page
    assert "<code>incoming</code>" in page
    assert str(folder) not in page


def test_a_file_is_checked_then_imported(tech: Browser, folder: Path, answering: Province) -> None:
    (folder / "C22-a.csv").write_text(WITH_REJECT, encoding="utf-8")
    before = imports_of(answering)
    digest = check(tech, "C22-a.csv")
    page = tech.get("/imports/files")
    assert "读入5行，可用4行" in page
    report = re.search(r'href="(/quality/[0-9]+)"', page)[1]
    assert "证件号码校验码不符" in tech.get(report)
    assert "少于上次接受行数的一半" in page
    assert imports_of(answering) == before  # a check imports nothing
    post(tech, {"action": "import", "item": ITEM, "digest": digest}, 422)  # not ticked
    start(tech, digest)
    assert "✓ 完成" in ended(tech, "导入文件")
    *earlier, row = imports_of(answering)
    assert earlier == before
    tally = json.loads(str(row[1]))
    assert (tally["read"], tally["accepted"], tally["rejected"]) == (5, 4, 1)
    begun = [one for one in events(answering, "work_started") if one["kind"] in ("check", "files")]
    assert {(one["user"], one["user_roles"], one["user_unit"]) for one in begun} == {
        ("tech", "system", "440000000000")
    }
    assert "C22-a" not in json.dumps(begun)  # no name of a file


def test_the_rejects_of_an_import_are_told_without_a_number(tech: Browser, answering: Province) -> None:
    import_number = imports_of(answering)[-1][0]
    page = tech.get(f"/imports/{import_number}")
    assert "证件号码校验码不符" in page
    assert "bad_check_digit" in page
    assert "20.00%" in page
    tech.send(f"/imports/{import_number}/rejects", {})
    assert "449999" not in tech.page
    rows = list(csv.reader(io.StringIO(tech.page.removeprefix("\ufeff"))))
    assert rows[0] == ["文件", "行", "列", "代码", "原因"]
    assert rows[1] == ["C22-a.csv", "6", "owner", "bad_check_digit", "证件号码校验码不符"]
    assert str(answering.home) not in tech.page
    (noted,) = events(answering, "rejects_read")
    assert (noted["user"], noted["item"], noted["import"], noted["rows"]) == ("tech", ITEM, import_number, 1)


def test_a_list_of_rejects_that_is_of_another_run_is_not_given(tech: Browser, answering: Province) -> None:
    import_number = imports_of(answering)[-1][0]
    kept = answering.home / "sources" / f"{ITEM}-rejects.csv"
    before = kept.read_bytes()
    tech.get(f"/imports/{import_number}")
    kept.write_bytes(before + b"x,1,owner,bad_check_digit,\r\n")
    tech.send(f"/imports/{import_number}/rejects", {}, status=404)
    kept.unlink()
    kept.symlink_to(answering.home / "node.toml")
    tech.get("/imports")
    token = re.search(r'name="csrf" value="([0-9a-f]+)"', tech.get("/account"))[1]
    answer = tech.client.post(f"/imports/{import_number}/rejects", data={"csrf": token})
    assert answer.status_code == 404
    kept.unlink()
    kept.write_bytes(before)
    for other in ("0", "99999", "x", "-1", "1" * 30, "..%2Fnode.toml"):
        tech.get(f"/imports/{other}", status=404)


@pytest.mark.parametrize("swap", ["content", "size", "link", "gone", "pipe"])
def test_a_file_that_was_swapped_after_the_check_is_not_imported(
    tech: Browser, folder: Path, answering: Province, tmp_path: Path, swap: str
) -> None:
    path, before = folder / "C22-s.csv", imports_of(answering)
    path.write_text(GOOD, encoding="utf-8")
    digest = check(tech, path.name)
    path.unlink()
    if swap == "content":  # of the same size
        path.write_text(GOOD.replace(number(1), number(9)), encoding="utf-8")
    elif swap == "size":
        path.write_text(HEAD + number(9), encoding="utf-8")
    elif swap == "link":
        (tmp_path / "outside.csv").write_text(GOOD, encoding="utf-8")
        path.symlink_to(tmp_path / "outside.csv")
    elif swap == "pipe":
        os.mkfifo(path)
    if swap in ("gone", "link", "pipe"):
        assert "不在所列文件之中" in start(tech, digest, 422)
    else:
        start(tech, digest)
        row = ended(tech, "导入文件")
        assert "✗ 失败" in row
        assert "文件与检查时不一致" in row
    assert imports_of(answering) == before
    page = tech.get("/imports/files")
    if swap != "content":
        assert 'value="import"' not in page  # not offered


def test_the_same_content_under_a_new_inode_is_what_was_checked(
    tech: Browser, folder: Path, answering: Province
) -> None:
    path, before = folder / "C22-i.csv", len(imports_of(answering))
    path.write_text(GOOD, encoding="utf-8")
    digest = check(tech, path.name)
    path.unlink()
    path.write_text(GOOD, encoding="utf-8")
    start(tech, digest)
    assert "✓ 完成" in ended(tech, "导入文件")
    assert len(imports_of(answering)) == before + 1


def test_only_the_digest_of_the_last_good_check_is_taken(
    tech: Browser, folder: Path, answering: Province
) -> None:
    before = len(events(answering, "import_refused"))
    path = folder / "C22-d.csv"
    path.write_text(GOOD, encoding="utf-8")
    first = check(tech, path.name)
    path.write_text(HEAD + number(1) + "\n", encoding="utf-8")
    check(tech, path.name)
    assert "不是最近一次合格检查的文件" in start(tech, first, 422)
    path.write_text(HEAD + "1\n2\n3\n", encoding="utf-8")
    bad = check(tech, path.name)
    page = tech.get("/imports/files")
    assert "低于要求，不予导入" in page or "无法读取" in page
    assert 'value="import"' not in page
    assert "不是最近一次合格检查的文件" in start(tech, bad, 422)
    for other in ("", "00", "0" * 64):
        start(tech, other, 422)
    refused = events(answering, "import_refused")[before:]
    assert [(one["item"], one["rule"], one["user"]) for one in refused[:2]] == [
        (ITEM, "file_check", "tech")
    ] * 2


@pytest.mark.parametrize(
    "name",
    [
        "../node.toml", "/etc/passwd", "..", ".", "", "C22-x.csv/", "sub/C22.csv", "C22-x.csv\0", "C22*.csv",
        "incoming/C22-x.csv", "x" * 201, "other.csv", ".C22.csv", "C22-link.csv", "C22-hard.csv",
        "C22-dir.csv",
    ],
)  # fmt: skip
def test_no_other_name_is_read(
    tech: Browser, calls: Imports, folder: Path, tmp_path: Path, answering: Province, name: str
) -> None:
    """By the console and by the service itself: nothing begins, or what begins fails and tells nothing."""
    (folder / "C22-x.csv").write_text(GOOD, encoding="utf-8")
    (folder / "other.csv").write_text(GOOD, encoding="utf-8")
    (tmp_path / "outside.csv").write_text(GOOD, encoding="utf-8")
    (folder / "C22-link.csv").symlink_to(answering.home / "node.toml")
    os.link(tmp_path / "outside.csv", folder / "C22-hard.csv")
    (folder / "C22-dir.csv").mkdir()
    page = tech.get("/imports/files")
    assert "是链接，不读取" in page
    assert "文件另有硬链接，不读取" in page
    reports = len(query_database(answering.home, "SELECT id FROM quality_reports"))
    with pytest.raises((PreconditionError, InvalidRequestError, ValueError)):
        calls.check(ITEM, [name])
    assert "/etc" not in post(tech, {"action": "check", "item": ITEM, "names": [name]}, 422)
    assert len(query_database(answering.home, "SELECT id FROM quality_reports")) == reports


@pytest.mark.parametrize("item", ["C23", "../C22", "C22/../C22", "", "c22", "C99"])
def test_no_other_item_is_taken(calls: Imports, tech: Browser, item: str) -> None:
    for act in (lambda: calls.check(item, ["C22-x.csv"]), lambda: calls.begin(item, bytes(32))):
        with pytest.raises((NodeError, KeyringError)):
            act()


def test_markup_in_a_name_of_a_file_is_text(tech: Browser, folder: Path) -> None:
    (folder / 'C22<script>alert("1")<.csv').write_text(GOOD, encoding="utf-8")
    (folder / "C22\u202etxt.csv").write_text(GOOD, encoding="utf-8")
    page = tech.get("/imports/files")
    assert "<script>alert" not in page
    assert "C22&lt;script&gt;" in page
    assert "\u202e" not in page  # turns what is read around


def test_what_a_file_says_is_not_told(tech: Browser, folder: Path) -> None:
    """A file without headers, whose first row is a person's, and a source that cannot read it."""
    (folder / "C22-h.csv").write_text(f"韦小明,桂A\n{SECRET},x\n", encoding="utf-8")
    check(tech, "C22-h.csv")
    page = tech.get("/imports/files")
    assert "✗ 无法读取" in page
    report = re.search(r'href="(/quality/[0-9]+)"', page)[1]
    post(tech, {"action": "check", "item": ITEM, "names": ["C22-h.csv"]})
    token = re.search(r'name="csrf" value="([0-9a-f]+)"', tech.get("/account"))[1]
    tech.client.post("/works", data={"csrf": token, "kind": "source", "subject": ITEM})
    row = ended(tech, "导入数据源")
    assert "数据源无法读取" in row
    for shown in (page, tech.get(report), tech.get("/works"), tech.get("/imports/sources")):
        assert "韦小明" not in shown
        assert SECRET not in shown


def test_the_schedule_and_the_line_that_changes_it(tech: Browser, folder: Path, answering: Province) -> None:
    lines = SOURCE.splitlines()
    page = tech.get("/imports/sources")
    row = next(one for one in re.findall(r"<tr>.*?</tr>", page, re.S) if f">{ITEM} " in one)
    assert "每周一 03:30" in row
    assert "sources/C22.toml" in row
    for key in ("every", "at"):
        line = next(place for place, text in enumerate(lines, 1) if text.startswith(f"{key} ="))
        assert re.search(rf"第{line}行 <code>{key} = ", row), key
    last = json.loads((answering.home / "sources" / f"{ITEM}.last.json").read_text(encoding="utf-8"))
    assert last["account"] == "tech"
    assert "<br>tech" in row
    (folder / "C22-n.csv").write_text(GOOD, encoding="utf-8")
    token = re.search(r'name="csrf" value="([0-9a-f]+)"', tech.get("/account"))[1]
    tech.client.post("/works", data={"csrf": token, "kind": "source", "subject": ITEM})
    assert "✓ 完成" in ended(tech, "导入数据源")
    assert "✓ 已导入" in next(
        one for one in re.findall(r"<tr>.*?</tr>", tech.get("/imports/sources"), re.S) if f">{ITEM} " in one
    )


def test_another_role_does_nothing_and_is_on_record(
    theirs: dict[str, Browser], tech: Browser, folder: Path, answering: Province
) -> None:
    (folder / "C22-r.csv").write_text(GOOD, encoding="utf-8")
    digest = check(tech, "C22-r.csv")
    import_number = imports_of(answering)[-1][0]
    before = imports_of(answering)
    for account in ("boss", "book", "eyes"):
        browser = theirs[account]
        post(browser, {"action": "check", "item": ITEM, "names": "C22-r.csv"}, 403)
        start(browser, digest, 403)
        for path in ("/imports/files", "/imports/sources", f"/imports/{import_number}"):
            assert "C22-r.csv" not in browser.get(path, status=403)
        token = re.search(r'name="csrf" value="([0-9a-f]+)"', browser.get("/account"))[1]
        answer = browser.client.post(f"/imports/{import_number}/rejects", data={"csrf": token})
        assert answer.status_code == 403
    assert imports_of(answering) == before
    refused = {
        (one["user"], str(one["method"]).rsplit("/", 1)[1]) for one in events(answering, "call_refused")
    }
    for method in ("StartFileCheck", "StartFileImport", "GetImport", "ListFiles"):
        assert ("boss", method) in refused, method


def test_a_folder_that_is_gone_is_told(tech: Browser, answering: Province) -> None:
    settings = answering.node.config.imports.__dict__
    place = settings["folder"]
    settings["folder"] = place / "nothing"
    assert "请检查文件夹是否存在" in tech.get("/imports/files")
    settings["folder"] = place
