"""The warning before a session ends: said, answered by the keyboard, and a line without scripts; banners."""

from typing import Any

from node.clock import utc_now
from node.database import notices as rows
from node.domain.notices import Level, Notice, NoticeKind
from tests.support.accessibility import is_too_wide, violations
from tests.support.console_site import Site, shoot, window


def near_the_end(page: Any, seconds: int) -> None:
    """The page as it is when that much is left of its session."""
    page.route(
        "**/account",
        lambda route: route.fulfill(response=(found := route.fetch()), body=_with(found.text(), seconds)),
    )


def _with(text: str, seconds: int) -> str:
    before, mark, after = text.partition('data-seconds="')
    assert mark
    return f"{before}{mark}{seconds}{after[after.index(chr(34)) :]}"


def test_a_warning_and_a_button_that_goes_on(browser: Any, site: Site) -> None:
    with window(browser, site, "li") as one:
        near_the_end(one.page, 60)
        one.go("/account")
        warning = one.page.locator(".hq-idle__warning")
        warning.wait_for(state="visible")
        shoot(one, "zh-warning")
        assert violations(one.page) == []
        assert one.page.locator("#hq-idle").get_attribute("role") == "alert"
        button = warning.get_by_role("button", name="继续使用")
        button.focus()
        with one.page.expect_response("**/session") as answer:
            one.page.keyboard.press("Enter")
        assert answer.value.json()["seconds"] > 120
        warning.wait_for(state="hidden")
        assert not one.page.locator(".hq-idle__ended").is_visible()


def test_the_end_is_said(browser: Any, site: Site) -> None:
    with window(browser, site, "li", lang="en") as one:
        near_the_end(one.page, 1)
        one.go("/account")
        one.page.locator(".hq-idle__ended").wait_for(state="visible")
        assert "Your session has ended" in one.text()


def test_without_scripts_the_page_says_the_time(browser: Any, site: Site) -> None:
    with window(browser, site, "li", script=False) as one:
        one.page.goto(f"{site.url}/account")
        assert "无操作时会话结束时间：" in one.page.inner_text("footer")
        assert not one.page.locator(".hq-idle__warning").is_visible()


def test_banners_in_a_browser(browser: Any, site: Site) -> None:
    notice, store = Notice(NoticeKind.PEER_DISTRUSTED, Level.URGENT, "44"), site.node.node.store
    with store.transaction("warn", write=True) as tx:
        made = rows.add_notice(tx, notice, (), utc_now())
    try:
        with window(browser, site, "wu", lang="en", scale=1.25) as one:
            one.go("/health")
            shoot(one, "en-banner")
            banner = one.page.get_by_role("region", name="Notices of this node")
            assert "An answer of 44 failed a check of honesty" in banner.inner_text()
            assert violations(one.page) == []
            assert not is_too_wide(one)
            banner.get_by_role("link").first.click()
            assert one.page.url.endswith("/peers")
    finally:
        with store.transaction("clear", write=True) as tx:
            rows.clear_notices(tx, [made], utc_now())
