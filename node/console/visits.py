"""One request of a browser: who it is, in which language, with which form; cookies and CSRF tokens.

A page is a plain function of a `Visit`, run in a thread. Nothing that names a person is in an address, a
cookie or a file name.
"""

import hmac
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final
from urllib.parse import urlsplit

from blake3 import blake3
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from node.client.people import Frame, People, Person
from node.client.platform import Platform
from node.console.words import LANGUAGES, say
from node.errors import InvalidRequestError, NodeError, RefusedError, SessionEndedError

SESSION: Final = "__Host-session"
HALF: Final = "__Host-half"  # between password and second factor
LANGUAGE: Final = "__Host-language"
LARGE: Final = "__Host-large"
SIGN_IN: Final = "/sign-in"
REFRESH: Final = "refresh"  # in the address of a page that loads itself again without scripts
_SAFE: Final = ("GET", "HEAD")
_CSRF_KEY: Final = secrets.token_bytes(32)  # of this process: a form from before a restart is sent again
_CSRF_DIGITS: Final = 64  # of a token, before the tag of its account
MOST_FIELD: Final = 500  # characters of a field, where nothing else is said
_MOST_FIELDS: Final = 20_000


@dataclass
class Visit:
    """A request, its form (empty for a read) and the connection to the node, which only signing in uses."""

    request: Request
    platform: Platform
    form: FormData = field(default_factory=FormData)
    cookies: dict[str, str | None] = field(default_factory=dict)

    @property
    def lang(self) -> str:
        """`zh` or `en`."""
        found = self.request.cookies.get(LANGUAGE, LANGUAGES[0])
        return found if found in LANGUAGES else LANGUAGES[0]

    @property
    def token(self) -> str:
        """The token of the session, empty where there is none."""
        return self.request.cookies.get(SESSION, "")

    @property
    def half(self) -> str:
        """The token that waits for a second factor."""
        return self.request.cookies.get(HALF, "")

    @property
    def is_refresh(self) -> bool:
        """Whether a page loads itself again: that is nobody's use of the session."""
        path, query = self.request.url.path, self.request.query_params
        return self.request.method in _SAFE and (path.endswith("/progress") or REFRESH in query)

    @property
    def node(self) -> Platform:
        """The node, asked in the name of the person: never by the console's own rights.

        Raises SessionEndedError.
        """
        if not self.token:
            raise SessionEndedError("nobody is signed in")
        return self.platform.as_person(self.token, is_use=not self.is_refresh)

    @cached_property
    def person(self) -> Person:
        """Who is signed in. Raises SessionEndedError."""
        return self.frame.person

    def require_person(self) -> Person:
        """Who is signed in, where a page asks before it looks at what was sent. Raises SessionEndedError."""
        return self.person

    @cached_property
    def frame(self) -> Frame:
        """The person, and what every page says of the session and the node: one call."""
        return People(self.node).frame()

    @property
    def csrf(self) -> str:
        """What a form of this browser must send back."""
        known = self.__dict__.get("person")  # where the page has asked who it is
        return self._csrf("" if known is None else account_tag(known.account))

    @property
    def form_tag(self) -> str:
        """The tag of the account to which the form of this request was shown; empty before signing in."""
        sent = self.form.get("csrf", "")
        return sent[_CSRF_DIGITS:] if isinstance(sent, str) else ""

    def _csrf(self, tag: str) -> str:
        # As the browser's cookies are after this answer.
        bound = self.cookies.get(SESSION, self.token) or self.cookies.get(HALF, self.half) or "-"
        made = blake3(f"{bound} {tag}".encode("utf-8", "surrogatepass"), key=_CSRF_KEY).hexdigest()
        return made + tag

    def is_own_form(self) -> bool:
        """Whether the form of this request is one that this console showed to this session."""
        sent = self.form.get("csrf", "")
        expected = self._csrf(self.form_tag)
        return isinstance(sent, str) and hmac.compare_digest(
            sent.encode("utf-8", "surrogatepass"), expected.encode("utf-8", "surrogatepass")
        )

    def say(self, text: str, **values: object) -> str:
        """A text in the visitor's language."""
        return say(self.lang, text, **values)

    def field(self, name: str, most: int = MOST_FIELD) -> str:
        """A text of the form, without spaces around it. Raises InvalidRequestError for a long one."""
        found = self.form.get(name, "")
        if not isinstance(found, str) or len(found) > most:
            raise InvalidRequestError("a field is too long")
        return found.strip()

    def number(self, name: str) -> int:
        """A number of the form, 0 where it is empty. Raises InvalidRequestError for anything else."""
        text = self.field(name, 8)
        if not (text.isascii() and text.isdigit()):
            if text:
                raise InvalidRequestError("a field is no number")
            return 0
        return int(text)

    def octets(self, name: str) -> bytes:
        """Bytes of the form, in hex. Raises InvalidRequestError."""
        try:
            return bytes.fromhex(self.field(name, 64))
        except ValueError:
            raise InvalidRequestError("a field is not hex") from None

    def fields(self, name: str, most: int = 500) -> list[str]:
        """All texts of that name."""
        found = [one for one in self.form.getlist(name) if isinstance(one, str)]
        if any(len(one) > most for one in found):
            raise InvalidRequestError("a field is too long")
        return [one.strip() for one in found]

    def upload(self, name: str) -> UploadFile | None:
        """A file of the form, None where none was chosen."""
        found = self.form.get(name)
        return found if isinstance(found, UploadFile) and found.filename else None

    def keep(self, name: str, value: str | None) -> None:
        """Set a cookie with the answer; None deletes it."""
        self.cookies[name] = value

    def go(self, path: str) -> Response:
        """To another page of the console."""
        return RedirectResponse(path, status_code=303)


Page = Callable[[Visit], Response]


def endpoint(
    page: Page, platform: Platform, fail: Callable[[Visit, NodeError], Response]
) -> Callable[[Request], Awaitable[Response]]:
    """What Starlette calls for a page: reads the form, checks that it is the console's own, runs the page."""

    async def answer(request: Request) -> Response:
        visit = Visit(request, platform)
        if request.method not in _SAFE:
            visit.form = await request.form(max_fields=_MOST_FIELDS, max_files=4)
        response = await run_in_threadpool(_run, page, visit, fail)
        for name, value in visit.cookies.items():
            if value is None:
                response.delete_cookie(name, path="/", secure=True, httponly=True, samesite="strict")
            else:
                response.set_cookie(name, value, path="/", secure=True, httponly=True, samesite="strict")
        return response

    return answer


def _run(page: Page, visit: Visit, fail: Callable[[Visit, NodeError], Response]) -> Response:
    try:
        if visit.request.method not in _SAFE:
            _require_own_form(visit)
        return page(visit)
    except NodeError as error:
        return fail(visit, error)


def _require_own_form(visit: Visit) -> None:
    """A form comes from a page that this console showed to this session. Raises RefusedError."""
    headers = visit.request.headers
    site = headers.get("sec-fetch-site", "same-origin")
    origin = headers.get("origin")
    # Under our Referrer-Policy browsers send `null`; then Sec-Fetch-Site and the token decide.
    same = origin in (None, "null") or urlsplit(origin or "").netloc == headers.get("host", "")
    if site not in ("same-origin", "none") or not same or not visit.is_own_form():
        raise RefusedError(
            "the form is of another page or session",
            "load the page again",
            {"rule": "csrf"},
        )


def account_tag(account: str) -> str:
    """By which a form knows the account to which it was shown; of this process only."""
    return blake3(f"account {account}".encode(), key=_CSRF_KEY).hexdigest(16)


def local_path(text: str) -> str:
    """A path of the console to go on to; the first page for anything else: no open redirect.

    Browsers take a backslash for a slash and leave out tabs and line ends: none of these may stand there.
    """
    plain = text.startswith("/") and not text.startswith("//") and "\\" not in text
    return text if plain and text.isascii() and text.isprintable() and " " not in text else "/"
