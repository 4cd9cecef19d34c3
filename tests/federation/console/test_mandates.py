"""Mandates on record: how each stands, one of them with its people masked, revoking, a list to add."""

import csv
from dataclasses import replace
from datetime import date, timedelta
from io import StringIO

import pytest

from node.client.platform import Platform
from node.client.records import Records
from node.clock import utc_now
from node.domain.days import china_day
from node.domain.users import Role
from tests.support.console import Browser, add_accounts, sign_in_all
from tests.support.console_site import Site
from tests.support.mandate_lists import HEAD, SON, SPOUSE, household, mandate, mandate_rows

TODAY = china_day(utc_now())
EARLIER = TODAY - timedelta(days=300)


def made(no: str, household_no: str = "H90", **changes: object):  # type: ignore[no-untyped-def]
    return mandate(HEAD, SPOUSE, no=no, household_no=household_no, guardians=(), **changes)


@pytest.fixture(scope="module")
def records(site: Site) -> Records:
    platform = Platform.open(site.node.home, f"127.0.0.1:{site.node.platform_port}")
    kept = Records(platform.as_person(site.people["li"].token))
    known = household("H90")
    kept.put_households([known], changed_on=EARLIER)
    changed = household("H91")
    kept.put_households([changed], changed_on=EARLIER)
    begun = {"valid_from": EARLIER, "event": ""}
    done = kept.add_mandates(
        [
            made("STATE-GOOD", **begun, valid_to=TODAY + timedelta(days=200)),
            made("STATE-SOON", **begun, valid_to=TODAY + timedelta(days=3)),
            made("STATE-PAST", **begun, valid_to=TODAY - timedelta(days=1)),
            made("STATE-AGAIN", "H91", **begun, valid_to=TODAY + timedelta(days=200), template_id="jiangsu",
                 matter="01", regions=frozenset({"44"})),
            made("STATE-ENDED", **begun, valid_to=TODAY + timedelta(days=200)),
        ]
    )  # fmt: skip
    assert not done.faults
    fewer = replace(changed, people=changed.people[:2])
    kept.put_households([fewer], replace=True, changed_on=TODAY)
    kept.end_mandates(["STATE-ENDED"], "programme_exit")
    return kept


@pytest.fixture(scope="module")
def stranger(site: Site) -> Browser:
    """A preparer of another county."""
    who = {"mo": ("450125000000", Role.PREPARER)}
    return sign_in_all(site.app, add_accounts(site.node.node, who))["mo"]


def row_of(page: str, number: str) -> str:
    return next(one for one in page.split("<tr>") if f">{number}</th>" in one)


@pytest.mark.parametrize(
    ("number", "words"),
    [
        ("STATE-GOOD", "✓ 有效"),
        ("STATE-SOON", "! 即将到期"),
        ("STATE-PAST", "已过有效期"),
        ("STATE-AGAIN", "! 须重新签署"),
        ("STATE-ENDED", "退出救助"),
    ],
)
def test_how_each_stands(records: Records, li: Browser, number: str, words: str) -> None:
    assert words in row_of(li.get("/mandates"), number)


def test_only_those_of_a_state_and_a_unit(records: Records, li: Browser) -> None:
    assert "STATE-SOON" in li.get("/mandates?state=warning")
    assert "STATE-GOOD" not in li.page
    assert "STATE-GOOD" in li.get("/mandates?unit=450124000000")
    assert "STATE-GOOD" not in li.get("/mandates?unit=450125000000&offset=x")


def test_one_is_shown_with_its_people_masked(records: Records, li: Browser) -> None:
    li.get("/mandates")
    page = li.send("/mandates/show", {"number": "STATE-GOOD"})
    assert HEAD not in page
    assert f"{HEAD[:6]}********{HEAD[-4:]}" in page
    assert "韦＊" in page
    assert "韦一" not in page
    assert "ab" * 32 in page


def test_a_mandate_is_revoked_with_a_reason_and_for_good(records: Records, li: Browser) -> None:
    assert not records.add_mandates([made("STATE-GONE")]).faults
    li.get("/mandates")
    li.send("/mandates/show", {"number": "STATE-GONE"})
    given = {"number": "STATE-GONE"}
    assert "请选择撤销原因" in li.send("/mandates/revoke", {**given, "sure": "yes"}, status=422)
    assert "请勾选确认" in li.send("/mandates/revoke", {**given, "reason": "replaced"}, status=422)
    page = li.send("/mandates/revoke", {**given, "reason": "withdrawn", "sure": "yes"})
    assert "授权书已撤销" in page
    assert "本人撤回" in page
    assert records.mandate("STATE-GONE").state == "withdrawn"
    assert 'action="/mandates/revoke"' not in page


def test_a_reason_that_the_wording_does_not_know(records: Records, li: Browser) -> None:
    li.get("/mandates")
    li.send("/mandates/show", {"number": "STATE-GOOD"})
    given = {"number": "STATE-GOOD", "reason": "check_failed", "sure": "yes"}
    page = li.send("/mandates/revoke", given, status=422)
    assert "未完成" in page


def test_another_unit_and_other_roles_reach_none_of_it(
    site: Site, records: Records, stranger: Browser
) -> None:
    """A number is guessed: there is no such mandate for that unit, and nothing ends."""
    assert "STATE-GOOD" not in stranger.get("/mandates")
    hidden = {"csrf": csrf_of(stranger.page)}
    for path, more in (("show", {}), ("revoke", {"reason": "withdrawn", "sure": "yes"})):
        answer = stranger.client.post(f"/mandates/{path}", data={**hidden, "number": "STATE-GOOD", **more})
        assert answer.status_code == 404
        assert HEAD[:6] not in answer.text
    he = site.browser("he")  # an approver sees it and may not end it
    he.get("/mandates")
    page = he.send("/mandates/show", {"number": "STATE-GOOD"})
    assert "/mandates/revoke" not in page
    deed = {"csrf": csrf_of(page), "number": "STATE-GOOD", "reason": "withdrawn", "sure": "yes"}
    assert he.client.post("/mandates/revoke", data=deed).status_code == 403
    for account in ("qin", "wu", "meng", "lu"):
        assert site.browser(account).client.get("/mandates").status_code == 403
    assert records.mandate("STATE-GOOD").state == ""


def csrf_of(page: str) -> str:
    return page.split('name="csrf" value="')[1].split('"')[0]


def list_of(*mandates) -> bytes:  # type: ignore[no-untyped-def]
    out = StringIO()
    csv.writer(out).writerows(mandate_rows(*mandates))
    return out.getvalue().encode()


def upload(li: Browser, name: str, content: bytes, status: int = 200) -> str:
    li.get("/mandates")
    return li.send("/mandates", {}, files={"list": (name, content, "text/csv")}, status=status)


def test_a_list_is_put_on_record_all_or_none(records: Records, li: Browser) -> None:
    good, other = made("LIST-1"), mandate(SON, no="LIST-2", household_no="", guardians=())
    assert "已登记2份" in upload(li, "x.csv", list_of(good, other))
    assert "另有2份原已登记" in upload(li, "x.csv", list_of(good, other))
    differs = replace(good, mandate=replace(good.mandate, valid_from=date(2025, 2, 2)))
    page = upload(li, "x.csv", list_of(made("LIST-3"), differs), 422)
    assert "名单中有1行有误" in page
    assert "已有内容不同的同号授权书" in page
    assert "LIST-3" not in li.get("/mandates")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("x.exe", b"a", "名单须为"),
        ("x.csv", b"a,b\r\n1,2\r\n", "名单无法读取"),
        ("x.xlsx", b"PK\x03\x04", "名单无法读取"),
    ],
)
def test_lists_that_are_none(li: Browser, name: str, content: bytes, words: str) -> None:
    assert words in upload(li, name, content, 422)


def test_a_wrong_row_is_named_without_what_it_holds(li: Browser) -> None:
    content = list_of(made("LIST-4")).replace(
        HEAD.encode(), (HEAD[:-1] + ("1" if HEAD[-1] != "1" else "2")).encode()
    )
    page = upload(li, "x.csv", content, 422)
    assert "校验码不符" in page
    assert "被授权核对人证件号码" in page
    assert HEAD[:-1] not in page


def test_a_page_that_a_form_showed_has_no_address(li: Browser) -> None:
    for path in ("/mandates/show", "/mandates/revoke"):
        assert str(li.client.get(path).url).endswith("/mandates")
