"""Peers by card and typed fingerprint; rotations, mirrors and sources in the background, from the console."""

import json
import re
import threading

import pytest

from keys.pki.enrolment import NodeCard, make_card
from matcher.suites.suite import CURRENT
from node.clock import utc_now
from node.config import open_key_store
from node.database import peers as peer_rows
from node.domain.days import china_day
from node.errors import ConflictError
from node.registers.kept_quality import keep_in_home
from node.registers.source_file import make_request
from node.registers.source_import import examine
from node.registers.source_store import SourceFolder
from node.services.works import Works
from tests.support.cluster import Province, query_database, wait_for
from tests.support.console import Browser
from tests.support.single_node import number

SOURCE = """
[source]
item = "C21"
title = "车管所"
[files]
names = "cars.csv"
[columns]
id_no = "owner"
"""


def card_of(province: Province) -> NodeCard:
    """As `heqiao card` makes it, with the port that is served."""
    config = province.node.config
    keys, address = open_key_store(config), f"127.0.0.1:{province.port}"
    return make_card(keys, config.node.code, config.node.name, address, [CURRENT.name])


def add(tech: Browser, card: bytes, fingerprint: str, status: int = 200, **fields: object) -> str:
    tech.get("/peers")
    given = {"fingerprint": fingerprint, **fields}
    return tech.send("/peers/add", given, status=status, files={"card": ("45.card", card)})


def begin(browser: Browser, page: str, kind: str, subject: str, status: int = 200) -> None:
    """As a button of a page does it."""
    token = re.search(r'name="csrf" value="([0-9a-f]+)"', browser.get(page))[1]
    answer = browser.client.post("/works", data={"csrf": token, "kind": kind, "subject": subject})
    assert answer.status_code == status, (kind, subject, answer.status_code)


def ended(browser: Browser, subject: str) -> str:
    """The row of the newest work of something, once it has ended."""

    def row() -> str:
        rows = re.findall(r"<tr>.*?</tr>", browser.get("/works"), re.S)
        return next((one for one in rows if f">{subject}<" in one), "")

    wait_for(lambda: "进行中" not in row() and row(), 120, "the work does not end")
    return row()


def test_a_card_needs_the_fingerprint_that_was_read_out(
    theirs: dict[str, Browser], node: Province, answering: Province
) -> None:
    tech, card = theirs["tech"], card_of(node)
    content, right = card.to_json(), card.fingerprint()
    wrong = right[:-1] + ("0" if right[-1] != "0" else "1")
    page = add(tech, content, wrong, 422)
    assert "不是这张名片的指纹" in page
    assert right not in page.split("<section")[0]  # nobody can copy it
    assert "不是这张名片的指纹" in add(tech, content, "12", 422)
    assert "不是节点的名片" in add(tech, b"{}", right, 422)
    assert "不是节点的名片" in add(tech, content.replace(b"127.0.0.1", b"127.0.0.2"), right, 422)
    add(tech, content, right, 422, address="nowhere")
    own = card_of(answering)
    assert "自己的名片" in add(tech, own.to_json(), own.fingerprint(), 422)
    with answering.node.store.transaction("look") as tx:
        before = peer_rows.find_peer(tx, "45")
    add(tech, content, right.replace(" ", "").upper(), address=f"127.0.0.1:{node.port}", platforms="yes")
    assert "已添加45" in tech.page
    with answering.node.store.transaction("look") as tx:
        after = peer_rows.find_peer(tx, "45")
    assert (after.address, after.allow_platforms) == (f"127.0.0.1:{node.port}", True)
    assert after.granted == before.granted  # a newer card grants nothing


def test_a_mirror_is_synced(browsers: dict[str, Browser], node: Province) -> None:
    tech = browsers["tech"]
    begin(tech, "/peers", "mirror", "44")
    row = ended(tech, "44")
    assert "✓ 完成" in row
    assert ">tech<" in row
    assert re.search(r"完整[1-9]\d*个分区", tech.get("/peers"))
    begin(tech, "/peers", "mirror", "99", 422)
    noted = query_database(node.home, "SELECT details FROM audit WHERE event = 'work_ended'")
    found = json.loads(str(noted[-1][0]))
    assert (found["user"], found["user_roles"], found["state"]) == ("tech", "system", "done")


def test_a_key_is_rotated(browsers: dict[str, Browser], node: Province) -> None:
    boss = browsers["boss"]
    assert "signing" in boss.get("/keys")
    begin(boss, "/keys", "rotation", "storage")
    assert "✓ 完成" in ended(boss, "存储密钥")
    states = query_database(node.home, "SELECT epoch, state FROM key_epochs WHERE purpose = 'storage'")
    assert (2, "active") in states
    for purpose in ("tls", "salt", "oprf.1", ""):
        begin(boss, "/keys", "rotation", purpose, 422)


def test_a_source_is_imported_now(theirs: dict[str, Browser], answering: Province) -> None:
    tech, home = theirs["tech"], answering.home
    (home / "sources").mkdir(exist_ok=True)
    (home / "sources" / "C21.toml").write_text(SOURCE, encoding="utf-8")
    (home / "sources" / "C21.toml").chmod(0o600)
    begin(tech, "/imports/sources", "source", "C21")
    row = ended(tech, "C21")
    assert "✗ 失败" in row  # there is no such file
    assert "bad_input" in row
    begin(tech, "/imports/sources", "source", "C23", 422)
    begin(tech, "/imports/sources", "source", "../C21", 422)
    (home / "sources" / "C21.toml").unlink()


def test_the_quality_of_a_source_is_shown(theirs: dict[str, Browser], answering: Province) -> None:
    node, now = answering.node, utc_now()
    file = answering.home.parent / "C21.toml"
    file.write_text(SOURCE, encoding="utf-8")
    (answering.home / "cars.csv").write_text(f"owner\n{number(1)}\n1\n", encoding="utf-8")
    source = SourceFolder(node.config.folder).parse(file.read_bytes(), file)
    request = make_request(source, node.catalogue, node.config.folder, china_day(now))
    done = examine(source, request, node.catalogue, china_day(now), lambda *_: None)
    report = keep_in_home(node.config, done, "check", now)
    (answering.home / "cars.csv").unlink()
    row = re.search(
        rf'<tr><th scope="row"[^>]*><a [^>]*>{report}</a></th>.*?</tr>',
        theirs["tech"].get("/imports/sources"),
        re.S,
    )
    cells = [one.strip() for one in re.findall(r">([^<>]*)</td>", row[0])]
    assert cells[1:3] == ["C21", "检查"]
    assert cells[4:7] == ["2", "1", "1"]  # read, usable, rejected
    assert "! 低于要求，不予导入" in row[0]
    assert "<code>valid_share</code> 0.5000" in row[0]


def test_work_of_another_role_is_refused(theirs: dict[str, Browser]) -> None:
    tries = (("boss", "mirror", "45"), ("boss", "source", "C21"), ("tech", "rotation", "signing"))
    for account, kind, subject in tries:
        begin(theirs[account], "/works", kind, subject, 403)
    theirs["eyes"].get("/works", status=403)
    assert "暂停查询由以下角色办理" in theirs["book"].get("/incoming")
    assert "暂停查询由以下角色办理" not in theirs["boss"].get("/incoming")


def test_the_same_runs_once_and_a_fault_tells_nothing(answering: Province) -> None:
    works, go = Works(answering.node), threading.Event()
    works.start("mirror", "45", "tech", lambda _progress, _stopping: go.wait(30))
    with pytest.raises(ConflictError):
        works.start("mirror", "45", "tech", lambda _progress, _stopping: None)

    def fail(_progress: object, _stopping: object) -> None:
        raise ValueError("459999198005134817")

    failed = works.start("mirror", "33", "tech", fail)
    wait_for(lambda: works.list()[0].state == "failed", 30, "it does not end")
    found = next(one for one in works.list() if one.id == failed.id)
    assert (found.code, found.text) == ("internal", "")
    go.set()
    works.stop()
    assert {one.state for one in works.list()} == {"done", "failed"}
