"""Backups, certificate, salt and ends of keys at the console of 44, by its security administrator."""

import json
import re
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from keys import KeyStore
from keys.pki.certificates import identity_of
from keys.pki.enrolment import EnrolmentRequest, issue_bundle
from keys.store.atomic_files import read_passphrase
from keys.store.backup import load_backup, open_share, open_with_shares
from node.clock import utc_now
from node.config import open_key_store
from node.database import users as user_rows
from node.jobs.notices import collect
from node.services.notice_sources import OF_KEYS
from tests.support.cli_runner import ok
from tests.support.cluster import Province, World, query_database, wait_for
from tests.support.console import PASSWORD, Browser
from tests.support.federation import Federation

PATHS = ("/keys/backups", "/keys/certificate", "/keys/epochs")
EVENTS = "SELECT event, details FROM audit ORDER BY seq"
NAMES = ("li", "wu", "qin")


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Three people, each with a folder that `heqiao keys recipient` made."""
    base = tmp_path_factory.mktemp("holders")
    for name in NAMES:
        ok("keys", "recipient", "--dir", base / name, "--name", name)
    return {name: base / name for name in NAMES}


@pytest.fixture
def holders(answering: Province, people: dict[str, Path]) -> Iterator[dict[str, Path]]:
    """Named in the configuration of 44."""
    settings = answering.node.config.backups.__dict__
    settings["holders"] = tuple(one / "recipient.json" for one in people.values())
    yield people
    settings["holders"] = ()


@pytest.fixture
def dual_control(answering: Province) -> Iterator[None]:
    settings = answering.node.config.approvals.__dict__
    settings["required"] = True
    yield
    settings["required"] = False


def events(province: Province, name: str) -> list[dict[str, object]]:
    return [json.loads(str(text)) for event, text in query_database(province.home, EVENTS) if event == name]


def token_of(browser: Browser, page: str) -> str:
    return str(re.search(r'name="csrf" value="([0-9a-f]+)"', browser.get(page))[1])


def post(browser: Browser, path: str, status: int = 200, **fields: object) -> str:
    """A form with a good token, whether the page offers it or not."""
    answer = browser.client.post(path, data={"csrf": token_of(browser, path), **fields})
    assert answer.status_code == status, (path, fields, answer.status_code, answer.text[-600:])
    browser.page = answer.text
    return browser.page


def end_of_work(browser: Browser) -> str:
    """The newest row of the background work, once it has ended."""

    def row() -> str:
        found = re.findall(r"<tr>.*?</tr>", browser.get("/works"), re.S)[1]
        return "" if "进行中" in found else found

    wait_for(lambda: row() != "", 120, "the work does not end")
    return row()


def approve(province: Province, browser: Browser, request: str) -> None:
    with province.node.store.transaction("fresh codes", write=True) as tx:
        user_rows.change_user(tx, "tech", {"totp_step": 0})
    browser.get(f"/requests/{request}")
    browser.send(f"/requests/{request}", {"password": PASSWORD, "code": browser.totp.at(utc_now())})


def asked(browser: Browser) -> str:
    return str(re.search(r"已提出请求([0-9a-f]{16})", browser.page)[1])


def upload(browser: Browser, content: bytes, status: int = 200) -> str:
    browser.get("/keys/certificate")
    files = {"bundle": ("44.bundle", content)}
    return browser.send("/keys/certificate", {"action": "take"}, status=status, files=files)


def bundle_for(federation: Federation, request: bytes, version: int = 1, **more: object) -> bytes:
    """What the CA answers: `version` 2 and later have another salt each."""
    asking = EnrolmentRequest.from_json(request, "request")
    salt = federation.salt if version == 1 else bytes([version]) * 32
    return issue_bundle(federation.authority, asking, salt, version, utc_now(), **more).to_json()


# ---- backups
def test_without_holders_the_page_offers_the_command_only(
    theirs: dict[str, Browser], answering: Province
) -> None:
    page = theirs["boss"].get("/keys/backups")
    assert "heqiao keys backup --home HOME --out 44.backup --split 2/3" in page
    assert '<form method="post" action="/keys/backups"' not in page
    assert "不能在此备份" in post(theirs["boss"], "/keys/backups", 422)
    assert not (answering.home / "backups").exists()


def test_a_backup_is_sealed_to_the_holders_and_shown_to_nobody(
    theirs: dict[str, Browser], answering: Province, holders: dict[str, Path]
) -> None:
    boss, config = theirs["boss"], answering.node.config
    assert "以下密钥不在任何备份中" in boss.get("/keys/backups")
    assert "把密钥不在任何备份中" in boss.get("/keys")
    collect(answering.node, [OF_KEYS])
    assert "把密钥不在任何备份中" in boss.get("/account")
    boss.get("/keys/backups")
    boss.send("/keys/backups", {})
    assert "全部密钥已在备份中" in boss.page
    assert "不在任何备份中" not in boss.get("/account"), "the banner ends with the backup"
    assert "不在任何备份中" not in boss.get("/keys")
    (file,) = (answering.home / "backups").iterdir()
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    page = boss.get("/keys/backups")
    made = load_backup(file.read_bytes(), "backup")
    assert file.name in page
    assert made.fingerprint() in page
    assert "3份中的2份" in page
    words = [open_share(made, KeyStore.open(one / "keys", read_passphrase(one / "passphrase")))[1]
             for one in holders.values()]  # fmt: skip
    assert not any(word in page for word in words)
    restored = open_with_shares(made, words[1:])
    keys = open_key_store(config)
    assert restored.secrets == {name: keys.get(name) for name in keys.names()}
    assert restored.files["node.toml"] == (answering.home / "node.toml").read_bytes()
    (noted,) = events(answering, "key_store_backed_up")
    assert (noted["user"], noted["user_roles"], noted["user_unit"]) == ("boss", "security", "440000000000")
    assert noted["shares"] == "2/3"
    row = re.search(rf"<tr>(?:(?!</tr>).)*{file.name}.*?</tr>", page, re.S)[0]
    assert ">boss<" in row
    keys.add("enrol.2", secrets.token_bytes(32))
    assert "enrol.2" in boss.get("/keys/backups")
    keys.remove("enrol.2")


def test_a_full_folder_and_a_false_holder(
    theirs: dict[str, Browser], answering: Province, holders: dict[str, Path], tmp_path: Path
) -> None:
    boss, folder = theirs["boss"], answering.home / "backups"
    before = len(events(answering, "key_store_backed_up"))
    folder.mkdir(exist_ok=True)
    made = [folder / f"{number}.backup" for number in range(50)]
    for path in made:
        path.touch()
    assert "备份文件夹已满" in boss.get("/keys/backups")
    assert "备份文件夹已满" in post(boss, "/keys/backups", 422)
    for path in made:
        path.unlink()
    settings = answering.node.config.backups.__dict__
    (tmp_path / "x.json").write_text("{}")
    settings["holders"] = (tmp_path / "x.json", *settings["holders"])
    assert "异常" in boss.get("/keys/backups")
    post(boss, "/keys/backups", 422)
    one = next(iter(holders.values())) / "recipient.json"
    settings["holders"] = (one, one)
    assert "two holders have the same key" in post(boss, "/keys/backups", 422)
    assert len(events(answering, "key_store_backed_up")) == before


@pytest.mark.usefixtures("dual_control")
def test_a_backup_needs_two(
    theirs: dict[str, Browser], answering: Province, holders: dict[str, Path]
) -> None:
    boss, tech = theirs["boss"], theirs["tech"]
    before = len(events(answering, "key_store_backed_up"))
    post(boss, "/keys/backups")
    request = asked(boss)
    assert len(events(answering, "key_store_backed_up")) == before
    page = tech.get(f"/requests/{request}")
    assert all(name in page for name in ("2/3", *holders))
    approve(answering, tech, request)
    settings = answering.node.config.backups.__dict__
    named, settings["holders"] = settings["holders"], settings["holders"][:2]
    post(boss, "/keys/backups")
    assert asked(boss) != request  # other holders are another request
    settings["holders"] = named
    boss.get("/requests")
    boss.send("/requests", {"request": request})
    assert "已办理" in boss.page
    assert len(events(answering, "key_store_backed_up")) == before + 1
    newest = re.findall(r"<tr>.*?</tr>", boss.get("/keys/backups").split("已有备份")[-1], re.S)[1]
    assert (">boss<" in newest, ">tech<" in newest) == (True, True)


# ---- certificate
def test_a_certificate_for_a_new_key(theirs: dict[str, Browser], answering: Province, world: World) -> None:
    boss, tls = theirs["boss"], answering.node.config.tls
    boss.client.get("/keys/certificate/request")
    first = open_key_store(answering.node.config).epochs("tls")
    before = tls.certificate.read_bytes()
    boss.get("/keys/certificate")
    boss.send("/keys/certificate", {"action": "request"})
    assert open_key_store(answering.node.config).epochs("tls") == [*first, first[-1] + 1]
    post(boss, "/keys/certificate", action="request")  # again: the same key waits
    assert open_key_store(answering.node.config).epochs("tls") == [*first, first[-1] + 1]
    answer = boss.client.get("/keys/certificate/request")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="request.json"'
    named = EnrolmentRequest.from_json(answer.content, "request").fingerprint()
    assert named in boss.get("/keys/certificate")
    assert tls.certificate.read_bytes() == before
    for bad in (b"{}", b"\xff", b"x" * 100_000, bundle_for(Federation.create(), answer.content)):
        upload(boss, bad, 422)
        assert tls.certificate.read_bytes() == before
    short = bundle_for(world.federation, answer.content, days=1)
    assert "更早到期" in upload(boss, short, 422)
    good = bundle_for(world.federation, answer.content)
    altered = good.replace(b'"salt_version": 1', b'"salt_version": 2')
    assert "未采用" in upload(boss, altered, 422)
    assert tls.certificate.read_bytes() == before
    assert "已采用证书包" in upload(boss, good)
    assert tls.certificate.read_bytes() != before
    assert identity_of(tls.certificate.read_bytes()).code == "44"
    (noted,) = events(answering, "certificate_taken")
    assert (noted["user"], noted["salt_version"]) == ("boss", 1)
    assert "原证书到期前仍有效" in boss.get("/keys/epochs")


@pytest.mark.usefixtures("dual_control")
def test_a_tls_key_needs_two(theirs: dict[str, Browser], answering: Province) -> None:
    boss, before = theirs["boss"], open_key_store(answering.node.config).epochs("tls")
    post(boss, "/keys/certificate", action="request")
    request = asked(boss)
    assert open_key_store(answering.node.config).epochs("tls") == before
    approve(answering, theirs["tech"], request)
    boss.get("/requests")
    boss.send("/requests", {"request": request})
    assert open_key_store(answering.node.config).epochs("tls") == [*before, before[-1] + 1]


# ---- salt
def test_a_change_of_the_salt_as_far_as_it_goes(
    theirs: dict[str, Browser], answering: Province, world: World
) -> None:
    boss = theirs["boss"]
    assert "现在不须办理" in boss.get("/keys/certificate")
    for action in ("begin", "switch"):
        assert "不是当前应办的步骤" in post(boss, "/keys/certificate", 422, action=action)
    answer = boss.client.get("/keys/certificate/request")
    upload(boss, bundle_for(world.federation, answer.content, 2))
    assert "已收到下一版盐" in boss.get("/keys/certificate")
    post(boss, "/keys/certificate", 422, action="switch")
    boss.get("/keys/certificate")
    boss.send("/keys/certificate", {"action": "begin"})
    assert "✓ 完成" in end_of_work(boss)
    page = boss.get("/keys/certificate")
    assert "换盐已开始" in page
    rows = query_database(answering.home, "SELECT DISTINCT item FROM imports")
    for (item,) in rows:
        assert f">{item}</th>" in page
    assert "仍有项目没有以新盐完整导入" in post(boss, "/keys/certificate", 422, action="switch")
    assert "请先勾选确认" in post(boss, "/keys/certificate", 422, action="abandon")
    post(boss, "/keys/certificate", action="abandon", sure="yes")
    assert "放弃换盐" in end_of_work(boss)
    assert "已收到下一版盐" in boss.get("/keys/certificate")
    moved = [one for one in events(answering, "key_state_changed") if one.get("user") == "boss"]
    assert {"pending", "retired"} <= {one["state"] for one in moved if one["purpose"] == "oprf"}


@pytest.mark.usefixtures("dual_control")
def test_a_salt_needs_two(theirs: dict[str, Browser], answering: Province) -> None:
    boss = theirs["boss"]
    post(boss, "/keys/certificate", action="begin")
    request = asked(boss)
    page = theirs["tech"].get(f"/requests/{request}")
    assert ("换盐" in page, "开始换盐" in page) == (True, True)
    assert "已收到下一版盐" in boss.get("/keys/certificate")
    boss.get(f"/requests/{request}")
    boss.send(f"/requests/{request}/withdraw", {})
    assert events(answering, "approval_withdrawn")


# ---- ends
def test_an_old_key_is_retired_and_destroyed(theirs: dict[str, Browser], answering: Province) -> None:
    boss, keys = theirs["boss"], open_key_store(answering.node.config)
    boss.get("/keys")
    boss.send("/works", {"kind": "rotation", "subject": "storage"})
    assert "✓ 完成" in end_of_work(boss)
    page = boss.get("/keys/epochs")
    assert "外省或正在进行的工作可能仍在使用" in page
    old = {"purpose": "storage", "epoch": "1"}
    post(boss, "/keys/epochs", 422, **old, action="destroy", sure="storage.1")  # it is in its grace
    assert "没有可办理" in post(boss, "/keys/epochs", 422, **old, action="retire")
    assert "请先勾选" in post(boss, "/keys/epochs", 422, **old, action="retire_now")
    assert "请先勾选" in post(boss, "/keys/epochs", 422, **old, action="retire_now", sure="storage.2")
    post(boss, "/keys/epochs", **old, action="retire_now", sure="storage.1")
    assert "✓ 完成" in end_of_work(boss)
    assert "这些备份都销毁后可以销毁" in boss.get("/keys/epochs")
    assert "请先勾选" in post(boss, "/keys/epochs", 422, **old, action="destroy")
    assert "storage.1" in keys.names()
    post(boss, "/keys/epochs", 422, purpose="storage", epoch="2", action="destroy", sure="storage.2")
    assert "已销毁：storage.1" in post(boss, "/keys/epochs", **old, action="destroy", sure="storage.1")
    assert "storage.1" not in keys.names()
    post(boss, "/keys/epochs", 422, **old, action="destroy", sure="storage.1")
    moved = [one for one in events(answering, "key_state_changed") if one["purpose"] == "storage"]
    assert [one["state"] for one in moved if one["epoch"] == 1][-2:] == ["retired", "destroyed"]
    assert moved[-1]["user"] == "boss"
    assert "onerror" in boss.get("/users")  # accounts open under the new key without a restart
    boss.get("/account")


@pytest.mark.usefixtures("dual_control")
def test_ends_before_their_time_need_two(theirs: dict[str, Browser], answering: Province) -> None:
    boss, tech, keys = theirs["boss"], theirs["tech"], open_key_store(answering.node.config)
    post(boss, "/works", kind="rotation", subject="storage")
    request = asked(boss)
    approve(answering, tech, request)
    boss.get("/requests")
    boss.send("/requests", {"request": request})
    end_of_work(boss)
    old = {"purpose": "storage", "epoch": "2"}
    for action, words in (("retire_now", "宽限期未满停用密钥"), ("destroy", "销毁密钥")):
        post(boss, "/keys/epochs", **old, action=action, sure="storage.2")
        request = asked(boss)
        assert "storage.2" in keys.names()
        assert words in tech.get(f"/requests/{request}")
        approve(answering, tech, request)
        boss.get("/requests")
        boss.send("/requests", {"request": request})
        assert "已办理" in boss.page
        end_of_work(boss)
    assert "storage.2" not in keys.names()


@pytest.mark.parametrize("purpose", ["tls", "record", "enrol", "paillier", "", "oprf.1"])
def test_what_has_no_end_of_its_own(theirs: dict[str, Browser], purpose: str) -> None:
    fields = {"purpose": purpose, "epoch": "1", "sure": f"{purpose}.1"}
    for action in ("retire", "retire_now", "destroy"):
        post(theirs["boss"], "/keys/epochs", 422, **fields, action=action)
    assert theirs["boss"].client.post(
        "/keys/epochs", data={"csrf": token_of(theirs["boss"], "/keys/epochs"), "action": "sell"}
    ).status_code in (400, 422)


# ---- whose they are
@pytest.mark.parametrize("path", PATHS)
def test_other_roles_are_refused_and_on_record(
    theirs: dict[str, Browser], answering: Province, path: str
) -> None:
    before = len(events(answering, "call_refused"))
    action = "retire" if path == "/keys/epochs" else "request"
    for account in ("tech", "book", "eyes"):
        theirs[account].get(path, status=403)
        token = token_of(theirs[account], "/account")
        answer = theirs[account].client.post(path, data={"csrf": token, "action": action, "purpose": "oprf"})
        assert answer.status_code == 403, (account, path)
    refused = events(answering, "call_refused")[before:]
    assert {one["user"] for one in refused} == {"tech", "book", "eyes"}


@pytest.mark.parametrize("path", PATHS)
def test_pages_in_english(theirs: dict[str, Browser], path: str) -> None:
    boss = theirs["boss"]
    boss.get("/keys")
    boss.send("/language", {"language": "en"})
    main = re.search(r"<main.*</main>", boss.get(path), re.S)[0]
    boss.send("/language", {"language": "zh"})
    assert not re.search(r"[\u4e00-\u9fff]", main)
