"""Sums and watch lists in the console: prepared by one person with a file, approved by another."""

import re

import pytest

from matcher import identity
from node.client.drafts import Drafts
from node.console import forms
from node.errors import NotFoundError
from node.jobs import watches
from node.jobs.lookup import require_job
from testbed import trial
from testbed.trial import PASSWORD
from tests.support.cluster import wait_for
from tests.support.console import Browser, forms_of
from tests.support.console_site import Site


def _number(order: int) -> str:
    body = f"459999{1950 + order // 300}0101{order % 300:03}"
    return body + identity.check_digit(body)


NUMBERS = [_number(at) for at in range(600)]
COHORT = "证件号码\n" + "\n".join(NUMBERS) + "\n"
WHAT = {"items": ["B11"], "peers": ["44"], "legal_basis": "SA-2026-41"}


def begin(browser: Browser, kind: str, **fields: str) -> str:
    """A new draft; its path."""
    browser.get("/checks")
    page = browser.send(f"/{kind}", fields)
    return re.search(rf'action="(/{kind}/d-[0-9a-f]{{16}})"', page)[1]


def send(browser: Browser, path: str, fields: dict[str, object], status: int = 200, **files: str) -> str:
    given = {name: ("名单.csv", content.encode(), "text/csv") for name, content in files.items()}
    more = {"files": given} if given else {}
    return browser.send(path, fields, status=status, **more)


def approve(site: Site, account: str, draft: str, status: int = 200, **other: str) -> str:
    browser = site.browser(account)
    browser.get(f"/approvals/{draft}")
    site.fresh_codes(account)
    fields = {"action": "approve", "password": PASSWORD, "code": site.people[account].code(), **other}
    return browser.send(f"/approvals/{draft}", fields, status=status)


def test_a_sum_is_prepared_and_approved(site: Site, li: Browser) -> None:
    path = begin(li, "sums")
    page = send(li, path, WHAT, list=COHORT)
    draft = path.rpartition("/")[2]
    assert "待复核" in page
    assert draft in page
    he = site.browser("he")
    assert "汇总" in he.get("/approvals")
    page = he.get(f"/approvals/{draft}")
    assert "600" in page
    assert not any(one in page for one in NUMBERS)  # masked, and not the first ones either
    assert "共600人，列出前200人。" in page
    page = approve(site, "he", draft)
    job = re.search(r"核对任务 (s-[0-9a-f]{16})", page)[1]
    row = require_job(site.node.node, job)
    assert (row.kind, row.subjects, row.owner) == ("sum", 600, "unit/450124000000")
    wait_for(lambda: require_job(site.node.node, job).state in ("done", "failed"), 120, "no end")
    page = li.get(f"/jobs/{job}")
    assert "查看汇总结果" in page
    assert "加入监测名单" not in page
    assert "名单共600人" in li.get(f"/jobs/{job}/report")


def test_a_sum_that_is_returned_is_prepared_again(site: Site, li: Browser) -> None:
    path = begin(li, "sums")
    send(li, path, WHAT, list=COHORT)
    draft, he = path.rpartition("/")[2], site.browser("he")
    he.get(f"/approvals/{draft}")
    he.send(f"/approvals/{draft}", {"action": "return", "reason": "名单不对"})
    page = li.get(path)
    assert "名单不对" in page
    assert re.search(r'value="B11" checked', page)
    assert "待复核" in send(li, path, WHAT, list=COHORT)


@pytest.mark.parametrize(
    ("change", "content", "words"),
    [
        ({"items": []}, COHORT, "请选择核对项目"),
        ({"peers": []}, COHORT, "请选择核对省份"),
        ({"legal_basis": "no-such"}, COHORT, "请选择法律依据"),
        ({}, "", "请选择名单文件"),
        ({}, "证件号码\n", "名单无法读取"),
        ({}, "姓名\n韦小明\n", "名单无法读取"),
        ({}, f"证件号码\n{NUMBERS[0]}\n449999190001010035\n", "有1行有误"),
        ({}, "证件号码\n" + "\n".join(NUMBERS[:3]), "最低人数"),
    ],
)
def test_a_sum_that_is_not_sent(
    site: Site, li: Browser, change: dict[str, object], content: str, words: str
) -> None:
    path = begin(li, "sums")
    page = send(li, path, {**WHAT, **change}, 422, **({"list": content} if content else {}))
    assert words in page
    assert NUMBERS[0] not in page
    assert f'action="{path}"' in page  # and it goes on from there, with the version as it is now
    assert "待复核" in send(li, path, WHAT, list=COHORT)


def test_a_watch_list_of_a_finished_check(site: Site, li: Browser) -> None:
    """The mandates of that check, typed in the console, cover everything."""
    li.get(f"/jobs/{site.made.job}")
    page = li.send("/watches", {})
    path = re.search(r'action="(/watches/d-[0-9a-f]{16})"', page)[1]
    assert f"/jobs/{site.made.job}" in page
    assert re.search(r'value="C21" checked', page)
    assert 'type="file"' not in page
    fields = {"number": "watch-of-check", "items": ["C21"], "peers": ["44"], "legal_basis": "SA-2026-46"}
    assert "未提交" in send(li, path, {**fields, "number": "a b"}, 422)
    assert "未提交" in send(li, path, {**fields, "items": ["Z59b", "A05", "D38", "C22"]}, 422)
    assert "待复核" in send(li, path, fields)
    assert "watch-of-check" in approve(site, "he", path.rpartition("/")[2])
    found = watches.require_watch(site.node.node, "watch-of-check")
    assert found.people == len(site.lists.households[0])
    again = begin(li, "watches", job=site.made.job)
    assert "未提交" in send(li, again, fields, 422)  # there is one of that number


def lists_of(site: Site) -> tuple[str, str]:
    """A list and its mandates as files: one household, whose mandates cover everything."""
    people = site.lists.households[8]
    rows = ["户编号,成员编号,姓名,证件号码,授权书编号"]
    for at, one in enumerate(people, 1):
        rows.append(f"W8,{at},{one.name},{one.identities[0].value},W8-M")
    numbers = ";".join(one.identities[0].value for one in people)
    head = "授权书编号,委托单位,被授权核对人证件号码,社会救助项目,有效期起,有效期止,签字人,授权书摘要"
    signer = people[0].name or "韦小明"
    mandate = f"W8-M,马山县民政局,{numbers},动态监测,2026-01-01,2030-12-31,{signer},{'ab' * 32}"
    return "\n".join(rows), f"{head},核对项目,核对区域\n{mandate},*,*\n"


def test_a_watch_list_of_files(site: Site, li: Browser) -> None:
    path = begin(li, "watches")
    fields = {"number": "watch-8", "items": ["C21"], "peers": ["44"], "legal_basis": "SA-2026-46"}
    people, mandates = lists_of(site)
    assert "请选择授权书文件" in send(li, path, fields, 422, list=people)
    assert "待复核" in send(li, path, fields, list=people, mandates=mandates)
    draft, he = path.rpartition("/")[2], site.browser("he")
    page = he.get(f"/approvals/{draft}")
    assert "同意并登记名单" in page
    assert not any(one.identities[0].value in page for one in site.lists.households[8])
    with pytest.raises(NotFoundError):
        watches.require_watch(site.node.node, "watch-8")
    assert "watch-8" in approve(site, "he", draft)
    found = watches.require_watch(site.node.node, "watch-8")
    assert (found.owner, found.people) == ("unit/450124000000", len(site.lists.households[8]))


def test_the_preparer_does_not_approve(site: Site, li: Browser) -> None:
    """Neither by role nor, with both roles, the own one; the version in the form must be that of now."""
    path = begin(li, "sums")
    send(li, path, WHAT, list=COHORT)
    draft = path.rpartition("/")[2]
    li.get("/account")
    token = re.search(r'name="csrf" value="([0-9a-f]+)"', li.page)[1]
    given = {"csrf": token, "action": "approve", "version": "2", "digest": "00" * 32}
    assert li.client.post(f"/approvals/{draft}", data=given).status_code == 403
    approve(site, "he", draft, 409, version="1")
    approve(site, "he", draft, 409, digest="00" * 32)
    approve(site, "he", draft)


def test_the_form_of_one_kind_does_not_overwrite_a_draft_of_another(li: Browser) -> None:
    """A number in the address may be that of any own draft."""
    path = begin(li, "sums")
    draft = path.rpartition("/")[2]
    send(li, path, WHAT, 422)  # kept, without a file
    kept = forms_of(li.get(path))[path]
    other = {**kept, "items": ["C21"], "peers": ["33"], "action": "household", "household": "H1"}
    answer = li.client.post(f"/watches/{draft}", data=other)
    assert answer.url.path == "/checks"
    assert li.client.post(f"/checks/{draft}", data=other).status_code == 409
    page = li.get(path)
    assert re.findall(r'value="(\w+)"[^>]* checked', page) == ["B11", "44"]
    assert forms_of(page)[path]["version"] == kept["version"]


def test_a_list_with_many_wrong_rows_counts_rows(li: Browser) -> None:
    wrong = "证件号码\n" + "1\n" * 150
    page = send(li, begin(li, "sums"), WHAT, 422, list=wrong)
    assert "名单中有150行有误" in page
    assert page.count("✗") == 100
    assert "名单无法读取" in send(li, begin(li, "sums"), WHAT, 422, list="证件号码\n")


def test_a_returned_verification_of_a_command_says_so(site: Site, li: Browser) -> None:
    """It has no form of a page: its preparer reads why it came back, and deletes it."""
    form = trial.form_of(site.lists.households[7], site.lists.mandates, ("44",))
    with site.platform() as platform:
        drafts = Drafts(platform.as_person(site.people["li"].token))
        draft = drafts.save(b"").draft_id
        sent = drafts.send(draft, 1, form.job, forms.to_verification(form))
    assert draft in li.get("/checks?state=waiting")
    with site.platform() as platform:
        Drafts(platform.as_person(site.people["he"].token)).give_back(draft, sent.version, "授权书不全")
    page = li.get(f"/checks/{draft}")
    assert "授权书不全" in page
    assert "此草稿由命令准备" in page
    fields = {**forms_of(page)[f"/checks/{draft}/delete"], "action": "household"}
    assert li.client.post(f"/checks/{draft}", data=fields).status_code == 409
    page = li.send(f"/checks/{draft}/delete", {})
    assert draft not in page
