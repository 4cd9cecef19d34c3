"""Watch lists and alerts on their page: thresholds, the last looks, the newest alerts first."""

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import delete

from node.client.watches import Watches
from node.clock import utc_now
from node.console.pages import alerts
from node.database import alerts as alert_rows
from node.database import notices as notice_rows
from node.database import watches as rows
from node.database.watch_tables import watch_thresholds
from node.domain.catalogue import load
from node.domain.days import FIRST_DAY, china_day
from node.domain.notices import Level, Notice, NoticeKind
from testbed import trial
from tests.support.console import Browser
from tests.support.console_site import Site

UNSET = "没有设置预警阈值"


def test_a_node_without_thresholds_says_so(browsers: dict[str, Browser]) -> None:
    """No alert is then no sign that nothing changed."""
    assert UNSET in browsers["prep"].get("/alerts")


def test_the_version_of_the_thresholds(site: Site, li: Browser) -> None:
    page = li.get("/alerts?all=1")
    assert UNSET not in page
    assert "现行阈值版本：2026-1" in page
    assert page.count(">2026-1</td>") == site.alerts
    item = load().item("C21")
    assert f"C21 {item.name_zh}" in page


def test_thresholds_that_do_not_fit_the_catalogue_any_more(site: Site, li: Browser) -> None:
    today, store = china_day(utc_now()), site.node.node.store
    content = trial.THRESHOLDS.format(today=today).replace("C21", "C99")
    bad = alert_rows.ThresholdsRow(99, "2026-2", "省厅", (today - FIRST_DAY).days, content, utc_now())
    with store.transaction("set", write=True) as tx:
        alert_rows.add_thresholds(tx, bad)
    try:
        assert "监测比对已停止" in li.get("/alerts")
    finally:
        with store.transaction("mend", write=True) as tx:
            tx.execute(delete(watch_thresholds).where(watch_thresholds.c.number == bad.number))


def test_alerts_have_pages_the_newest_first(site: Site, li: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    with site.platform() as platform:
        mine = Watches(platform.as_person(site.people["li"].token))
        every, newest = [one.seq for one in mine.alerts()], mine.newest_alerts(limit=2)
    assert [one.seq for one in newest] == every[:-3:-1]
    monkeypatch.setattr(alerts, "_PAGE", 1)
    found, page = [], li.get("/alerts?all=1")
    while True:
        found += re.findall(r'<th scope="row"[^>]*>([^<]+)</th><td class="govuk-table__cell">C21', page)
        older = re.search(r'href="([^"]+)">更早的预警', page)
        if older is None:
            break
        page = li.get(older[1].replace("&amp;", "&"))
        assert "最新的预警" in page
    assert len(found) == len(set(found)) == site.alerts == len(every)
    assert found[0] == newest[0].ref


def test_alerts_of_one_list(site: Site, li: Browser) -> None:
    assert newest_of(li.get(f"/alerts?all=1&list={trial.WATCH}")) == site.alerts
    # One that is not there is no filter.
    assert newest_of(li.get("/alerts?all=1&list=no-such-list")) == site.alerts
    with site.platform() as platform:
        mine = Watches(platform.as_person(site.people["li"].token))
        assert mine.newest_alerts("no-such-list") == ()


def newest_of(page: str) -> int:
    return page.count("▲")


@pytest.fixture
def failed(site: Site) -> Iterator[None]:
    """A look at 44 that did not end well, as the periodic check finds it."""
    store = site.node.node.store
    with store.transaction("read look") as tx:
        good = rows.find_look(tx, trial.WATCH, "44")
    made = []
    with store.transaction("fail", write=True) as tx:
        rows.put_look(tx, replace(good, reason="unavailable"))
        for kind, owner in (
            (NoticeKind.LOOKS_FAILED, "unit/450124000000"),
            (NoticeKind.LOOKS_FAILED, "unit/450125000000"),
            (NoticeKind.THRESHOLDS_MISSING, "node"),
        ):
            notice = Notice(kind, Level.WARNING, trial.WATCH if owner != "node" else "", owner)
            made.append(notice_rows.add_notice(tx, notice, (), utc_now()))
    yield
    with store.transaction("mend", write=True) as tx:
        rows.put_look(tx, good)
        notice_rows.clear_notices(tx, made, utc_now())


@pytest.mark.usefixtures("failed")
def test_a_look_that_failed(site: Site, li: Browser) -> None:
    page = li.get("/alerts")
    assert "✗ 未完成" in page
    assert "联系不上对方节点" in page
    assert "查看并处理" not in page  # the page itself says it


@pytest.mark.usefixtures("failed")
def test_banners_of_lists_for_who_may_act(site: Site, li: Browser) -> None:
    looks, thresholds = "有1个监测名单的比对未完成", "heqiao watch thresholds set"
    page = li.get("/account")
    assert looks in page  # not that of another county
    assert thresholds not in page
    for account in ("he", "lu", "wu"):  # none of them looks again, or sets thresholds
        page = site.browser(account).get("/account")
        assert looks not in page
        assert thresholds not in page
    page = site.browser("qin").get("/account")
    assert thresholds in page
    assert looks not in page


def test_a_list_is_looked_at_now(site: Site, li: Browser) -> None:
    li.get("/alerts")
    page = li.send("/alerts/look", {"watch": trial.WATCH})
    assert "各省进度" in page
    he = site.browser("he")
    assert "现在比对" not in he.get("/alerts")
    token = re.search(r'name="csrf" value="([0-9a-f]+)"', he.page)[1]
    assert he.client.post("/alerts/look", data={"csrf": token, "watch": trial.WATCH}).status_code == 403
