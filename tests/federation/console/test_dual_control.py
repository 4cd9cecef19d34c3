"""Two administrators in the browser: one asks, another approves, the first one carries it out."""

import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from keys import KeyStore
from keys.pki.administrators import key_of, public_of
from keys.store.kinds import generate_secret
from node.acting import in_name_of
from node.clock import utc_now
from node.database import approvals as approval_rows
from node.database import audit_log
from node.database import peers as peer_rows
from node.database import users as user_rows
from node.database.approvals import AdminRow
from node.database.tables import approvals as table
from node.domain.quotas import Measure, Window
from node.governance import approvals
from node.governance.approvals import ApprovalNeededError, ApprovalRequest, by_key
from node.governance.quota_settings import set_limit
from tests.support.cluster import Province, query_database
from tests.support.console import PASSWORD, Browser

QUOTA = {"action": "quota", "peer": "45", "quota": "points.hour"}


@pytest.fixture(autouse=True)
def dual_control(answering: Province) -> Iterator[None]:
    settings = answering.node.config.approvals.__dict__
    settings["required"] = True
    yield
    settings["required"] = False
    set_limit(answering.node.config, "45", Measure.POINTS, Window.HOUR, None, answering.node.store)


def fresh(province: Province, *accounts: str) -> None:
    """As if the last code had been long ago: a code is taken once."""
    with province.node.store.transaction("fresh codes", write=True) as tx:
        for account in accounts:
            user_rows.change_user(tx, account, {"totp_step": 0})


def request_of(browser: Browser) -> str:
    return re.search(r"已提出请求([0-9a-f]{16})", browser.page)[1]


def ask_for_quota(boss: Browser, amount: int) -> str:
    boss.get("/access")
    boss.send("/access", {**QUOTA, "amount": str(amount)})
    return request_of(boss)


def approve(province: Province, browser: Browser, account: str, request: str, status: int = 200) -> str:
    fresh(province, account)
    browser.get(f"/requests/{request}")
    fields = {"password": PASSWORD, "code": browser.totp.at(utc_now())}
    return browser.send(f"/requests/{request}", fields, status=status)


def limit(province: Province) -> list[tuple[object, ...]]:
    return query_database(province.home, "SELECT amount FROM quota_limits WHERE peer = '45'")


def test_a_quota_needs_two(theirs: dict[str, Browser], answering: Province) -> None:
    boss, tech = theirs["boss"], theirs["tech"]
    request = ask_for_quota(boss, 900_000_001)
    assert ask_for_quota(boss, 900_000_001) == request  # once more is the same request
    assert limit(answering) == []
    assert "待我批准的请求" in boss.get("/")
    boss.get(f"/requests/{request}")
    assert "须由另一位管理员批准" in boss.page
    assert 'name="password"' not in boss.page
    assert "提高配额" in tech.get("/requests")
    assert "查询点 每小时 (points.hour)" in tech.page
    ((name,),) = query_database(answering.home, "SELECT name FROM peers WHERE code = '45'")
    assert name
    assert f"外省节点 45 {name}" in tech.page
    assert "核对并批准" in tech.page
    approve(answering, tech, "tech", request)
    assert "已批准请求" in tech.page
    boss.get("/requests")
    boss.send("/requests", {"request": request})
    assert "已办理" in boss.page
    assert "900,000,001" in boss.get("/access")
    boss.get("/access")
    boss.send("/access", {**QUOTA, "amount": "5"})  # less needs nobody else
    assert ask_for_quota(boss, 900_000_001) != request  # an approval is good once


def test_a_request_names_the_key_in_words(theirs: dict[str, Browser]) -> None:
    boss = theirs["boss"]
    boss.get("/keys")
    boss.send("/works", {"kind": "rotation", "subject": "signing"})
    request = request_of(boss)
    for page in (boss.get(f"/requests/{request}"), boss.get("/requests")):
        assert "签名密钥" in page
        assert "signing" not in page


def withdraw(browser: Browser, request: str) -> int:
    """By hand, where no page has the form: the status."""
    token = re.search(r'name="csrf" value="([0-9a-f]+)"', browser.get("/requests"))[1]
    return browser.client.post(f"/requests/{request}/withdraw", data={"csrf": token}).status_code


def test_only_the_requester_withdraws_a_request(theirs: dict[str, Browser], answering: Province) -> None:
    boss, tech = theirs["boss"], theirs["tech"]
    request = ask_for_quota(boss, 900_000_009)
    assert "撤回请求" not in tech.get(f"/requests/{request}")
    assert withdraw(tech, request) in (404, 422)
    approve(answering, tech, "tech", request)
    assert "撤回请求" in boss.get(f"/requests/{request}")
    boss.send(f"/requests/{request}/withdraw", {})
    assert f"已撤回请求{request}" in boss.page
    assert withdraw(boss, request) in (404, 422)
    assert ask_for_quota(boss, 900_000_009) != request  # its approval is gone too
    found = query_database(answering.home, "SELECT details FROM audit WHERE event = 'approval_withdrawn'")
    assert request in [json.loads(str(row[0]))["id"] for row in found]  # others are of other tests


def test_a_request_of_a_command_is_withdrawn_by_the_account_that_ran_it(
    theirs: dict[str, Browser], answering: Province, tmp_path: Path
) -> None:
    boss, tech = theirs["boss"], theirs["tech"]
    store = answering.node.store
    keys = {name: KeyStore.create(tmp_path / name, b"passphrase of " + name.encode()) for name in "ab"}
    with store.transaction("enrol", write=True) as tx:
        for name, one in keys.items():
            one.add("signing.1", generate_secret("signing"))
            approval_rows.add_admin(tx, AdminRow(name, public_of(key_of(one)), utc_now()))
    asked = ApprovalRequest("keys rotate", {"purpose": "oprf"})
    with in_name_of("boss", "security", "440000000000"), pytest.raises(ApprovalNeededError) as needed:
        approvals.require(store, asked, by_key(keys["a"]), utc_now(), timedelta(hours=1))
    request = needed.value.details["request"]
    assert "撤回请求" not in tech.get(f"/requests/{request}")
    assert withdraw(tech, request) == 422
    page = boss.get(f"/requests/{request}")
    assert "heqiao approve" in page
    assert "撤回请求" in boss.get("/requests")
    boss.get(f"/requests/{request}")
    boss.send(f"/requests/{request}/withdraw", {})
    assert f"已撤回请求{request}" in boss.page
    assert query_database(answering.home, f"SELECT id FROM approvals WHERE id = '{request}'") == []
    refused = query_database(answering.home, "SELECT details FROM audit WHERE event = 'withdrawal_refused'")
    assert [json.loads(str(row[0]))["user"] for row in refused][-1] == "tech"


def test_nobody_approves_the_own_request(theirs: dict[str, Browser], answering: Province) -> None:
    boss = theirs["boss"]
    request = ask_for_quota(boss, 900_000_002)
    fresh(answering, "boss")
    boss.get("/requests")
    digest = query_database(answering.home, f"SELECT digest FROM approvals WHERE id = '{request}'")[0][0]
    token = re.search(r'name="csrf" value="([0-9a-f]+)"', boss.page)[1]
    fields = {"csrf": token, "digest": digest, "password": PASSWORD, "code": boss.totp.at(utc_now())}
    answer = boss.client.post(f"/requests/{request}", data=fields)
    assert answer.status_code == 422
    assert "提出人不能批准自己的请求" in answer.text


def test_a_wrong_password_or_an_old_code_approves_nothing(
    theirs: dict[str, Browser], answering: Province
) -> None:
    tech, request = theirs["tech"], ask_for_quota(theirs["boss"], 900_000_003)
    fresh(answering, "tech")
    tech.get(f"/requests/{request}")
    code = tech.totp.at(utc_now())
    tech.send(f"/requests/{request}", {"password": "wrong" * 4, "code": code}, status=422)
    tech.send(f"/requests/{request}", {"password": PASSWORD, "code": "000000"}, status=422)
    approve(answering, tech, "tech", request)
    other = ask_for_quota(theirs["boss"], 900_000_004)
    tech.get(f"/requests/{other}")
    used = {"password": PASSWORD, "code": tech.totp.at(utc_now())}
    tech.send(f"/requests/{other}", used, status=422)


def test_who_has_no_right_to_it_does_not_approve(
    theirs: dict[str, Browser], browsers: dict[str, Browser]
) -> None:
    request = ask_for_quota(theirs["boss"], 900_000_005)
    theirs["eyes"].get("/requests", status=403)
    theirs["eyes"].get(f"/requests/{request}", status=403)
    browsers["near"].get("/requests", status=403)  # of a county
    browsers["prep"].get("/requests", status=403)


def test_of_two_approvers_at_once_one_is_first(theirs: dict[str, Browser], answering: Province) -> None:
    request = ask_for_quota(theirs["boss"], 900_000_006)
    fresh(answering, "tech", "book")

    def try_it(account: str) -> int:
        browser = theirs[account]
        hidden = re.search(r'name="digest" value="([0-9a-f]{64})"', browser.page)[1]
        token = re.search(r'name="csrf" value="([0-9a-f]+)"', browser.page)[1]
        fields = {"csrf": token, "digest": hidden, "password": PASSWORD, "code": browser.totp.at(utc_now())}
        return browser.client.post(f"/requests/{request}", data=fields).status_code

    for account in ("tech", "book"):
        theirs[account].get(f"/requests/{request}")
    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(try_it, ("tech", "book"))) == [200, 422]
    given = query_database(answering.home, "SELECT details FROM audit WHERE event = 'approval_given'")
    assert sum(json.loads(str(one[0]))["id"] == request for one in given) == 1


@pytest.mark.parametrize("column", ["details", "requester", "asked_signature", "expires_at"])
def test_an_altered_request_is_not_approved(
    theirs: dict[str, Browser], answering: Province, column: str
) -> None:
    request = ask_for_quota(theirs["boss"], 900_000_007)
    values = {
        "details": '{"amount": 900000008, "peer": "45", "quota": "points.hour"}',
        "requester": "account:book",
        "asked_signature": bytes(64),
        "expires_at": "2099-01-01T00:00:00+00:00",
    }
    with answering.node.store.transaction("alter", write=True) as tx:
        tx.execute(update(table).where(table.c.id == request).values({column: values[column]}))
    page = approve(answering, theirs["tech"], "tech", request, status=422)
    assert "与提出人签名的内容不符" in page
    with answering.node.store.transaction("clear", write=True) as tx:
        tx.execute(table.delete().where(table.c.id == request))


def test_a_request_that_changed_after_it_was_shown(theirs: dict[str, Browser], answering: Province) -> None:
    """The form names the digest of what was shown."""
    tech, request = theirs["tech"], ask_for_quota(theirs["boss"], 900_000_009)
    tech.get(f"/requests/{request}")
    tech.page = re.sub(r'name="digest" value="[0-9a-f]{64}"', f'name="digest" value="{"0" * 64}"', tech.page)
    fresh(answering, "tech")
    fields = {"password": PASSWORD, "code": tech.totp.at(utc_now())}
    assert "不符" in tech.send(f"/requests/{request}", fields, status=422)


def test_an_approval_that_nobody_gave_is_none(theirs: dict[str, Browser], answering: Province) -> None:
    boss, request = theirs["boss"], ask_for_quota(theirs["boss"], 900_000_010)
    values = {"approver": "account:tech", "approved_at": utc_now(), "given_signature": bytes(64)}
    with answering.node.store.transaction("forge", write=True) as tx:
        tx.execute(update(table).where(table.c.id == request).values(values))
    boss.get("/requests")
    boss.send("/requests", {"request": request}, status=403)
    assert limit(answering) != [(900_000_010,)]
    with answering.node.store.transaction("clear", write=True) as tx:
        tx.execute(table.delete().where(table.c.id == request))


def test_an_approval_ends_with_its_approver(theirs: dict[str, Browser], answering: Province) -> None:
    boss, request = theirs["boss"], ask_for_quota(theirs["boss"], 900_000_011)
    approve(answering, theirs["tech"], "tech", request)
    with answering.node.store.transaction("a leaver", write=True) as tx:
        user_rows.change_user(tx, "tech", {"disabled_at": utc_now()})
    boss.get("/requests")
    boss.send("/requests", {"request": request}, status=403)
    with answering.node.store.transaction("put back", write=True) as tx:
        user_rows.change_user(tx, "tech", {"disabled_at": None})
        tx.execute(table.delete().where(table.c.id == request))


def test_an_account_that_could_approve_is_made_by_two(
    theirs: dict[str, Browser], answering: Province
) -> None:
    """Else a security administrator would make a second self."""
    boss = theirs["boss"]
    new = {"account": "puppet", "name": "甲", "unit": "440000000000", "roles": ["audit"]}
    boss.get("/users")
    boss.send("/users", new)
    request = request_of(boss)
    with answering.node.store.transaction("look") as tx:
        assert user_rows.find_user(tx, "puppet") is None
    boss.send("/users/change", {"account": "tech", "action": "reset"})
    assert request_of(boss) != request
    approve(answering, theirs["book"], "book", request)
    boss.get("/users")
    boss.send("/users", new)
    with answering.node.store.transaction("look") as tx:
        assert user_rows.find_user(tx, "puppet") is not None


def test_removing_a_peer_needs_two_and_is_on_record(theirs: dict[str, Browser], answering: Province) -> None:
    tech = theirs["tech"]
    with answering.node.store.transaction("find peer") as tx:
        before = peer_rows.find_peer(tx, "45")
    tech.get("/peers")
    tech.send("/peers", {"code": "45", "action": "remove", "sure": "yes"})
    request = request_of(tech)
    with answering.node.store.transaction("find peer") as tx:
        assert peer_rows.find_peer(tx, "45") == before
    approve(answering, theirs["boss"], "boss", request)
    tech.get("/requests")
    tech.send("/requests", {"request": request})
    with answering.node.store.transaction("look, and put it back", write=True) as tx:
        assert peer_rows.find_peer(tx, "45") is None
        peer_rows.put_peer(tx, before, utc_now())
        found = {one.event: json.loads(one.details) for one in audit_log.events(tx)}
    used = found["approval_used"]
    assert (used["requester"], used["approver"]) == ("account:tech", "account:boss")
    assert (used["user"], used["user_roles"], used["user_unit"]) == ("tech", "system", "440000000000")
    given = found["approval_given"]
    assert (given["user"], given["user_roles"]) == ("boss", "security")
