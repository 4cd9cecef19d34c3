"""A page that loads itself again is nobody's use: a session ends before a screen that shows progress."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from node.clock import utc_now
from node.console.visits import REFRESH, SESSION
from node.database import users as rows
from node.governance.sign_in import digest_of
from tests.support.console import Browser
from tests.support.console_site import Site


def used_at(site: Site, browser: Browser):  # type: ignore[no-untyped-def]
    with site.node.node.store.transaction("look") as tx:
        session = rows.find_session(tx, digest_of(str(browser.client.cookies[SESSION])))
    return None if session is None else session.used_at


def leave_alone(site: Site, browser: Browser, minutes: float) -> None:
    """As if the last call had been so long ago."""
    digest = digest_of(str(browser.client.cookies[SESSION]))
    with site.node.node.store.transaction("make idle", write=True) as tx:
        rows.use_session(tx, digest, utc_now() - timedelta(minutes=minutes))


@pytest.fixture
def li(site: Site) -> Browser:
    """A browser of its own, since the end of a session takes its cookie away."""
    return site.browser("li")


@pytest.fixture(autouse=True)
def used_again(site: Site) -> Iterator[None]:
    """Other tests go on with the same session."""
    yield
    digest = digest_of(site.people["li"].token)
    with site.node.node.store.transaction("use again", write=True) as tx:
        rows.use_session(tx, digest, utc_now())


@pytest.fixture
def pages(site: Site) -> tuple[str, ...]:
    job = f"/jobs/{site.made.job}"
    return f"{job}/progress", f"{job}?{REFRESH}=1"


def test_a_page_that_loads_itself_again_does_not_keep_the_session(
    site: Site, li: Browser, pages: tuple[str, ...]
) -> None:
    for path in pages:
        leave_alone(site, li, 10)
        before = used_at(site, li)
        li.get(path)
        assert used_at(site, li) == before, path
    li.get("/jobs")
    assert used_at(site, li) > before


def test_the_end_is_told_to_the_part_and_to_the_page(site: Site, li: Browser, pages: tuple[str, ...]) -> None:
    leave_alone(site, li, site.node.node.config.users.idle_minutes + 1)
    part = li.client.get(pages[0], headers={"HX-Request": "true"})
    assert (part.status_code, part.headers["HX-Refresh"], part.text) == (204, "true", "")
    assert li.client.get(pages[1]).url.path == "/sign-in"
