"""One person shown for a minute: with a reason, counted, on record without a name; to no administrator."""

import json

import pytest

from node.database import audit_log
from node.domain.users import Role
from node.jobs import shown_people
from tests.support.console import Browser, add_accounts, forms_of, sign_in_all
from tests.support.console_site import Site


def events(site: Site) -> list[dict[str, object]]:
    with site.node.node.store.transaction("read events") as tx:
        return [json.loads(one.details) for one in audit_log.events(tx) if one.event == "person_shown"]


def ask(browser: Browser, page: str, source: str, found_by: str, ref: str, reason: str = "identify"):  # type: ignore[no-untyped-def]
    browser.get(page)
    data = {"csrf": csrf_of(browser.page), "source": source, "id": found_by, "ref": ref, "reason": reason}
    return browser.client.post("/person", data={**data, "back": page})


def csrf_of(page: str) -> str:
    return page.split('name="csrf" value="')[1].split('"')[0]


@pytest.fixture
def first(site: Site) -> tuple[str, str, str]:
    """Reference, name and number of the first person of the finished job."""
    one = site.lists.households[0][0]
    return f"{one.household}/1", one.name or "韦小明", one.identities[0].value


def test_a_person_of_a_report(site: Site, li: Browser, first: tuple[str, str, str]) -> None:
    ref, name, number = first
    page = f"/jobs/{site.made.job}/report"
    assert number not in li.get(page)
    before = len(events(site))
    answer = ask(li, page, "job", site.made.job, ref)
    assert answer.status_code == 200
    assert number in answer.text
    assert name in answer.text
    assert name not in answer.text.split("</title>")[0]
    seconds, _, back = answer.headers["refresh"].partition("; url=")
    assert 1 <= int(seconds) <= 60  # the browser masks it again by itself, without scripts too
    assert back == page
    assert answer.headers["cache-control"] == "no-store"
    assert "第1次" in answer.text
    noted = events(site)[before:]
    assert noted == [
        {"place": 0, "reason": "identify", "record": site.made.job, "source": "job", "user": "li",
         "user_roles": "preparer", "user_unit": "450124000000"}
    ]  # fmt: skip
    assert number not in li.get(page)


def test_a_person_of_a_draft_that_waits(site: Site) -> None:
    he, one = site.browser("he"), site.lists.households[1][0]
    page = f"/approvals/{site.made.waiting}"
    answer = ask(he, page, "draft", site.made.waiting, f"{one.household}/1", "contact")
    assert one.identities[0].value in answer.text
    assert "联系当事人" in answer.text


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"reason": ""}, 422),
        ({"reason": "curiosity"}, 422),
        ({"ref": ""}, 422),
        ({"ref": "H0/9"}, 404),
        ({"found_by": "v-nothing"}, 404),
        ({"source": "audit"}, 400),
    ],
)
def test_what_shows_nobody(
    site: Site, li: Browser, first: tuple[str, str, str], change: dict[str, str], status: int
) -> None:
    before = len(events(site))
    given = {"source": "job", "found_by": site.made.job, "ref": first[0], **change}
    answer = ask(li, f"/jobs/{site.made.job}/report", **given)
    assert answer.status_code == status
    assert first[2] not in answer.text
    assert len(events(site)) == before


def test_no_administrator_and_no_other_unit(site: Site, first: tuple[str, str, str]) -> None:
    who = {"yuan": ("450125000000", Role.PREPARER)}
    yuan = sign_in_all(site.app, add_accounts(site.node.node, who))["yuan"]
    assert ask(yuan, "/", "job", site.made.job, first[0]).status_code == 404
    assert ask(yuan, "/", "draft", site.made.waiting, first[0]).status_code == 404
    for account in ("qin", "wu", "meng", "lu"):
        assert ask(site.browser(account), "/", "job", site.made.job, first[0]).status_code == 403


def test_no_list_is_copied_person_by_person(
    site: Site, li: Browser, first: tuple[str, str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    page = f"/jobs/{site.made.job}/report"
    monkeypatch.setattr(shown_people, "MOST_A_DAY", 1)
    answer = ask(li, page, "job", site.made.job, first[0])
    assert answer.status_code == 429
    assert "已达上限" in answer.text
    assert first[2] not in answer.text


def test_where_the_page_goes_back_to_is_of_the_console(
    site: Site, li: Browser, first: tuple[str, str, str]
) -> None:
    li.get("/")
    data = {"csrf": csrf_of(li.page), "source": "job", "id": site.made.job, "ref": first[0]}
    answer = li.client.post("/person", data={**data, "reason": "identify", "back": "https://other.example/"})
    assert answer.headers["refresh"].endswith("; url=/")


def test_the_form_is_on_the_pages_of_lists(site: Site, li: Browser) -> None:
    li.get(f"/jobs/{site.made.job}/report")
    assert forms_of(li.page)["/person"]["source"] == "job"
    he = site.browser("he")
    he.get(f"/approvals/{site.made.waiting}")
    assert forms_of(he.page)["/person"]["id"] == site.made.waiting


def test_a_person_of_an_unfinished_draft(site: Site, li: Browser) -> None:
    """The own draft only: noted by its place, counted with the others, and masked again afterwards."""
    number, page = "449999190001010034", "/checks"
    li.get("/checks")
    path = next(one for one in forms_of(li.send("/checks", {})) if one.startswith("/checks/d-"))
    li.send(path, {"action": "add_member", "name": "韦小明", "id_no": number})
    draft, page = path.rpartition("/")[2], f"{path}?step=members"
    assert number not in li.get(page)
    assert forms_of(li.page)["/person"] == {
        **forms_of(li.page)["/person"], "source": "form", "id": draft, "back": page
    }  # fmt: skip
    before = len(events(site))
    answer = ask(li, page, "form", draft, "1", "correct")
    assert answer.status_code == 200
    assert number in answer.text
    assert "韦小明" in answer.text
    assert answer.headers["refresh"].endswith(f"; url={page}")
    (noted,) = events(site)[before:]
    assert (noted["source"], noted["record"], noted["place"]) == ("form", draft, 1)
    assert (noted["user"], noted["reason"]) == ("li", "correct")
    assert ask(li, page, "form", draft, "2").status_code == 404
    assert ask(li, page, "form", draft, "1", "").status_code == 422
    he = site.browser("he")  # of the same unit, and not who prepares it
    assert ask(he, "/", "form", draft, "1").status_code == 403
    assert ask(li, "/", "form", site.made.waiting, "1").status_code in (404, 409)  # it waits: `draft` it is
    for account in ("qin", "wu", "meng", "lu"):
        assert ask(site.browser(account), "/", "form", draft, "1").status_code == 403
    assert len(events(site)) == before + 1
    assert number not in li.get(page)
