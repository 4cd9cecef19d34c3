"""A page by keyboard alone: every stop of the Tab key shows the focus, and is told by what it is."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

from testbed import trial
from tests.support.console_site import Site, Window

MOST_STOPS = 120
# The button of a day's calendar is the browser's own, inside of the field: it shows its focus itself.
_FOCUS = """
(function () {
  var one = document.activeElement, style = getComputedStyle(one);
  return {
    tag: one.tagName, id: one.id, name: one.getAttribute('name') || '', words: (one.innerText || '').trim(),
    href: one.getAttribute('href') || '', value: one.value || '',
    seen: style.outlineStyle !== 'none' || style.boxShadow !== 'none' || one.type === 'date'
  };
})()
"""


def tab_to(page: Any, wanted: Callable[[dict[str, Any]], bool]) -> None:
    """Go on with the Tab key until the wanted element has the focus. Fails where there is no way."""
    for _ in range(MOST_STOPS):
        page.keyboard.press("Tab")
        focus = page.evaluate(_FOCUS)
        if focus["tag"] == "BODY":
            continue  # past the last stop: the next one is the first again
        assert focus["seen"], f"the focus is not seen: {focus['tag']} {focus['id']} {focus['words'][:40]}"
        if wanted(focus):
            return
    raise AssertionError("no way there by keyboard")


def type_over(page: Any, field: str, text: str) -> None:
    """Put a text in place of what a field holds."""
    tab_to(page, lambda focus: focus["id"] == field)
    page.keyboard.press("Control+A")
    page.keyboard.type(text)


def type_day(page: Any, field: str, day: date) -> None:
    """A day into a field of the browser's own, which takes month, day and year one after the other."""
    tab_to(page, lambda focus: focus["id"] == field)
    page.keyboard.type(f"{day:%m%d%Y}")


def tick(page: Any, field: str) -> None:
    """Tick a box."""
    tab_to(page, lambda focus: focus["id"] == field)
    page.keyboard.press("Space")


def press_by_keyboard(page: Any, words: str) -> None:
    """Press a button or follow a link, by its words."""
    tab_to(page, lambda focus: focus["words"] == words)
    with page.expect_navigation():
        page.keyboard.press("Enter")


def download_by_keyboard(page: Any, words: str) -> tuple[str, bytes]:
    """The file behind a link or a button: the name that it is saved under, and what it holds."""
    tab_to(page, lambda focus: focus["words"] == words)
    with page.expect_download() as caught:
        page.keyboard.press("Enter")
    return str(caught.value.suggested_filename), Path(caught.value.path()).read_bytes()


def send_by_keyboard(page: Any, **fields: str) -> None:
    """Fill a form from top to bottom, and send it from its last field."""
    for name, text in fields.items():
        type_over(page, name, text)
    with page.expect_navigation():
        page.keyboard.press("Enter")


def sign_in_by_keyboard(one: Window, site: Site, account: str) -> None:
    """Account and password, then the code."""
    site.fresh_codes(account)
    one.go("/sign-in")
    send_by_keyboard(one.page, account=account, password=trial.PASSWORD)
    send_by_keyboard(one.page, code=site.people[account].code())
    one.note()
