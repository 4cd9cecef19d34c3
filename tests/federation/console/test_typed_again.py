"""What was typed into a new check and was not taken stands in the form again."""

import hashlib
from collections.abc import Mapping
from html.parser import HTMLParser

import pytest

from tests.support.console import MARKUP, Browser, forms_of

NUMBER, OTHER, WRONG = "449999190001010034", "33999919000101008X", "449999190001010035"
SCAN = b"%PDF-1.7 a scan"
MANDATE = {
    "number": "M 1", "members": ["1", "2"], "signers": f"韦{MARKUP[:9]}、韦二", "office": "马山县民政局",
    "valid_from": "2026-01-01", "valid_to": "2030-12-31", "event": "household_change",
    "doc_hash": "ab" * 32,
}  # fmt: skip


class _Shown(HTMLParser):
    """What stands in the fields of the form that has a button with an action."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, dict[str, list[str]]] = {}
        self._held: dict[str, list[str]] = {}
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._held = {}
        if tag == "select":
            self._select = given["name"]
        if tag == "option" and "selected" in given:
            self._held.setdefault(self._select, []).append(given["value"])
        if tag == "input" and (given.get("type") != "checkbox" or "checked" in given):
            self._held.setdefault(given["name"], []).append(given.get("value", ""))
        if tag == "button" and given.get("name") == "action":
            self.found[given["value"]] = self._held


def shown(page: str, action: str) -> Mapping[str, list[str]]:
    """The fields of the form of an action, as the browser would send them."""
    parser = _Shown()
    parser.feed(page)
    return parser.found[action]


@pytest.fixture
def path(li: Browser) -> str:
    """A draft with two people."""
    li.get("/checks")
    li.send("/checks", {})
    found = next(action for action in forms_of(li.page) if action.startswith("/checks/d-"))
    for name, number in (("韦小明", NUMBER), ("韦二", OTHER)):
        li.send(found, {"action": "add_member", "name": name, "id_no": number})
    return found


@pytest.mark.parametrize(
    "wrong", [{"id_no": WRONG}, {"id_no": NUMBER}, {"former": "1"}, {"id_no": "4" * 33}, {"name": " "}]
)
def test_a_member_that_is_not_taken(li: Browser, path: str, wrong: dict[str, str]) -> None:
    typed = {"name": f"韦{MARKUP}", "id_no": "119999190001010097", "former": "", "outside": "yes", **wrong}
    page = li.send(path, {"action": "add_member", **typed}, status=422)
    held = shown(page, "add_member")
    assert {name: held[name] for name in typed} == {name: [value] for name, value in typed.items()}
    assert MARKUP not in page
    assert "449999********0034" in page  # the list above stays masked
    assert OTHER not in page


def test_a_form_that_was_taken_is_empty_again(li: Browser, path: str) -> None:
    held = shown(li.get(f"{path}?step=members"), "add_member")
    assert (held["name"], held["id_no"], "outside" in held) == ([""], [""], False)


def test_a_household_that_is_not_taken(li: Browser, path: str) -> None:
    typed = {"household": "10 02", "purpose": "review", "legal_basis": "none"}
    held = shown(li.send(path, {"action": "household", **typed}, status=422), "household")
    assert (held["household"], held["purpose"]) == (["10 02"], ["review"])


def test_an_authorisation_that_is_not_taken(li: Browser, path: str) -> None:
    li.get(f"{path}?step=mandates")
    held = shown(li.send(path, {"action": "add_mandate", **MANDATE}, status=422), "add_mandate")
    as_lists = {name: value if isinstance(value, list) else [value] for name, value in MANDATE.items()}
    assert {name: held[name] for name in MANDATE} == as_lists
    assert shown(li.page, "add_recorded")["number"] == [""]


def test_a_scan_that_was_chosen_stands_there_as_its_digest(li: Browser, path: str) -> None:
    """No browser takes a file back; a number that is right then is enough."""
    li.get(f"{path}?step=mandates")
    typed = {"action": "add_mandate", **MANDATE, "event": "", "doc_hash": ""}
    page = li.send(path, typed, files={"scan": ("扫描.pdf", SCAN, "application/pdf")}, status=422)
    digest = hashlib.sha256(SCAN).hexdigest()
    assert shown(page, "add_mandate")["doc_hash"] == [digest]
    page = li.send(path, {**typed, "number": "M1", "doc_hash": digest})
    assert '<th scope="row" class="govuk-table__header">M1</th>' in page


def test_a_number_on_record_that_there_is_none_of(li: Browser, path: str) -> None:
    li.get(f"{path}?step=mandates")
    page = li.send(path, {"action": "add_recorded", "number": "no-such-1"}, status=422)
    assert shown(page, "add_recorded")["number"] == ["no-such-1"]
    assert shown(page, "add_mandate")["number"] == [""]


@pytest.mark.parametrize(
    ("step", "action", "typed"),
    [
        ("members", "add_member", {"name": "韦三", "id_no": "119999190001010097"}),
        ("mandates", "add_mandate", {**MANDATE, "number": "M1", "event": ""}),
        ("items", "items", {"items": ["C21"], "peers": ["33", "44"]}),
    ],
)
def test_a_draft_that_was_changed_elsewhere(
    li: Browser, path: str, step: str, action: str, typed: dict[str, object]
) -> None:
    """Two windows: the other one shows what was kept, with what was typed in it; then it is taken."""
    page = li.get(f"{path}?step={step}")
    other = {"action": "household", "household": "other-window", "purpose": "review"}
    li.send(path, {**other, "legal_basis": "SA-2026-41"})
    li.page = page
    page = li.send(path, {"action": action, **typed}, status=409)
    assert "草稿已在别处更改" in page
    as_lists = {name: value if isinstance(value, list) else [value] for name, value in typed.items()}
    held = shown(page, action)
    assert {name: held[name] for name in typed} == as_lists
    li.send(path, {"action": action, **typed})
    assert "other-window" in li.get(f"{path}?step=members")
