"""The county's day in a browser by keyboard alone, in both languages, with scripts and without.

From an Excel file to a report, an objection and an alert. Only the choice of a file is not by keyboard: its
window is the system's.
"""

from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from node.clock import utc_now
from node.console.words import say
from node.domain.days import china_day
from testbed import trial
from tests.support.console_site import Site, Window, window
from tests.support.keyboard import (
    download_by_keyboard,
    press_by_keyboard,
    send_by_keyboard,
    sign_in_by_keyboard,
    tick,
    type_day,
    type_over,
)
from tests.support.sheets import write_xlsx

SCAN = {"name": "授权书.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7 scan"}
BEGUN, ENDS = date(2026, 1, 1), date(2030, 12, 31)
ITEMS = ("Z59b", "C21")


def bring_list(one: Window, site: Site, household: int, folder: Path, words: Any) -> int:
    """A new draft with the people of an Excel file; how many."""
    people = site.lists.households[household]
    rows = [("姓名", "证件号码"), *((person.name, person.identities[0].value) for person in people)]
    one.go("/checks")
    press_by_keyboard(one.page, words("新建一户核对"))
    one.page.locator("#list").set_input_files(write_xlsx(folder / f"{household}.xlsx", rows))
    press_by_keyboard(one.page, words("导入名单"))
    shown = one.text()
    assert not any(person.identities[0].value in shown for person in people)
    assert one.page.locator(".hq-number").count() == len(people), one.page.inner_text("main")[:300]
    send_by_keyboard(one.page, household=f"browser-{household}")
    return len(people)


def authorise(one: Window, household: int, people: int, words: Any) -> None:
    """What was missing, by the link that names it."""
    page = one.page
    press_by_keyboard(page, words("第{no}人没有授权书", no=people))
    type_over(page, "number", f"B{household}")
    for number in range(1, people + 1):
        tick(page, f"members-{number}")
    type_over(page, "signers", "韦某")
    type_over(page, "office", "马山县民政局")
    type_day(page, "valid_from", BEGUN)
    type_day(page, "valid_to", ENDS)
    page.locator("#scan").set_input_files(SCAN)
    press_by_keyboard(page, words("添加"))


def prepare(one: Window, site: Site, household: int, folder: Path, words: Any) -> str:
    """A draft that was sent when nothing was missing; its number."""
    people = bring_list(one, site, household, folder, words)
    draft = one.page.url.partition("?")[0].rpartition("/")[2]
    one.go(f"/checks/{draft}?step=review")
    missing = [words("第{no}人没有授权书", no=number) for number in range(1, people + 1)]
    assert all(text in one.text() for text in missing)
    assert one.page.get_by_role("button", name=words("提交复核")).is_disabled()
    authorise(one, household, people, words)
    one.go(f"/checks/{draft}?step=items")
    for code in ITEMS:
        tick(one.page, f"items-{code}")
    tick(one.page, "peers-44")
    press_by_keyboard(one.page, words("保存并继续"))
    assert not any(text in one.text() for text in missing)
    press_by_keyboard(one.page, words("提交复核"))
    assert draft in one.text()
    return draft


def approve(one: Window, site: Site, draft: str) -> str:
    """Password and code again, by another person; the job."""
    sign_in_by_keyboard(one, site, "he")
    one.go(f"/approvals/{draft}")
    site.fresh_codes("he")
    send_by_keyboard(one.page, password=trial.PASSWORD, code=site.people["he"].code())
    one.note()
    assert "/jobs/" in one.page.url
    return str(one.page.url.rpartition("/")[2])


def read_report(one: Window, job: str, household: int, words: Any) -> None:
    """Progress until its end, what was found, and the report as PDF."""
    one.go(f"/jobs/{job}")
    assert words("各省进度") in one.text()
    # With scripts the page changes by itself; without, it loads itself again every five seconds.
    one.page.get_by_role("link", name=words("查看核对结果")).wait_for()
    one.go(f"/jobs/{job}")
    press_by_keyboard(one.page, words("查看核对结果"))
    assert f"browser-{household}/1" in one.text()
    one.go(f"/jobs/{job}")
    name, content = download_by_keyboard(one.page, words("PDF文件"))
    assert job in name
    assert content.startswith(b"%PDF-")


def object_to(one: Window, job: str, household: int, words: Any) -> None:
    """An objection of the applicant to one part of it, on record with its date."""
    today = china_day(utc_now())
    one.go(f"/jobs/{job}")
    press_by_keyboard(one.page, words("登记异议"))
    type_over(one.page, "household", f"browser-{household}")
    type_over(one.page, "raised_by", "申请人本人")
    type_over(one.page, "grounds", "该车辆已于上月过户。")
    type_day(one.page, "received", today)
    type_day(one.page, "raised", today)
    press_by_keyboard(one.page, words("登记异议"))
    one.note()
    assert job in one.text()
    assert "该车辆已于上月过户。" in one.text()


def acknowledge(one: Window, words: Any) -> None:
    """The first alert, with what was done about it."""
    one.go("/alerts")
    boxes = one.page.locator("input[name=alerts]")
    before = boxes.count()
    tick(one.page, str(boxes.first.get_attribute("id")))
    type_over(one.page, "note", "已入户核实")
    press_by_keyboard(one.page, words("登记处置说明"))
    one.note()
    assert one.page.locator("input[name=alerts]").count() == before - 1


@pytest.mark.parametrize(
    ("lang", "script", "household"),
    [
        ("zh", True, 8),
        ("en", False, 9),
        pytest.param("zh", False, 10, marks=pytest.mark.long),
        pytest.param("en", True, 11, marks=pytest.mark.long),
    ],
)
def test_a_countys_day(
    browser: Any, site: Site, tmp_path: Path, lang: str, script: bool, household: int
) -> None:
    words = partial(say, lang)
    with window(browser, site, lang=lang, script=script) as li:
        sign_in_by_keyboard(li, site, "li")
        assert words("待我处理") in li.text()
        draft = prepare(li, site, household, tmp_path, words)
        with window(browser, site, lang=lang, script=script) as he:
            job = approve(he, site, draft)
        read_report(li, job, household, words)
        object_to(li, job, household, words)
        acknowledge(li, words)
