"""A browser without scripts at the console of a served node: forms are read from the page and sent back."""

import atexit
import re
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import timedelta
from functools import cache
from html.parser import HTMLParser

import pyotp
from anyio.from_thread import BlockingPortal, start_blocking_portal
from starlette.testclient import TestClient

from node.clock import utc_now
from node.context import Node
from node.domain.users import NewUser, Role
from node.governance import users
from node.jobs.acting import people_of

PASSWORD = "correct horse battery"


class _Forms(HTMLParser):
    """The hidden fields of each form of a page, by its action."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, dict[str, str]] = {}
        self._action = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form":
            self._action = given.get("action") or ""
            self.found.setdefault(self._action, {})
        if tag == "input" and given.get("type") == "hidden":
            self.found[self._action][given["name"] or ""] = given.get("value") or ""


def forms_of(text: str) -> dict[str, dict[str, str]]:
    parser = _Forms()
    parser.feed(text)
    return parser.found


@cache
def _event_loop() -> BlockingPortal:
    """One for all browsers of this process: to make one for each request takes as long as a page."""
    stack = ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(start_blocking_portal())


class Browser:
    """One person's browser: cookies, and forms with what the page hides in them."""

    def __init__(self, app: object) -> None:
        self.client = TestClient(app, base_url="https://console.example", follow_redirects=True)
        self.client.portal = _event_loop()
        self.page = ""

    def get(self, path: str, status: int = 200) -> str:
        answer = self.client.get(path)
        assert answer.status_code == status, (path, answer.status_code)
        self.page = answer.text
        return self.page

    def send(self, action: str, fields: dict[str, object], status: int = 200, **more: object) -> str:
        hidden = forms_of(self.page)[action]
        answer = self.client.post(action, data={**hidden, **fields}, **more)
        assert answer.status_code == status, (action, answer.status_code, answer.text[-800:])
        self.page = answer.text
        return self.page

    def begin(self, account: str, initial: str) -> pyotp.TOTP:
        """The first sign-in: second factor, password, record."""
        self.get("/sign-in")
        self.send("/sign-in", {"account": account, "password": initial})
        totp = pyotp.TOTP(re.search(r'hq-key">([A-Z2-7]{32})<', self.page)[1])
        self.send("/sign-in/code", {"code": totp.at(utc_now())})
        new = {"old_password": initial, "new_password": PASSWORD, "again": PASSWORD}
        self.send("/ready", new)
        self.send("/ready", {"agree": "yes"})
        return totp


COUNTY, OTHER = "450124000000", "450125000000"
WHO = {
    "prep": (COUNTY, Role.PREPARER),
    "appr": (COUNTY, Role.APPROVER),
    "away": (OTHER, Role.APPROVER),
    "boss": ("450000000000", Role.SECURITY),
    "near": (COUNTY, Role.SECURITY),
    "tech": ("450000000000", Role.SYSTEM),
    "book": ("450000000000", Role.AUDIT),
    "eyes": (COUNTY, Role.OBSERVER),
}
# The administrators of the other province.
THEIRS = {
    "boss": ("440000000000", Role.SECURITY),
    "tech": ("440000000000", Role.SYSTEM),
    "book": ("440000000000", Role.AUDIT),
    "eyes": ("440100000000", Role.OBSERVER),
}
MARKUP = '<img src=x onerror="alert(1)">'
UPLOAD = 256 * 1024


def address(path: str) -> str:
    """A path of the console with parameters of which there is none, such as `/jobs/v-0000000000000000`."""
    given = {"draft": "d-" + "0" * 16, "job": "v-" + "0" * 16, "objection": "o-" + "0" * 16, "kind": "pdf"}
    return re.sub(r"\{(\w+)(?::\w+)?\}", lambda found: given.get(found[1], "1000"), path)


def add_accounts(node: Node, who: Mapping[str, tuple[str, Role]]) -> dict[str, str]:
    """Accounts of a node; the initial password of each."""
    people, now = people_of(node), utc_now()
    first = now.date() - timedelta(days=1)
    return {
        account: users.add(people, NewUser(account, MARKUP, unit, frozenset({role}), first), None, now)
        for account, (unit, role) in who.items()
    }


def sign_in_all(app: object, initial: Mapping[str, str]) -> dict[str, Browser]:
    """A browser for each account, signed in for the first time."""
    found = {account: Browser(app) for account in initial}
    for account, browser in found.items():
        browser.totp = browser.begin(account, initial[account])
    return found
