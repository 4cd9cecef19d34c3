"""What is left when a page is closed: nothing of a case in the browser, in a log, in the name of a file."""

from pathlib import Path
from typing import Any

from tests.support.console_site import Site, require_private, window

OPENED = ("/checks/{open_draft}?step=members", "/jobs/{job}", "/jobs/{job}/report", "/alerts", "/households")
LONGEST = 200
_STORED = """
(async function () {
  var names = await caches.keys(), kept = await indexedDB.databases();
  return [names.length, kept.length, JSON.stringify(localStorage), JSON.stringify(sessionStorage)];
})()
"""


def test_nothing_of_a_case_outlives_its_page(browser: Any, site: Site) -> None:
    """No storage of the browser holds a page; none may be shown again; no name in a title or an address."""
    with window(browser, site, "li") as one:
        for path in OPENED:
            answer = one.go(path.format(**vars(site.made)))
            assert answer.headers["cache-control"] == "no-store", path
            assert answer.headers["referrer-policy"] == "no-referrer", path
            caches, bases, *texts = one.page.evaluate(_STORED)
            assert (caches, bases) == (0, 0), path
            require_private(site, texts)  # htmx keeps the address of the page
            assert all(len(text) < LONGEST for text in texts), "no page is kept"
        with one.page.expect_download() as caught:
            one.page.goto(f"{site.url}/jobs/{site.made.job}")
            one.page.locator("a[download]").first.click()
        require_private(site, [caught.value.suggested_filename])


def test_no_log_names_anybody(site: Site) -> None:
    """The node's and the console's log of all that was done here."""
    lines = (Path(site.node.home).parent / "nodes.log").read_text(encoding="utf-8")
    assert "console" in lines or "platform" in lines
    require_private(site, [lines])
