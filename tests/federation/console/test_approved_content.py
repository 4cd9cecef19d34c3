"""An approver sees all that he approves: what commands send beside people, items and provinces too."""

import re
from dataclasses import replace

from node.client.drafts import Drafts
from node.console import forms
from node.domain.declared import DeclaredHousehold
from node.domain.verification import Verification
from testbed import trial
from tests.support.console_site import Site


def waiting(site: Site, order: int, **given: object) -> tuple[str, Verification]:
    """A draft of a household, sent as a command sends one."""
    form = trial.form_of(site.lists.households[order], site.lists.mandates, ("44",))
    asked = replace(forms.to_verification(form), **given)
    with site.platform() as platform:
        drafts = Drafts(platform.as_person(site.people["li"].token))
        draft = str(drafts.save(b"").draft_id)
        drafts.send(draft, 1, form.job, asked)
    return draft, asked


def said_of(page: str) -> dict[str, str]:
    """The summary of a page: values by their words."""
    return dict(re.findall(r'list__key">([^<]*)</dt><dd[^>]*>([^<]*)</dd>', page))


def relatives_of(page: str) -> list[str]:
    """Who is marked as a support-duty relative."""
    rows = re.findall(r'<tr><th scope="row"[^>]*>([^<]+)</th>(.*?)</tr>', page)
    return [ref for ref, row in rows if "▲ 赡抚扶养义务人（户外）" in row]


def test_what_a_command_declares_is_shown(site: Site) -> None:
    number = site.lists.households[7][0].household
    told = DeclaredHousehold(
        number,
        income=1_234_500,
        items={"C23": 765_400},
        causes=("illness", "labour"),
        application_no="APP-7",
        acceptance_no="ACC-7",
        applicant=f"{number}/1",
        relatives=(f"{number}/2",),
    )
    head = {"matter": "01", "urgent": True, "legal_basis": "SA-2026-50", "reuse": True}
    draft, asked = waiting(site, 7, **head, declared=(told,))
    page = site.browser("he").get(f"/approvals/{draft}")
    said = said_of(page)
    assert said["经办单位"] == "450124000000"
    assert said["救助事项"] == "最低生活保障"
    assert said["授权书"] == "紧急：先行核对，授权书随后补交"
    assert said["先前结果"] == "仍有效的沿用，不再询问"
    for words in ("12,345 元", "7,654 元", "因病、缺劳力", "APP-7、ACC-7", f"{number}/1"):
        assert words in page
    assert relatives_of(page) == [f"{number}/2"]
    assert not any(each.value in page for one in asked.subjects for each in one.identities)


def test_plain_words_where_nothing_of_it_is_asked(site: Site) -> None:
    page = site.browser("he").get(f"/approvals/{waiting(site, 6)[0]}")
    said = said_of(page)
    assert said["救助事项"] == "未写明"
    assert said["授权书"] == "核对前须齐备"
    assert said["先前结果"] == "不沿用，全部重新询问"
    assert "申报信息" not in page
    assert "重新核对的任务" not in page


def test_the_scope_of_each_persons_mandate(site: Site) -> None:
    given = waiting(site, 7)[1].mandates
    narrow = {
        number: replace(
            one,
            programme="new_application",
            items=frozenset({"C21", "C23", "Z59b"}),
            regions=frozenset({"44"}),
        )
        for number, one in given.items()
    }
    page = site.browser("he").get(f"/approvals/{waiting(site, 7, mandates=narrow)[0]}")
    assert page.count("用途：新申请<br>") == len(site.lists.households[7])
    assert re.search(r"项目：C21 [^、<]+、C23 [^、<]+、Z59b [^、<]+<br>省份：44 [^<]+<", page)
    assert "全部项目" not in page


def test_a_form_tells_who_lives_elsewhere(site: Site) -> None:
    """What a preparer ticks reaches the approver."""
    form = trial.form_of(site.lists.households[7], site.lists.mandates, ("44",))
    first, *rest = form.members
    asked = forms.to_verification(replace(form, members=(replace(first, outside=True), *rest)))
    assert [one.relatives for one in asked.declared] == [(f"{form.household}/{first.no}",)]
    assert forms.to_verification(form).declared == ()
    page = site.browser("he").get(f"/approvals/{waiting(site, 7, declared=asked.declared)[0]}")
    assert relatives_of(page) == [f"{form.household}/{first.no}"]
