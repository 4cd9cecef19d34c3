"""What a page in a browser breaks: rules of axe, its width, words of the other language."""

from typing import Any

import pytest

from tests.support.console_site import Site, Window
from tests.support.page_words import chinese_left, english_left

AXE = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]},
    "resultTypes": ["violations"],
}


def violations(page: Any) -> list[tuple[str, str]]:
    """What axe finds: the rule, and where."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    found = axe.run(page, options=AXE).response["violations"]
    return [(one["id"], node["html"][:200]) for one in found for node in one["nodes"]]


def is_too_wide(one: Window) -> bool:
    return bool(one.page.evaluate("document.documentElement.scrollWidth > window.innerWidth"))


def require_sound(one: Window, site: Site, lang: str) -> None:
    """One heading, nothing that axe finds, nothing too wide, no sentence of the other language."""
    assert one.page.locator("h1").count() == 1
    assert violations(one.page) == []
    assert not is_too_wide(one)
    assert (english_left(one.page) if lang == "zh" else chinese_left(one.page, site)) == []
