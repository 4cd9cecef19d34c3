"""The administrators' day in a browser: a card, a test that fails, a mirror, a key rotated by two people."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from keys.pki.enrolment import NodeCard, make_card
from matcher.suites.suite import CURRENT
from node.config import open_key_store
from node.console.words import say
from testbed import trial
from tests.support.cluster import Province
from tests.support.console_site import Site, Window, shoot, window
from tests.support.ports import free_port

PEER = "33"


@pytest.fixture
def dual_control(site: Site) -> Iterator[None]:
    settings = site.node.node.config.approvals.__dict__
    settings["required"] = True
    yield
    settings["required"] = False


def card_of(province: Province, port: int) -> NodeCard:
    config = province.node.config
    keys, address = open_key_store(config), f"127.0.0.1:{port}"
    return make_card(keys, config.node.code, config.node.name, address, [CURRENT.name])


def add_peer(one: Window, card: NodeCard, fingerprint: str, lang: str, address: str = "") -> None:
    one.go("/peers")
    file = {"name": "33.card", "mimeType": "application/json", "buffer": card.to_json()}
    one.page.locator("#card").set_input_files(file)
    one.page.locator("#fingerprint").fill(fingerprint)
    one.page.locator("#address").fill(address)
    one.press(say(lang, "添加"))


def press_for_peer(one: Window, words: str) -> None:
    one.press(f"{words} {PEER}")


def wait_until_done(one: Window, lang: str) -> None:
    """With scripts the page changes by itself; without, it loads itself again."""
    one.page.get_by_role("row").nth(1).get_by_text(f"✓ {say(lang, '完成')}").wait_for()
    one.note()


def approve_by_keyboard(one: Window, site: Site, account: str) -> None:
    """Password, Tab, code, Enter."""
    site.fresh_codes(account)
    one.page.locator("#password").focus()
    one.page.keyboard.type(trial.PASSWORD)
    one.page.keyboard.press("Tab")
    one.page.keyboard.type(site.people[account].code())
    with one.page.expect_navigation():
        one.page.keyboard.press("Enter")


def connect(one: Window, site: Site, lang: str) -> None:
    """A peer by card and fingerprint, a test that fails with a reason, mended, and its mirror."""
    words, theirs = partial(say, lang), site.provinces[PEER]
    card = card_of(theirs, free_port())
    right = card.fingerprint()
    add_peer(one, card, right[:-1] + ("0" if right[-1] != "0" else "1"), lang)
    assert words("键入的指纹不是这张名片的指纹。请勿使用这张名片，向对方管理员再次电话核对。") in one.text()
    add_peer(one, card, right, lang)
    press_for_peer(one, words("连接测试"))
    assert f"✗ {words('未通过')} {words('连接与双方证书')}" in one.text()
    shoot(one, f"{lang}-peers-test-failed-qin")
    add_peer(one, card, right, lang, f"127.0.0.1:{theirs.port}")
    press_for_peer(one, words("连接测试"))
    assert f"✗ {words('未通过')}" not in one.text()
    press_for_peer(one, words("同步镜像"))
    wait_until_done(one, lang)
    shoot(one, f"{lang}-works-qin")


@pytest.mark.parametrize(("lang", "script", "purpose"), [("zh", True, "storage"), ("en", False, "signing")])
def test_an_administrators_day(
    browser: Any, site: Site, lang: str, script: bool, purpose: str, request: pytest.FixtureRequest
) -> None:
    words = partial(say, lang)
    with window(browser, site, "qin", lang=lang, script=script) as qin:
        connect(qin, site, lang)
    request.getfixturevalue("dual_control")
    with window(browser, site, "wu", lang=lang, script=script) as wu:
        wu.go("/keys")
        wu.page.locator("#subject").select_option(purpose)
        wu.press(words("开始轮换"))
        assert words("等待另一位管理员") not in wu.text()
        with window(browser, site, "meng", lang=lang, script=script) as meng:
            meng.go("/requests")
            meng.page.get_by_role("link", name=words("核对并批准")).first.click()
            shoot(meng, f"{lang}-request-meng")
            approve_by_keyboard(meng, site, "meng")
            assert words("已批准，待办理") in meng.text()
        wu.go("/requests")
        shoot(wu, f"{lang}-requests-wu")
        wu.page.get_by_role("button", name=words("现在办理")).first.click()
        wu.go("/works")
        wait_until_done(wu, lang)
        wu.go("/keys")
        shoot(wu, f"{lang}-keys-rotated-wu")
        assert f"{purpose}" in wu.page.content()
