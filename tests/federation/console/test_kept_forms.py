"""A session ends while somebody types: it is there again after signing in; reports are verified."""

import re

import pytest

from node.database import users as rows
from node.domain.users import Role
from tests.support.console import PASSWORD, Browser, add_accounts, forms_of, sign_in_all
from tests.support.console_site import Site

NUMBER = "449999190001010034"
COUNTY = "450124000000"


@pytest.fixture(scope="module")
def tan_and_su(site: Site) -> dict[str, Browser]:
    who = {"tan": (COUNTY, Role.PREPARER), "su": (COUNTY, Role.PREPARER)}
    return sign_in_all(site.app, add_accounts(site.node.node, who))


def end(site: Site, account: str) -> None:
    """As after 15 minutes without a call."""
    with site.node.node.store.transaction("end", write=True) as tx:
        rows.end_sessions(tx, account, b"")


def typed(site: Site, tan: Browser) -> tuple[str, str]:
    """The path of a draft, and the page that answers after the session ended."""
    tan.get("/checks")
    tan.send("/checks", {})
    path = next(action for action in forms_of(tan.page) if action.startswith("/checks/d-"))
    tan.get(path)
    end(site, "tan")
    return path, tan.send(path, {"action": "add_member", "name": "韦小明", "id_no": NUMBER}, status=403)


def sign_in(site: Site, browser: Browser, account: str, totp: object) -> str:
    browser.send("/sign-in", {"account": account, "password": "wrong"}, status=403)
    browser.send("/sign-in", {"account": account, "password": PASSWORD})
    site.fresh_codes(account)
    return browser.send("/sign-in/code", {"code": totp.now()})  # type: ignore[attr-defined]


def test_what_was_typed_is_sent_after_signing_in_again(site: Site, tan_and_su: dict[str, Browser]) -> None:
    tan = tan_and_su["tan"]
    path, page = typed(site, tan)
    assert "刚才填写的内容已保留" in page
    assert NUMBER not in page  # whoever sits there now reads nothing
    assert "韦小明" not in page
    page = sign_in(site, tan, "tan", tan.totp)
    assert "继续刚才的工作" in page
    assert "449999********0034" in tan.send(path, {})


def test_another_account_is_not_given_it(site: Site, tan_and_su: dict[str, Browser]) -> None:
    tan, su = tan_and_su["tan"], tan_and_su["su"]
    _, page = typed(site, tan)
    kept = re.search(r'name="kept" value="([^"]+)"', page)[1]  # type: ignore[index]
    end(site, "su")
    su.client.cookies.clear()
    su.get("/sign-in")
    su.send("/sign-in", {"account": "su", "password": PASSWORD, "kept": kept})
    site.fresh_codes("su")
    page = su.send("/sign-in/code", {"code": su.totp.now()})
    assert "继续刚才的工作" not in page
    assert NUMBER not in page
    sign_in(site, tan, "tan", tan.totp)


@pytest.mark.parametrize("kept", ["", "AAAA", "x" * 60, "é"])
def test_what_is_no_kept_form_is_nothing(site: Site, tan_and_su: dict[str, Browser], kept: str) -> None:
    su = tan_and_su["su"]
    su.client.cookies.clear()
    su.get("/sign-in")
    su.send("/sign-in", {"account": "su", "password": PASSWORD, "kept": kept})
    site.fresh_codes("su")
    assert "工作台" in su.send("/sign-in/code", {"code": su.totp.now()})


def test_a_second_sign_in_is_shown(site: Site, tan_and_su: dict[str, Browser]) -> None:
    su = tan_and_su["su"]
    assert "您的账号另有" in su.get("/")


def test_a_report_is_verified_and_an_altered_one_is_named(site: Site, li: Browser) -> None:
    content = li.client.get(f"/jobs/{site.made.job}/files/json").content
    li.get("/verify")
    assert "✓ 与签发时一致" in li.send("/verify", {}, files={"file": ("../x.json", content, "")})
    altered = content.replace(b"new_application", b"review", 1)
    assert altered != content
    page = li.send("/verify", {}, files={"file": ("x.json", altered, "")})
    assert "✗ 与签发时不一致" in page
    assert "报告抬头" in page
    assert "请选择报告文件" in li.send("/verify", {}, files={"file": ("x.exe", b"a", "")}, status=422)
    assert "请选择报告文件" in li.send("/verify", {}, status=422)
    for account in ("qin", "lu"):
        assert "验证报告" in site.browser(account).get("/verify")
