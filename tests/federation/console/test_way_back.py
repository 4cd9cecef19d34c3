"""Another language or size of text leads back to the page that was open, and to no other one."""

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Match, Route

from node.console.app import PAGES
from node.console.visits import local_path
from node.console.way_back import back_of, back_to
from tests.support.console import Browser, address, forms_of
from tests.support.console_site import Site

ROUTES = [Route(path, lambda request: None, methods=methods) for path, methods, _ in PAGES]
FORMS_ONLY = {
    "/checks/{draft}/send": "/checks/d-0000000000000000",
    "/checks/{draft}/delete": "/checks/d-0000000000000000",
    "/users/change": "/users",
    "/peers/add": "/peers",
    "/audit/verify": "/audit",
    "/audit/export": "/audit",
    "/corrections/sync": "/corrections",
    "/corrections/{number}/find": "/corrections/1000",
    "/alerts/look": "/alerts",
    "/account/sessions": "/account",
    "/account/password": "/account",
    "/requests/{request}/withdraw": "/requests/1000",
    "/imports/{number}/rejects": "/imports/1000",
    "/jobs/{job}/cancel": "/jobs/v-0000000000000000",
    "/jobs/{job}/retry": "/jobs/v-0000000000000000",
    "/objections/{objection}/recheck": "/objections/o-0000000000000000",
    "/sums": "/",
    "/watches": "/",
    "/sign-out": "/",
    "/language": "/",
    "/large": "/",
}
HOSTILE = (
    "https://elsewhere.example/", "//elsewhere.example", "/\\elsewhere.example", "/\t/elsewhere.example",
    "\t//elsewhere.example", "/\n/elsewhere.example", "/\r\nSet-Cookie: a=b", "/\x00", "//[",
    "/\x01/elsewhere.example", "/%2f/elsewhere.example", "/%09/elsewhere.example", "/%5celsewhere.example",
    "/..//elsewhere.example", "javascript:alert(1)", "elsewhere.example", "", "?x=1", "/\u3000/x",
    "/nothing/at/all?x=1",
)  # fmt: skip


def request_of(method: str, path: str, query: str = "") -> Request:
    headers: list[tuple[bytes, bytes]] = [(b"host", b"console.example")]
    return Request(
        {
            "type": "http",
            "method": method,
            "path": path,
            "query_string": query.encode(),
            "headers": headers,
            "scheme": "https",
            "server": ("console.example", 443),
            "app": Starlette(routes=ROUTES),
        }
    )


def is_page(path: str) -> bool:
    """Whether a browser that is sent there finds one; the first address that fits is the one that answers."""
    scope = {"type": "http", "method": "GET", "path": path.partition("?")[0]}
    fits = [route.matches(scope)[0] for route in ROUTES]
    first = next((route for route, found in zip(ROUTES, fits, strict=True) if found != Match.NONE), None)
    return first is not None and any(one.path == first.path and "GET" in one.methods for one in ROUTES)


def test_forms_only_are_all_of_them() -> None:
    reads = {path for path, methods, _ in PAGES if "GET" in methods}
    assert set(FORMS_ONLY) == {path for path, _, _ in PAGES} - reads


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_from_every_address_to_a_page(method: str) -> None:
    """Of an address that only takes forms the page above it, also when somebody typed its name."""
    for path, _, _ in PAGES:
        back = back_of(request_of(method, address(path)))
        assert back == FORMS_ONLY.get(path, address(path))
        assert is_page(back), back
        assert back_to(request_of("POST", "/language"), back) == back


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/checks/d-0000000000000000", "step=items"),
        ("/jobs", "state=done&unit=450124000000&after=1.v-1"),
        ("/statistics", "month=2026-11"),
        ("/objections", "waiting=1&x=%E9%9F%A6%22%3E%0d%0a"),
    ],
)
def test_the_query_goes_along(path: str, query: str) -> None:
    back = back_of(request_of("GET", path, query))
    assert back == f"{path}?{query}"
    assert back_to(request_of("POST", "/language"), back) == back
    assert back_of(request_of("POST", path, query)) == path  # what a form did is not in its address


def test_a_query_that_is_too_long_or_no_text_is_left_out() -> None:
    assert back_of(request_of("GET", "/jobs", "x" * 600)) == "/jobs"
    assert back_of(request_of("GET", "/jobs", "x=\\\\a")) == "/jobs"
    assert back_of(request_of("GET", "/jobs/\r\nx: y", "a=b")) == "/jobs/%0D%0Ax%3A%20y?a=b"


@pytest.mark.parametrize("text", HOSTILE)
def test_what_is_no_page_leads_to_the_first_one(text: str) -> None:
    assert back_to(request_of("POST", "/language"), text) == "/"


@pytest.mark.parametrize("text", [one for one in HOSTILE if not one.startswith(("/%", "/..", "/nothing"))])
def test_what_is_no_own_path(text: str) -> None:
    assert local_path(text) == "/"


@pytest.mark.parametrize("text", HOSTILE)
def test_no_open_redirect(li: Browser, text: str) -> None:
    li.get("/account")
    for form, value in (("/language", {"language": "zh"}), ("/large", {"large": "0"})):
        sent = {**forms_of(li.page)[form], **value, "back": text}
        answer = li.client.post(form, data=sent, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, "/")


def switched(browser: Browser) -> str:
    """Where both forms of the frame lead from a page."""
    page, found = browser.page, set()
    for form, value in (("/language", {"language": "zh"}), ("/large", {"large": "0"})):
        browser.page = page
        answer = browser.client.post(form, data={**forms_of(page)[form], **value})
        assert answer.status_code == 200, (form, answer.status_code)
        found.add(answer.url.raw_path.decode())
    (path,) = found
    return path


def test_back_to_the_step_the_filter_and_the_month(site: Site, li: Browser) -> None:
    month = site.node.node.clock().strftime("%Y-%m")
    for path in ("/jobs?state=done", f"/statistics?month={month}", "/objections?waiting=1", "/alerts?all=1"):
        li.get(path)
        assert switched(li) == path
    li.get("/checks")
    li.send("/checks", {})
    draft = next(action for action in forms_of(li.page) if action.startswith("/checks/d-"))
    li.get(f"{draft}?step=items")
    assert switched(li) == f"{draft}?step=items"
    li.get(f"{draft}?step=mandates")
    li.send(draft, {"action": "add_recorded", "number": "none"}, status=422)
    assert switched(li) == f"{draft}?step=mandates"
    li.get(f"{draft}?step=review")
    li.send(f"{draft}/send", {}, status=422)
    assert switched(li) == f"{draft}?step=review"


def test_back_from_pages_that_only_a_form_shows(site: Site) -> None:
    for account, page, form, fields, status, back in (
        ("wu", "/users", "/users/change", {"account": "li", "action": "none"}, 422, "/users"),
        ("meng", "/audit", "/audit/verify", {}, 200, "/audit"),
        ("qin", "/peers", "/peers/add", {}, 422, "/peers"),
        ("li", "/account", "/account/password", {"old_password": "x"}, 400, "/account"),
    ):
        browser = site.browser(account)
        hidden = forms_of(browser.get(page))["/language"]
        answer = browser.client.post(form, data={"csrf": hidden["csrf"], **fields})
        assert answer.status_code == status, (form, answer.status_code)
        browser.page = answer.text
        assert switched(browser) == back
