"""Pages of a job that has ended: files of its report, objections, alerts, a part that is asked again."""

import json
import zipfile
from io import BytesIO

import pytest

from testbed import trial
from tests.support.cluster import wait_report
from tests.support.console import Browser, forms_of
from tests.support.console_site import Site


@pytest.mark.parametrize(
    ("kind", "begins"), [("pdf", b"%PDF-"), ("xlsx", b"PK"), ("html", b"<!DOCTYPE html"), ("json", b"{")]
)
def test_files_of_a_report(site: Site, li: Browser, kind: str, begins: bytes) -> None:
    answer = li.client.get(f"/jobs/{site.made.job}/files/{kind}")
    assert answer.status_code == 200
    assert answer.content[: len(begins)].lower() == begins.lower()
    assert answer.headers["content-disposition"] == f'attachment; filename="{site.made.job}.{kind}"'
    assert answer.headers["cache-control"] == "no-store"


def test_the_signature_beside_the_file(site: Site, li: Browser) -> None:
    answer = li.client.get(f"/jobs/{site.made.job}/files/zip")
    with zipfile.ZipFile(BytesIO(answer.content)) as packed:
        assert sorted(packed.namelist()) == ["report.pdf", "report.sig.json"]
        assert json.loads(packed.read("report.sig.json"))


@pytest.mark.parametrize(("account", "kind", "status"), [("li", "exe", 404), ("qin", "pdf", 403)])
def test_files_that_are_not_given(site: Site, account: str, kind: str, status: int) -> None:
    answer = site.browser(account).client.get(f"/jobs/{site.made.job}/files/{kind}")
    assert answer.status_code == status


def test_an_objection_from_the_form_to_its_end(site: Site, li: Browser) -> None:
    path = f"/jobs/{site.made.job}/objection"
    li.get(path)
    given = {"raised_by": "申请人", "grounds": "<b>车辆</b>已过户", "item": "C21"}
    assert "异议" in li.send(path, {**given, **days(li.page)})
    assert "&lt;b&gt;车辆" in li.page
    assert "<b>车辆" not in li.page
    action = next(
        one for one in forms_of(li.page) if one.startswith("/objections/o-") and one.count("/") == 2
    )
    assert "请选择办理结果" in li.send(action, {"result": ""}, status=422)
    li.get(action)
    assert "结果无变化" in li.send(action, {"result": "unchanged"})
    assert action not in forms_of(li.page)
    assert action.rpartition("/")[2] not in li.get("/objections?waiting=1")
    assert action.rpartition("/")[2] in li.get("/objections")


def test_a_recheck_is_a_draft_that_another_person_approves(site: Site, li: Browser) -> None:
    """Returned once, sent again, approved: only then is anybody asked."""
    he, objection = site.browser("he"), f"/objections/{site.made.objection}"
    li.get(objection)
    assert "重新核对已提交，待复核" in li.send(f"{objection}/recheck", {})
    assert f"{objection}/recheck" not in forms_of(li.page)
    draft = newest_waiting(he)
    he.get(f"/approvals/{draft}")
    he.send(f"/approvals/{draft}", {"action": "return", "reason": "请先核实"})
    page = li.get(f"/checks/{draft}")
    assert "请先核实" in page
    li.send(f"{objection}/recheck", {})
    he.get(f"/approvals/{draft}")
    site.fresh_codes("he")
    deed = {"action": "approve", "password": trial.PASSWORD, "code": site.people["he"].code()}
    he.send(f"/approvals/{draft}", deed)
    job = he.page.split("/jobs/r-")[1][:16]
    wait_report(site.node.node, f"r-{job}")
    assert f"/jobs/r-{job}" in li.get(objection)


def newest_waiting(he: Browser) -> str:
    """The draft that was sent last."""
    return he.get("/approvals").split('href="/approvals/')[-1].split('"')[0]


def days(page: str) -> dict[str, str]:
    """The days that the form proposes."""
    today = page.split('name="raised" type="date" value="')[1].split('"')[0]
    return {"received": today, "raised": today}


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"grounds": "449999190001010034"}, "不得填写证件号码"),
        ({"household": "no-such"}, "报告中没有这一户或这个人"),
        ({"raised": "2019-01-01"}, "提出日期不得早于收到之日"),
        ({"received": "yesterday"}, "日期请按YYYY-MM-DD填写"),
    ],
)
def test_objections_that_are_not_recorded(site: Site, li: Browser, wrong: dict[str, str], words: str) -> None:
    path = f"/jobs/{site.made.job}/objection"
    li.get(path)
    given = {"raised_by": "申请人", "grounds": "有误", **days(li.page), **wrong}
    assert words in li.send(path, given, status=422)


def test_alerts_are_acknowledged_with_a_note(site: Site, li: Browser) -> None:
    page = li.get("/alerts")
    chosen = page.split('name="alerts" type="checkbox" value="')[1].split('"')[0]
    assert "请勾选预警" in li.send("/alerts", {"note": "已核实"}, status=422)
    assert "请勾选预警" in li.send("/alerts", {"alerts": [chosen]}, status=422)
    assert "已登记1条" in li.send("/alerts", {"alerts": [chosen], "note": "已核实，<i>新购</i>"})
    assert chosen not in li.page
    assert "已核实，&lt;i&gt;新购" in li.get("/alerts?all=1")


def test_a_part_that_was_answered_is_not_asked_again(site: Site, li: Browser) -> None:
    li.get(f"/jobs/{site.made.job}")
    hidden = forms_of(li.page)["/language"]
    answer = li.client.post(f"/jobs/{site.made.job}/retry", data={**hidden, "peer": "44"})
    assert answer.status_code == 409
    assert "重新询问" not in li.page


def test_another_unit_sees_none_of_it(site: Site) -> None:
    """The approver of the county sees what the preparer does; other roles see nothing of it."""
    for account in ("qin", "wu"):
        guest = site.browser(account)
        for path in ("/alerts", "/objections", f"/objections/{site.made.objection}"):
            assert guest.client.get(path).status_code == 403
    assert site.made.objection in site.browser("he").get("/objections")
