"""What a page in a browser breaks: rules of axe, and its width."""

from typing import Any

import pytest

from tests.support.console_site import Window

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
