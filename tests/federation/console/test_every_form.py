"""Every form of the console in the hands of every role, with a good token of the own session: escalation."""

import re

import pytest

from node.console.app import PAGES
from node.domain.users import ADMINISTRATORS, OFFICERS, Role
from tests.support.cluster import Province, query_database
from tests.support.console import COUNTY, WHO, Browser

PREPARER, APPROVER = frozenset({Role.PREPARER}), frozenset({Role.APPROVER})
SYSTEM, SECURITY, AUDIT = frozenset({Role.SYSTEM}), frozenset({Role.SECURITY}), frozenset({Role.AUDIT})
EVERYBODY = frozenset(Role)
# Who may send the form of an address, and what is in it.
FORMS = {
    "/ready": (EVERYBODY, {}),
    "/sign-out": (EVERYBODY, {}),
    "/language": (EVERYBODY, {}),
    "/large": (EVERYBODY, {}),
    "/account/password": (EVERYBODY, {}),
    "/account/sessions": (EVERYBODY, {}),
    "/verify": (EVERYBODY, {}),
    "/users": (
        SECURITY,
        {"account": "thief", "name": "贼", "unit": COUNTY, "roles": "security", "valid_to": ""},
    ),
    "/users/change": (SECURITY, {"account": "prep", "action": "disable", "accounts": "prep"}),
    "/peers": (SYSTEM, {"action": "pause", "code": "44"}),
    "/access": (SECURITY, {"action": "suspend", "peer": "44", "code": "44", "reason": "x"}),
    "/audit": (AUDIT, {"event": "signed_in", "offset": "0"}),
    "/audit/verify": (AUDIT, {}),
    "/audit/export": (AUDIT, {}),
    "/checks": (PREPARER, {}),
    "/checks/{draft}": (PREPARER, {"action": "household", "household": "stolen", "version": "1",
                                   "purpose": "review", "legal_basis": "SA-2026-41"}),
    "/checks/{draft}/send": (PREPARER, {"version": "1"}),
    "/checks/{draft}/delete": (PREPARER, {}),
    "/approvals/{draft}": (APPROVER, {"action": "return", "reason": "不", "version": "1"}),
    "/sums": (PREPARER, {}),
    "/watches": (PREPARER, {}),
    "/jobs/{job}/cancel": (OFFICERS, {}),
    "/jobs/{job}/retry": (OFFICERS, {"peer": "44"}),
    "/jobs/{job}/objection": (PREPARER, {"by": "x", "grounds": "x"}),
    "/objections/{objection}": (OFFICERS, {"outcome": "withdrawn", "note": "x"}),
    "/objections/{objection}/recheck": (PREPARER, {}),
    "/households": (PREPARER, {"household": "1"}),
    "/alerts": (OFFICERS, {"alerts": "1", "note": "x"}),
}  # fmt: skip
# Of a form that is not above, by the first part of its address: who may send any of them. Others are refused
# by whatever comes first: their role, a field that is missing, a case that is none.
GROUPS = {
    OFFICERS: (
        "checks",
        "approvals",
        "sums",
        "watches",
        "jobs",
        "objections",
        "households",
        "alerts",
        "mandates",
        "person",
        "corrections",
        "person",
    ),
    ADMINISTRATORS: ("peers", "access", "audit", "keys", "imports", "health", "requests", "users", "works"),
}
REFUSED = {400, 403, 404, 409, 422}
SENT = {path for path, methods, _ in PAGES if "POST" in methods}
IDS = {"job": "v-0000000000000000", "objection": "o-0000000000000000"}
BEFORE = {"/sign-in", "/sign-in/code"}  # nobody has a role yet
_TOKEN = re.compile(r'name="csrf" value="([0-9a-f]+)"')


@pytest.fixture(scope="module")
def draft(browsers: dict[str, Browser]) -> str:
    prep = browsers["prep"]
    prep.get("/checks")
    return re.search(r"/checks/(d-[0-9a-f]{16})", prep.send("/checks", {}))[1]


def roles_of(path: str) -> frozenset[Role] | None:
    """Who may send the form of an address; None where nobody has said."""
    if path in FORMS:
        return FORMS[path][0]
    first = path.split("/")[1]
    return next((roles for roles, firsts in GROUPS.items() if first in firsts), None)


def test_no_form_is_forgotten() -> None:
    assert set(FORMS) <= SENT
    assert {path for path in SENT - BEFORE if roles_of(path) is None} == set()


@pytest.fixture(scope="module")
def tokens(browsers: dict[str, Browser]) -> dict[str, str]:
    """The form token of each session."""
    return {account: _TOKEN.search(one.get("/account"))[1] for account, one in browsers.items()}


def filled(path: str, draft: str) -> str:
    """An address with a draft that there is, and other things of which there is none."""
    plain = re.sub(r"\{[^}]*:int\}", "1", path).replace("{draft}", draft)
    return re.sub(r"\{(\w+)\}", lambda one: IDS.get(one[1], "x-0000000000000000"), plain)


def test_a_form_in_the_hands_of_another_role(
    browsers: dict[str, Browser], tokens: dict[str, str], node: Province, draft: str
) -> None:
    """A role that may see no case is refused as such; of two officers the other changes nothing.

    All forms in one test, which names each that is wrong.
    """
    wrong, before = [], changes(node)
    for path in sorted(SENT - BEFORE - {path for path in FORMS if roles_of(path) == EVERYBODY}):
        roles, (_, fields) = roles_of(path), FORMS.get(path, (None, {}))
        assert roles is not None, path
        for account, browser in browsers.items():
            role = WHO[account][1]
            if role in roles:
                continue
            answer = browser.client.post(
                filled(path, draft), data={"csrf": tokens[account], **fields}, follow_redirects=False
            )
            strict = path in FORMS and not (role in OFFICERS and roles <= OFFICERS)
            if answer.status_code not in ({403} if strict else REFUSED):
                wrong.append((account, path, answer.status_code))
        if (after := changes(node)) != before:
            wrong.append((path, "changed something"))
            before = after
    assert wrong == []


@pytest.mark.parametrize("path", ["/access", "/audit/export", "/audit/verify", "/peers"])
def test_an_administrator_of_a_county_in_matters_of_the_province(
    browsers: dict[str, Browser], tokens: dict[str, str], path: str
) -> None:
    answer = browsers["near"].client.post(path, data={"csrf": tokens["near"], **FORMS[path][1]})
    assert answer.status_code == 403


def changes(node: Province) -> list[object]:
    """What the forms above would change."""
    asked = (
        "SELECT account, roles, disabled_at FROM users ORDER BY account",
        "SELECT id, version, state FROM drafts ORDER BY id",
        "SELECT code, paused FROM peers ORDER BY code",
        "SELECT count(*) FROM audit WHERE event IN ('audit_exported', 'peer_paused', 'user_disabled')",
    )
    return [query_database(node.home, one) for one in asked]
