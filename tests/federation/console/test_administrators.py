"""The pages of administrators at the console of 44, which 45 asks: what they show, do, and refuse."""

import ast
import json
import re
from dataclasses import replace
from datetime import timedelta, timezone

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from keys import identity_of
from node.clock import utc_now
from node.config import open_key_store
from node.console.app import PAGES
from node.console.pages.health import ADVICE
from node.database import peers as peer_rows
from node.domain.peers import PeerRow
from node.governance.peer_certificates import note_certificate
from node.governance.peers import put_peer
from node.rotation.status import read_status
from node.services.checks import check_peer
from node.services.health_cards import read_cards
from tests.support.cli_runner import ok
from tests.support.cluster import Province, World, move_peer, query_database, read_verification, run_job
from tests.support.console import Browser
from tests.support.paths import ROOT

OF_ADMINISTRATORS = ("/health", "/peers", "/incoming", "/imports", "/audit", "/keys", "/access")
QUOTA = {"action": "quota", "peer": "45", "quota": "points.hour"}


def peer_of(province: Province, code: str) -> PeerRow:
    with province.node.store.transaction("find peer") as tx:
        found = peer_rows.find_peer(tx, code)
    assert found is not None
    return found


def entries_of(page: str) -> list[str]:
    return re.findall(r'hq-nav__link[^"]*" href="([^"]+)"', page)


@pytest.fixture(scope="module")
def asked(world: World, node: Province, answering: Province) -> str:
    """A number of a person that 45 asked 44 about."""
    verification = read_verification(world.data, ("C21",), ("44",), most=5)
    run_job(node, "v-console", verification)
    return verification.subjects[0].identities[0].value


def test_nothing_is_offered_that_is_refused(browsers: dict[str, Browser], theirs: dict[str, Browser]) -> None:
    for browser in (*browsers.values(), *theirs.values()):
        entries = entries_of(browser.get("/"))
        assert 3 <= len(entries) <= 8
        for path in entries:
            browser.get(path)


def test_an_administrator_opens_no_case(browsers: dict[str, Browser]) -> None:
    for account in ("boss", "tech", "book", "eyes"):
        for path in ("/jobs", "/jobs/v-0000000000000000", "/checks", "/approvals"):
            page = browsers[account].get(path, status=403)
            assert "规则" in page
    for account in ("prep", "appr"):
        for path in set(OF_ADMINISTRATORS) - {"/peers"}:
            browsers[account].get(path, status=403)
    assert "/peers" in {path for path, _, _ in PAGES}


def test_an_administrator_of_a_county_is_told_whose_the_keys_are(browsers: dict[str, Browser]) -> None:
    near = browsers["near"]
    assert not {"/keys", "/access"} & set(entries_of(near.get("/")))
    for path in ("/keys", "/access"):
        assert "此项涉及全省" in near.get(path, status=403)
    assert "确认移除" not in near.get("/peers")


def test_a_form_that_a_role_may_not_send(theirs: dict[str, Browser]) -> None:
    """Another role's action, with a good token of the own session."""
    tries = (
        ("tech", "/access", {**QUOTA, "amount": "1"}),
        ("book", "/peers", {"action": "pause", "code": "45"}),
        ("boss", "/peers", {"action": "remove", "code": "45", "sure": "yes"}),
        ("boss", "/audit/export", {}),
        ("eyes", "/audit/verify", {}),
    )
    for account, path, fields in tries:
        theirs[account].get("/")
        token = re.search(r'name="csrf" value="([0-9a-f]+)"', theirs[account].page)[1]
        answer = theirs[account].client.post(path, data={"csrf": token, **fields})
        assert answer.status_code == 403, (account, path)
        assert "您的角色没有此项权限" in answer.text


def test_health_says_state_figures_and_time(theirs: dict[str, Browser]) -> None:
    page = theirs["eyes"].get("/health")
    for words in ("磁盘", "数据库", "时钟", "证书", "目录", "任务队列", "镜像", "尚未备份"):
        assert words in page
    assert re.search(r"还有\d+天到期", page)
    assert "✓ 正常" in page
    assert "/requests" not in page  # an observer does not read requests
    assert "请备份密钥" in page
    assert "make room" not in page
    theirs["eyes"].send("/language", {"language": "en"})
    assert re.search(r"\d+ days left", theirs["eyes"].get("/health"))
    assert "Back up the keys" in theirs["eyes"].page
    theirs["eyes"].send("/language", {"language": "zh"})


def test_queries_of_a_peer_without_any_subject(theirs: dict[str, Browser], asked: str) -> None:
    page = theirs["book"].get("/incoming")
    row = re.findall(r"<tr>.*?</tr>", page, re.S)[1]
    for words in (">45<", "核对", "C21", "new_application", "已答复"):
        assert words in row, words
    assert re.search(r"≤(\d+)", row)
    assert asked not in page
    assert "没有受托查询" in theirs["book"].get("/incoming?peer=46")
    assert "没有受托查询" in theirs["book"].get("/incoming?offset=9999")
    theirs["book"].get("/incoming?offset=-1")
    theirs["book"].get("/incoming?peer=%3Cb%3E", status=400)


def test_imports_add_up(theirs: dict[str, Browser], answering: Province) -> None:
    page = theirs["tech"].get("/imports")
    rows = query_database(answering.home, "SELECT item, tally FROM imports")
    assert rows
    for item, text in rows:
        tally = json.loads(str(text))
        assert tally["read"] == tally["accepted"] + tally["duplicates"] + tally["rejected"]
        cells = [f"{tally[name]:,}" for name in ("read", "accepted", "duplicates", "rejected")]
        shown = "".join(f'<td class="govuk-table__cell">{cell}</td>' for cell in cells)
        assert f'<td class="govuk-table__cell">{item}</td>' in page
        assert shown in page
    assert "有效" in page


def test_keys_are_those_of_the_command(theirs: dict[str, Browser], answering: Province) -> None:
    page, config = theirs["boss"].get("/keys"), answering.node.config
    for line in read_status(config, open_key_store(config), utc_now()).keys:
        assert line.facts.fingerprint in page
    assert "使用中" in page
    assert "从未" in page  # no backup


def test_a_quota_a_suspension_and_grants(theirs: dict[str, Browser], answering: Province) -> None:
    boss = theirs["boss"]
    before = peer_of(answering, "45").granted
    boss.get("/access")
    boss.send("/access", {**QUOTA, "amount": "4321"})
    assert "4,321" in boss.page
    boss.send("/access", {**QUOTA, "amount": ""})
    assert "4,321" not in boss.page
    boss.send("/access", {**QUOTA, "amount": "-1"}, status=422)
    boss.send("/access", {**QUOTA, "quota": "points.year", "amount": "1"}, status=422)
    boss.send("/access", {"action": "suspend", "peer": "45", "measure": "sums"})
    assert "解除暂停" in boss.page
    boss.send("/access", {"action": "lift", "peer": "45", "measure": "sums"})
    assert "解除暂停" not in boss.page
    page = boss.send("/access", {"action": "grants", "peer": "45", "grants": "45、X:99"}, status=422)
    assert "授权写法有误" in page
    boss.send("/access", {"action": "grants", "peer": "45", "grants": " "}, status=422)
    boss.send("/access", {"action": "grants", "peer": "45", "grants": "45, C23:45"})
    assert peer_of(answering, "45").granted == ["45", "C23:45"]
    boss.send("/access", {"action": "grants", "peer": "45", "grants": " ".join(before)})
    assert peer_of(answering, "45").granted == before
    assert "修改由以下角色办理：安全管理员" in theirs["tech"].get("/access")
    assert 'action="/access"' not in theirs["tech"].page


def test_a_connection_fails_with_a_reason_and_is_mended(
    theirs: dict[str, Browser], node: Province, answering: Province
) -> None:
    tech = theirs["tech"]
    tech.get("/peers")
    page = tech.send("/peers", {"code": "45", "action": "test"})
    assert page.count("✗ 未通过") == 1
    assert "连接与双方证书" in page
    move_peer(answering.node, "45", node.port)
    page = tech.send("/peers", {"code": "45", "action": "test"})
    assert page.count("✓ 通过") == 3  # 45 grants nothing, and only asks
    assert "it only asks" in page
    tech.send("/peers", {"code": "99", "action": "test"}, status=422)
    tech.send("/peers", {"code": "45", "action": "sell"}, status=422)


def test_every_hint_of_a_card_has_its_words(answering: Province) -> None:
    cards = [card.finding for card in read_cards(answering.node)]
    assert any(one.hint for one in cards)
    assert [one.check for one in cards if bool(one.hint) != (one.advice in ADVICE)] == []
    # Every word that a check may say, whatever is wrong today.
    told = [
        node.value
        for name in ("checks", "health_cards")
        for node in ast.walk(ast.parse((ROOT / f"node/services/{name}.py").read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    assert set(ADVICE) <= set(told)


def test_a_peer_is_shown_with_its_certificate(
    theirs: dict[str, Browser], node: Province, answering: Province, asked: str
) -> None:
    assert asked
    certificate = x509.load_pem_x509_certificate(node.node.keys.certificate)
    fingerprint = certificate.fingerprint(hashes.SHA256()).hex()
    page = theirs["tech"].get("/peers")
    assert fingerprint[:16] in page
    until = certificate.not_valid_after_utc.astimezone(timezone(timedelta(hours=8)))
    assert f"至{until.year}年{until.month}月{until.day}日" in page
    assert "即将到期" not in page
    listed = json.loads(ok("peers", "list", "--home", answering.node.config.folder, "--json"))
    (of_asker,) = (one for one in listed["peers"] if one["code"] == "45")
    assert of_asker["certificate"]["fingerprint"] == fingerprint
    assert of_asker["certificate"]["valid_until"] == certificate.not_valid_after_utc.isoformat()
    # A certificate near its end is told; a new card keeps when the peer was registered, and the certificate.
    soon = replace(identity_of(node.node.keys.certificate), not_after=utc_now() + timedelta(days=3))
    store = answering.node.store
    with store.transaction("registered") as tx:
        before = peer_rows.read_registrations(tx)["45"]
    note_certificate(store, soon)
    assert "即将到期" in theirs["tech"].get("/peers")
    put_peer(answering.node.config, peer_of(answering, "45"), utc_now(), store)
    with store.transaction("registered") as tx:
        after = peer_rows.read_registrations(tx)["45"]
    assert after.added_at == before.added_at
    assert after.certificate is not None
    assert after.certificate.fingerprint == fingerprint
    note_certificate(
        store, replace(soon, fingerprint="00" * 32, not_before=soon.not_before - timedelta(days=9))
    )
    with store.transaction("an older one changes nothing") as tx:
        assert peer_rows.read_registrations(tx)["45"] == after


def test_a_paused_peer_is_neither_asked_nor_answered(
    theirs: dict[str, Browser], node: Province, answering: Province
) -> None:
    tech, asks = theirs["tech"], peer_of(node, "44")
    assert [step.good for step in check_peer(node.node, asks)] == [True, True, True]
    tech.get("/peers")
    assert "! 已暂停" in tech.send("/peers", {"code": "45", "action": "pause"})
    assert [step.good for step in check_peer(node.node, asks)] == [False]
    assert "该省节点已暂停" in tech.send("/peers", {"code": "45", "action": "test"}, status=422)
    assert json.loads(ok("peers", "list", "--json", "--home", answering.home))["peers"][0]["paused"]
    tech.send("/peers", {"code": "45", "action": "resume"})
    assert [step.good for step in check_peer(node.node, asks)] == [True, True, True]


def test_removing_a_peer_needs_a_tick(theirs: dict[str, Browser], answering: Province) -> None:
    tech, before = theirs["tech"], peer_of(answering, "45")
    tech.get("/peers")
    assert "请先勾选" in tech.send("/peers", {"code": "45", "action": "remove"}, status=422)
    tech.send("/peers", {"code": "45", "action": "remove", "sure": "yes"})
    with answering.node.store.transaction("look, and put it back", write=True) as tx:
        assert peer_rows.find_peer(tx, "45") is None
        peer_rows.put_peer(tx, before, utc_now())


def test_the_chain_is_read_chosen_verified_and_exported(
    theirs: dict[str, Browser], answering: Province
) -> None:
    book = theirs["book"]
    theirs["eyes"].get("/keys", status=403)
    book.get("/audit")
    page = book.send("/audit", {"event": "call_refused", "user": "eyes", "offset": "0"})
    assert "OverviewService/GetKeys" in page
    assert "observer" not in page.split("<tbody>")[0]
    assert "user=eyes" not in str(book.client.get("/audit").url)
    assert "链完整" in book.send("/audit/verify", {})
    answer = book.client.post("/audit/export", data={**_token(book), "event": "call_refused"})
    assert answer.headers["Content-Disposition"] == 'attachment; filename="audit-events.jsonl"'
    events = [json.loads(line) for line in answer.text.splitlines()]
    assert events
    assert {one["event"] for one in events} == {"call_refused"}
    assert [one["seq"] for one in events] == sorted(one["seq"] for one in events)
    noted = query_database(answering.home, "SELECT details FROM audit WHERE event = 'audit_exported'")
    assert json.loads(str(noted[0][0]))["user"] == "book"
    for bad in ({"peer": "4"}, {"from_day": "2026-13-01"}, {"event": "x" * 64 + "%"}, {"user": "%"}):
        answer = book.client.post("/audit", data={**_token(book), **bad})
        assert answer.status_code in (400, 422), bad


def _token(browser: Browser) -> dict[str, str]:
    browser.get("/audit")
    return {"csrf": re.search(r'name="csrf" value="([0-9a-f]+)"', browser.page)[1]}
