"""The warning before a session ends: said, answered by the keyboard, and a line without scripts."""

from typing import Any

from tests.support.console_site import Site, window


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
