"""People in browsers for `bench console`: each signs in, then clicks through pages in an order of chance.

    python -m bench.clicks '{"url": ...}'

A click follows a link of the page that is shown, as a person does, over a connection that is kept. Prints one
JSON object in its last line: the milliseconds of every answer by page.
"""

import http.client
import json
import random
import re
import ssl
import sys
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

import pyotp
from starlette.routing import Match, Route

from node.clock import utc_now
from node.console.app import PAGES
from testbed import trial

_LINK: Final = re.compile(r'href="(/[^"]*)"')
_CSRF: Final = re.compile(r'name="csrf" value="([^"]+)"')
_NAV: Final = re.compile(r"<nav class=\"hq-nav\".*?</nav>", re.DOTALL)
# Not clicked on: what ends the session, and what jobs that hold no request cannot show.
_LEFT_OUT: Final = re.compile(r"/static/|/sign-|/jobs/[^/?]+/")
_SIGN_IN: Final = "sign in (password)"
_CODE: Final = "sign in (code)"
_TIMEOUT_S: Final = 60.0
_GOOD: Final = (200, 303)


@dataclass(frozen=True)
class Clicks:
    """What the benchmark asks of this process. `people` are accounts with the keys of their second factors;
    `pause_s` is how long a person looks at a page on average. It ends when the file `until` appears, or
    after `most_s`; the file `ready` says that all have signed in.
    """

    url: str
    people: Mapping[str, str]
    seed: int
    pause_s: float
    most_s: float
    ready: str
    until: str

    def plain(self) -> dict[str, Any]:
        """As JSON takes it."""
        return asdict(self)


@dataclass
class Found:
    """Milliseconds by page, and how many answers were not the page."""

    walls: dict[str, list[float]] = field(default_factory=dict)
    wrong: dict[str, int] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, page: str, wall: float, status: int) -> None:
        """One answer."""
        with self._lock:
            self.walls.setdefault(page, []).append(wall)
            if status not in _GOOD:
                self.wrong[page] = self.wrong.get(page, 0) + 1


class Person:
    """One of them: a browser with its cookies and one connection."""

    def __init__(self, asked: Clicks, account: str, found: Found, context: ssl.SSLContext) -> None:
        self._asked, self._account, self._found = asked, account, found
        self._chance = random.Random(f"{asked.seed} {account}")
        host = urlsplit(asked.url).netloc
        self._line = http.client.HTTPSConnection(host, timeout=_TIMEOUT_S, context=context)
        self._cookies = SimpleCookie()
        self._page = ""

    def sign_in(self) -> None:
        """Account and password, then the code."""
        self._ask("GET", "/sign-in")
        self._send("/sign-in", _SIGN_IN, account=self._account, password=trial.PASSWORD)
        self._ask("GET", "/sign-in/code")
        self._send("/sign-in/code", _CODE, code=pyotp.TOTP(self._asked.people[self._account]).at(utc_now()))
        self._ask("GET", "/")

    def walk(self, ends: float) -> None:
        """Click until it ends."""
        while True:
            time.sleep(self._chance.expovariate(1 / self._asked.pause_s))
            if time.monotonic() > ends or Path(self._asked.until).exists():
                self._line.close()
                return
            self._ask("GET", self._choose())

    def _choose(self) -> str:
        """A link of the menu, or one of the page itself."""
        menu = "".join(_NAV.findall(self._page))
        kinds = [[one for one in _LINK.findall(part) if not _LEFT_OUT.match(one)]
                 for part in (menu, self._page.replace(menu, ""))]  # fmt: skip
        chosen = self._chance.choice([kind for kind in kinds if kind] or [["/"]])
        return str(self._chance.choice(chosen)).replace("&amp;", "&")

    def _send(self, path: str, name: str, **fields: str) -> None:
        token = _CSRF.findall(self._page)[-1]
        self._ask("POST", path, name, urlencode({"csrf": token, **fields}))

    def _ask(self, method: str, path: str, name: str = "", body: str = "") -> None:
        headers = {"Cookie": "; ".join(f"{key}={one.value}" for key, one in self._cookies.items())}
        if body:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        began = time.perf_counter()
        try:
            answer = self._answer(method, path, body, headers)
        except (http.client.RemoteDisconnected, ConnectionError):  # a connection that rested too long
            self._line.close()
            answer = self._answer(method, path, body, headers)
        self._found.note(name or template(path), 1_000 * (time.perf_counter() - began), answer)

    def _answer(self, method: str, path: str, body: str, headers: Mapping[str, str]) -> int:
        self._line.request(method, path, body.encode() or None, headers)
        answer = self._line.getresponse()
        self._page = answer.read().decode("utf-8", "replace")
        for text in answer.headers.get_all("Set-Cookie") or ():
            self._cookies.load(text)
        return answer.status


_ROUTES: Final = [Route(path, lambda _: None, methods=methods) for path, methods, _ in PAGES]


def template(path: str) -> str:
    """The address of a page without what it is about; a list that goes on is a page of its own."""
    split = urlsplit(path)
    scope = {"type": "http", "method": "GET", "path": split.path, "headers": []}
    found = next((one.path for one in _ROUTES if one.matches(scope)[0] is Match.FULL), "elsewhere")
    return f"{found}?after" if "after=" in split.query else found


def run(asked: Clicks) -> dict[str, Any]:
    """All of them; what they measured."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # the trial's own CA
    found = Found()
    people = [Person(asked, account, found, context) for account in asked.people]
    signing = time.perf_counter()
    for one in people:  # one after another, so that the figure is that of one
        one.sign_in()
    Path(asked.ready).touch()
    began = time.perf_counter()
    signed_in = sum(map(len, found.walls.values()))
    ends = time.monotonic() + asked.most_s
    with ThreadPoolExecutor(len(people)) as pool:
        list(pool.map(lambda one: one.walk(ends), people))
    return {
        "sign_in_s": (began - signing) / len(people),
        "clicks": sum(map(len, found.walls.values())) - signed_in,
        "clicked_s": time.perf_counter() - began,
        "walls": found.walls,
        "wrong_answers": found.wrong,
    }


if __name__ == "__main__":
    print(json.dumps(run(Clicks(**json.loads(sys.argv[1])))), flush=True)
