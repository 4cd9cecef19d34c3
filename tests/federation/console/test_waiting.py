"""A province that does not answer: the clock, what the first page says, and asking it again."""

import re
from collections.abc import Iterator

import pytest

from node.client.drafts import Drafts
from node.client.platform import Platform
from node.console import forms
from testbed import trial
from tests.support.cluster import EVERYTHING, know, move_peer, wait_for
from tests.support.console import Browser, forms_of
from tests.support.console_site import Site


def ask(site: Site, household: int, peers: tuple[str, ...]) -> str:
    """A check that another person approved; its job."""
    form = trial.form_of(site.lists.households[household], site.lists.mandates, peers)
    site.fresh_codes("he")
    he = site.people["he"]
    with Platform.open(site.node.home, f"127.0.0.1:{site.node.platform_port}") as platform:
        drafts = Drafts(platform.as_person(site.people["li"].token))
        draft = drafts.save(forms.pack(form)).draft_id
        sent = drafts.send(draft, 1, form.job, forms.to_verification(form))
        approver = Drafts(platform.as_person(he.token))
        return approver.approve(draft, sent.version, sent.digest, trial.PASSWORD, he.code()).job_id


@pytest.fixture
def patient(site: Site) -> Iterator[None]:
    """The node tries until the job is cancelled; else one of tests gives up within a second or two."""
    settings = site.node.node.config.requester.__dict__
    before = settings["retry_attempts"]
    settings["retry_attempts"] = 1_000_000
    yield
    settings["retry_attempts"] = before


@pytest.mark.usefixtures("patient")
def test_a_province_that_is_away(site: Site, li: Browser) -> None:
    port = site.provinces["33"].port
    move_peer(site.node.node, "33", 1)
    try:
        job = ask(site, 8, ("33",))
        assert job in li.get("/deadlines")
        assert "期限内" in li.page
        assert "剩5个工作日" in li.page  # what a province has for its answer (docs/deadlines.md)
        li.get(f"/jobs/{job}")
        li.send(f"/jobs/{job}/cancel", {})
        wait_for(lambda: job not in li.get("/deadlines"), 60, "not cancelled")
    finally:
        move_peer(site.node.node, "33", port)


def test_every_date_of_the_first_page_has_its_working_days(site: Site, li: Browser) -> None:
    page = li.get("/")
    dates = page.count("最近期限：") + page.count("人，期限")
    words = re.findall(r'class="hq-left">(剩\d+个工作日|! 已逾期\d+个工作日|! 今日到期|! 今日逾期)', page)
    assert len(words) == dates > 0


def test_a_province_that_refused_is_asked_again(site: Site, li: Browser) -> None:
    """It takes back what it granted, and grants it again later."""
    know(site.provinces["33"].node, site.node.home, 0, ())
    job = ask(site, 9, ("33", "44"))
    path = f"/jobs/{job}/retry"
    wait_for(lambda: path in forms_of(li.get(f"/jobs/{job}")), 60, "nothing to ask again")
    know(site.provinces["33"].node, site.node.home, 0, EVERYTHING)
    page = li.send(path, {"peer": "33"})
    assert path not in forms_of(page)
    wait_for(lambda: "查看核对结果" in li.get(f"/jobs/{job}"), 60, "it does not end")
    assert path not in forms_of(li.page)
