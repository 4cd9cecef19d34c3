"""Nobody who has not signed in is answered by the node's own rights, whatever node.toml says."""

from collections.abc import Iterator

import pytest

from node.client.platform import Platform
from node.console.app import PAGES, make_app
from node.database import users as rows
from node.domain.users import Role
from node.errors import SessionEndedError
from tests.support.cluster import Province, World, serve_all
from tests.support.console import COUNTY, UPLOAD, Browser, add_accounts, address, forms_of, sign_in_all
from tests.support.federation import set_config

BEFORE = {"/sign-in", "/sign-in/code", "/sign-in/second-factor", "/language", "/large"}


@pytest.fixture(scope="module")
def open_node(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Province]:
    """A node that serves its own certificate without a session, which is the default."""
    homes = {"45": world.copy(tmp_path_factory.mktemp("open"))["45"]}
    set_config(homes["45"], "users", required=False)
    with serve_all(homes) as found:
        yield found["45"]


@pytest.fixture(scope="module")
def open_app(open_node: Province) -> Iterator[object]:
    with Platform.open(open_node.home, f"127.0.0.1:{open_node.platform_port}") as platform:
        yield make_app(platform, UPLOAD)


def accounts(node: Province) -> list[str]:
    with node.node.store.transaction("look") as tx:
        return [one.account for one in rows.list_users(tx)]


@pytest.mark.parametrize("token", ["", "invented-by-a-stranger"])
def test_no_page_is_made_for_a_stranger(open_app: object, token: str) -> None:
    """With the form token that the page for signing in shows to everybody. All pages in one test, which names
    each that is wrong.
    """
    guest, wrong = Browser(open_app), []
    csrf = forms_of(guest.get("/sign-in"))["/sign-in"]["csrf"]
    own = {"csrf": csrf, "action": "add", "account": "mole"}
    for path, method in sorted((path, one) for path, methods, _ in PAGES for one in methods):
        guest.client.cookies.clear()  # each time a new browser
        if token:
            guest.client.cookies.set("__Host-session", token, domain="console.example")
        answer = guest.client.request(
            method, address(path), data=own if method == "POST" else None, follow_redirects=False
        )
        if path in BEFORE:
            right = answer.status_code in (200, 303, 400, 403)
        elif answer.status_code == 303:
            right = answer.headers["location"] == "/sign-in"
        else:
            right = bool(token) and (method, answer.status_code) == ("POST", 403)
        if not right:
            wrong.append((path, method, answer.status_code))
    assert wrong == []


def test_a_stranger_adds_no_account_and_ends_no_job(open_app: object, open_node: Province) -> None:
    guest = Browser(open_app)
    guest.get("/sign-in")
    csrf = forms_of(guest.page)["/sign-in"]["csrf"]
    new = {"csrf": csrf, "account": "mole", "name": "李华", "unit": "450000000000", "roles": ["security"]}
    guest.client.post("/users", data=new)
    assert "mole" not in accounts(open_node)


def test_a_session_that_ended_shows_nothing_more(open_app: object, open_node: Province) -> None:
    """An officer who signed out, and the back button."""
    initial = add_accounts(open_node.node, {"late": (COUNTY, Role.PREPARER)})
    browser = sign_in_all(open_app, initial)["late"]
    browser.get("/jobs")
    token = browser.client.cookies["__Host-session"]
    browser.send("/sign-out", {})
    browser.client.cookies.set("__Host-session", token, domain="console.example")
    assert str(browser.client.get("/jobs").url).endswith("/sign-in")


def test_a_connection_of_the_console_asks_for_nobody(open_node: Province) -> None:
    """What a page forgets is refused on the way, before the node hears of it."""
    with Platform.open(open_node.home, f"127.0.0.1:{open_node.platform_port}") as platform:
        door = platform.for_people()
        with pytest.raises(SessionEndedError):
            door.jobs()
        with pytest.raises(SessionEndedError):
            list(door.watch("v-0000000000000000"))
        assert platform.jobs(1).jobs == ()
