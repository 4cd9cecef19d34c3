"""Requests to correct a record of another province: sent by an approver, looked at and answered there."""

from collections.abc import Iterator

import pytest

from node.client.drafts import Drafts
from node.client.platform import Platform
from node.console import forms
from node.console.app import make_app
from node.domain.findings import Outcome
from node.domain.users import Role
from testbed import trial
from tests.support.cluster import wait_report
from tests.support.console import UPLOAD, Browser, add_accounts, forms_of, sign_in_all
from tests.support.console_site import PEERS, Site

ANSWERING = {
    "pan": ("440000000000", Role.PREPARER),
    "ou": ("440000000000", Role.APPROVER),
    "mai": ("440100000000", Role.APPROVER),
}


@pytest.fixture(scope="module")
def answered(site: Site) -> tuple[str, str, str]:
    """A job with a vehicle in 44: its id, the person's reference, the person's number."""
    people = [one for each in site.lists.households[7:40] for one in each][: forms.MOST_MEMBERS]
    form = trial.form_of(people, site.lists.mandates, PEERS)
    with Platform.open(site.node.home, f"127.0.0.1:{site.node.platform_port}") as platform:
        li, he = (Drafts(platform.as_person(site.people[name].token)) for name in ("li", "he"))
        draft = li.save(forms.pack(form))
        li.send(draft.draft_id, draft.version, form.job, forms.to_verification(form))
        site.fresh_codes("he")
        found = he.get(draft.draft_id).draft
        sent = he.approve(
            found.draft_id, found.version, found.digest, trial.PASSWORD, site.people["he"].code()
        )
        wait_report(site.node.node, sent.job_id)
        report = platform.as_person(site.people["he"].token).report(sent.job_id)
    one = next(
        row
        for row in report.findings
        if row.outcome is Outcome.FOUND and row.item == "C21" and row.peer == "44"
    )
    member = form.members[int(one.subject.rpartition("/")[2]) - 1]
    return sent.job_id, one.subject, member.id_no


@pytest.fixture(scope="module")
def there(site: Site) -> Iterator[dict[str, Browser]]:
    """People of 44: two of the whole province, and one of a city."""
    province = site.provinces["44"]
    with Platform.open(province.home, f"127.0.0.1:{province.platform_port}") as platform:
        yield sign_in_all(make_app(platform, UPLOAD), add_accounts(province.node, ANSWERING))


@pytest.fixture(scope="module")
def sent(site: Site, answered: tuple[str, str, str]) -> str:
    """The reference of a request that an approver sent."""
    job, subject, _ = answered
    he = site.browser("he")
    path = f"/jobs/{job}/correction"
    given = {
        "answer": f"{subject}|C21|44", "fault": "not_mine", "basis": "person_request", "reference": "case-7",
    }  # fmt: skip
    he.get(path)
    for wrong, words in (
        ({"answer": ""}, "请选择要求更正的反馈"),
        ({"answer": f"{subject}|C21"}, "请选择要求更正的反馈"),
        ({"answer": "H0/0|C21|44", "discloses": "yes"}, "未完成"),
        ({"fault": ""}, "请选择差错类型"),
        ({}, "请勾选：知悉"),
        ({"discloses": "yes", "reference": "450103199001010012"}, "不得为证件号码"),
    ):
        assert words in he.send(path, {**given, **wrong}, status=422)
    page = he.send(path, {**given, "discloses": "yes"})
    assert "case-7" in page
    assert "对方办理中" in page
    return "case-7"


def test_it_comes_from_the_page_of_results(site: Site, li: Browser, answered: tuple[str, str, str]) -> None:
    job, subject, number = answered
    assert f"/jobs/{job}/correction" in li.get(f"/jobs/{job}/report")
    page = li.get(f"/jobs/{job}/correction?objection=o-1")
    assert "提出校核由以下角色办理：复核人" in page  # a preparer is told who sends it
    he = site.browser("he")
    page = he.get(f"/jobs/{job}/correction?objection=o-1")
    assert f"{subject}|C21|44" in page
    assert 'value="o-1"' in page
    assert number not in page


def test_a_preparer_may_not_send_it(li: Browser, answered: tuple[str, str, str]) -> None:
    job, subject, _ = answered
    li.get(f"/jobs/{job}/correction")
    given = {"answer": f"{subject}|C21|44", "fault": "other", "basis": "person_request", "reference": "x"}
    data = {**forms_of(li.page)["/language"], **given, "discloses": "yes"}
    assert li.client.post(f"/jobs/{job}/correction", data=data).status_code == 403


def number_of(browser: Browser, reference: str) -> str:
    page = browser.get("/corrections")
    row = next(one for one in page.split("<tr>") if f">{reference}</td>" in one)
    return row.split('href="/corrections/')[1].split('"')[0]


def test_the_other_province_finds_and_answers_it(
    site: Site, sent: str, there: dict[str, Browser], answered: tuple[str, str, str]
) -> None:
    """The preparer looks it up in an extract; the approver answers, once and for good."""
    pan, ou, number = there["pan"], there["ou"], answered[2]
    path = f"/corrections/{number_of(pan, sent)}"
    page = pan.get(path)
    assert "不是本人的记录" in page
    assert "答复由以下角色办理：复核人" in page
    assert number not in page
    rows = f"证件号码\r\n449999190001010034\r\n{number}\r\n".encode()
    page = pan.send(f"{path}/find", {}, files={"list": ("x.csv", rows, "text/csv")})
    assert "名单共2人，是其中第2人" in page
    assert number not in page
    pan.get(path)
    rows = "证件号码\r\n449999190001010034\r\n".encode()
    assert "都不是所指的人" in pan.send(f"{path}/find", {}, files={"list": ("x.csv", rows, "text/csv")})
    pan.get(path)
    assert "名单须为" in pan.send(f"{path}/find", {}, status=422)
    ou.get(path)
    assert "请选择答复" in ou.send(path, {"reason": "no-such"}, status=422)
    ou.get(path)
    page = ou.send(path, {"reason": "record_moved"})
    assert "已更正" in page
    assert f'action="{path}"' not in page
    he = site.browser("he")
    he.get("/corrections")
    he.send("/corrections/sync", {})
    assert "记录属于他人，已改正" in he.get("/corrections")


def test_who_sees_none_of_it(site: Site, sent: str, there: dict[str, Browser]) -> None:
    """A city of the other province by a guessed number; administrators; another unit of this province."""
    mai, number = there["mai"], number_of(there["pan"], sent)
    assert "由单位为本省的" in mai.get("/corrections")
    assert mai.client.get(f"/corrections/{number}").status_code == 403
    assert "规则" in mai.client.get(f"/corrections/{number}").text
    for account in ("qin", "wu", "meng", "lu"):
        assert site.browser(account).client.get("/corrections").status_code == 403
    assert there["pan"].client.get("/corrections/999999").status_code == 404
    assert there["pan"].client.get("/corrections/x").status_code == 404


def test_another_unit_does_not_see_what_this_one_sent(site: Site, sent: str) -> None:
    who = {"bei": ("450125000000", Role.APPROVER)}
    bei = sign_in_all(site.app, add_accounts(site.node.node, who))["bei"]
    assert sent not in bei.get("/corrections")
