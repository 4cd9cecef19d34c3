"""The county's day in a browser, with scripts and without, by mouse and by keyboard."""

from functools import partial
from typing import Any

import pytest

from node.console.words import say
from testbed import trial
from tests.support.console_site import Site, Window, window

SCAN = {"name": "授权书.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7 scan"}


def sign_in(one: Window, site: Site, account: str, lang: str) -> None:
    """As a person does: account and password, then the code."""
    person, words = site.people[account], partial(say, lang)
    site.fresh_codes(account)
    one.go("/sign-in")
    one.page.get_by_label(words("账号")).fill(account)
    one.page.get_by_label(words("密码")).fill(trial.PASSWORD)
    one.press(words("下一步"))
    one.page.get_by_label(words("动态口令")).fill(person.code())
    one.press(words("登录"))


def tab_to(page: Any, name: str) -> None:
    """Go on with the Tab key until a field has the focus, which is seen at every stop."""
    for _ in range(40):
        page.keyboard.press("Tab")
        focus = page.evaluate(
            "(function () { var one = document.activeElement, style = getComputedStyle(one);"
            " return [one.id, style.outlineStyle !== 'none' || style.boxShadow !== 'none']; })()"
        )
        assert focus[1], "the focus is not seen"
        if focus[0] == name:
            return
    raise AssertionError(f"no way to {name} by keyboard")


def type_in(page: Any, **fields: str) -> None:
    """Fill a form from top to bottom and send it, with the keyboard alone."""
    for name, text in fields.items():
        tab_to(page, name)
        page.keyboard.type(text)
    with page.expect_navigation():
        page.keyboard.press("Enter")


def prepare(one: Window, site: Site, household: int, lang: str) -> str:
    """A draft with one person, sent when nothing is missing; its address."""
    words, person = partial(say, lang), site.lists.households[household][0]
    one.go("/checks")
    one.press(words("新建一户核对"))
    address = one.page.url.partition("?")[0]
    one.page.get_by_label(words("姓名")).fill(person.name)
    one.page.get_by_label(words("证件号码"), exact=True).fill(person.identities[0].value)
    one.press(words("添加"))
    assert person.identities[0].value not in one.text()
    one.page.get_by_label(words("家庭编号")).fill(f"browser-{household}")
    one.press(words("保存并继续"))
    one.page.goto(f"{address}?step=review")
    assert words("第{no}人没有授权书", no=1) in one.text()
    assert one.page.get_by_role("button", name=words("提交复核")).is_disabled()
    authorise(one, household, lang)
    one.page.goto(f"{address}?step=items")
    for code in ("C21", "Z59b"):
        one.page.locator(f"#items-{code}").check()
    one.page.locator("#peers-44").check()
    one.press(words("保存并继续"))
    assert words("第{no}人没有授权书", no=1) not in one.text()
    one.press(words("提交复核"))
    return address.rpartition("/")[2]


def authorise(one: Window, household: int, lang: str) -> None:
    """What was missing, by the link that names it."""
    words = partial(say, lang)
    one.page.get_by_role("link", name=words("第{no}人没有授权书", no=1)).click()
    one.page.get_by_label(words("授权书编号"), exact=True).fill(f"B{household}")
    one.page.locator("#members-1").check()
    one.page.get_by_label(words("签署人")).fill("韦某")
    one.page.get_by_label(words("委托单位")).fill("马山县民政局")
    one.page.get_by_label(words("签署日期")).fill("2026-01-01")
    one.page.get_by_label(words("有效期至（与失效事件二选一）")).fill("2030-12-31")
    one.page.locator("#scan").set_input_files(SCAN)
    one.press(words("添加"))


def approve(one: Window, site: Site, draft: str, *, keyboard: bool) -> None:
    """Password and code again, with the keyboard or with the mouse."""
    one.go(f"/approvals/{draft}")
    site.fresh_codes("he")
    fields = {"password": trial.PASSWORD, "code": site.people["he"].code()}
    if keyboard:
        type_in(one.page, **fields)
        return
    for name, text in fields.items():
        one.page.locator(f"#{name}").fill(text)
    one.page.locator("button[value=approve]").click()


@pytest.mark.parametrize(("lang", "script", "household"), [("zh", True, 8), ("en", False, 9)])
def test_a_countys_day(browser: Any, site: Site, lang: str, script: bool, household: int) -> None:
    words = partial(say, lang)
    with window(browser, site, lang=lang, script=script) as li:
        sign_in(li, site, "li", lang)
        assert words("待我处理") in li.text()
        draft = prepare(li, site, household, lang)
        assert draft in li.text()
        with window(browser, site, "he", lang=lang, script=script) as he:
            approve(he, site, draft, keyboard=script)
            job = he.page.url.rpartition("/")[2]
        li.go(f"/jobs/{job}")
        # With scripts the page changes by itself; without, it loads itself again every five seconds.
        li.page.get_by_role("link", name=words("查看核对结果")).click(timeout=60_000)
        li.note()
        li.page.get_by_role("heading", level=1, name=words("核对结果")).wait_for()
        assert f"browser-{household}/1" in li.text()


def test_signing_in_by_keyboard(browser: Any, site: Site) -> None:
    site.fresh_codes("he")
    with window(browser, site) as one:
        one.go("/sign-in")
        type_in(one.page, account="he", password=trial.PASSWORD)
        type_in(one.page, code=site.people["he"].code())
        assert "待我处理" in one.text()
