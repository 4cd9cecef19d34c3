"""Every page in a browser: rules of accessibility, nothing refused by the policy, nothing too wide."""

from typing import Any

import pytest

from node.client.administration import Works
from node.client.drafts import Drafts
from node.console.app import PAGES
from node.console.pages.prepared import Head, pack
from node.domain.jobs import SUM, WATCH
from node.errors import PreconditionError
from testbed import trial_source
from tests.support.accessibility import is_too_wide, violations
from tests.support.cluster import World
from tests.support.console_site import Site, shoot, window
from tests.support.page_words import english_left

OFFICERS, OTHERS = ("li", "he"), ("wu", "qin", "meng", "lu")
# Pages of something: the paths to open and who opens them. Those without a name of something are found by
# themselves.
OF_SOMETHING = {
    "/checks/{draft}": [
        ("li", "/checks/{open_draft}?step=members"),
        ("li", "/checks/{open_draft}?step=mandates"),
        ("li", "/checks/{open_draft}?step=items"),
        ("li", "/checks/{open_draft}?step=review"),
    ],
    "/approvals/{draft}": [("he", "/approvals/{waiting}")],
    "/sums/{draft}": [("li", "/sums/{sum_draft}")],
    "/watches/{draft}": [("li", "/watches/{watch_draft}")],
    "/jobs/{job}": [("li", "/jobs/{job}")],
    "/jobs/{job}/report": [("li", "/jobs/{job}/report")],
    "/jobs/{job}/objection": [("li", "/jobs/{job}/objection")],
    "/jobs/{job}/correction": [("he", "/jobs/{job}/correction")],
    "/requests/{request}": [("wu", "/requests/{request}"), ("meng", "/requests/{request}")],
    "/imports/{number}": [("qin", "/imports/1")],
    "/quality/{number}": [("qin", "/quality/1")],
    "/objections/{objection}": [("li", "/objections/{objection}")],
}
# Opened by the tests of signing in, before there is a session; parts of pages; files.
ELSEWHERE = {
    "/session",
    "/works/progress",
    "/sign-in/code",
    "/sign-in/second-factor",
    "/ready",
    "/person",
    "/mandates/show",  # test_mandate_pages
    "/mandates/revoke",
    "/corrections/{number}",  # test_case_pages
    "/jobs/{job}/progress",
    "/jobs/{job}/files/{kind}",
    "/keys/certificate/request",
    "/statistics/{kind}",
}


def paths_for(site: Site, request: str) -> list[tuple[str, str]]:
    """Who opens what: every address of the console that shows a page, and two that show an error."""
    found = [("", "/sign-in"), ("li", "/users"), ("li", "/nothing-here")]
    for path in sorted({path for path, methods, _ in PAGES if "GET" in methods} - ELSEWHERE - {"/sign-in"}):
        if "{" in path:
            values = {name: getattr(site.made, name) for name in site.made.__dataclass_fields__}
            values |= {"request": request, **prepared(site)}
            found += [(who, one.format(**values)) for who, one in OF_SOMETHING[path]]
        else:
            found += [(who, path) for who in readers(site, path)]
    return found


def prepared(site: Site) -> dict[str, str]:
    """Drafts of a sum and of a watch list."""
    with site.platform() as platform:
        drafts = Drafts(platform.as_person(site.people["li"].token))
        head = pack(Head(job=site.made.job, items=("C21",), peers=("44",)))
        return {
            "sum_draft": drafts.save(pack(Head()), kind=SUM).draft_id,
            "watch_draft": drafts.save(head, kind=WATCH).draft_id,
        }


def readers(site: Site, path: str) -> list[str]:
    """The first officer and the first other person who may open a page."""
    found = []
    for group in (OFFICERS, OTHERS):
        may = (who for who in group if site.browser(who).client.get(path).is_success)
        found += [one] if (one := next(may, None)) else []
    return found


def test_the_trial_has_alerts(site: Site) -> None:
    assert site.alerts > 0


@pytest.fixture(scope="module")
def paths(site: Site, world: World) -> list[tuple[str, str]]:
    return paths_for(site, ask_and_begin(site, world))


def ask_and_begin(site: Site, world: World) -> str:
    """Work in the background, and a request under dual control: its id."""
    settings = site.node.node.config.approvals.__dict__
    trial_source.put(site.node.home, world.data / "44" / "registers")
    site.node.node.config.imports.__dict__["folder"] = site.node.home / trial_source.FOLDER
    with site.platform() as platform:
        trial_source.use(platform, site.people["qin"].token)
        Works(platform.as_person(site.people["qin"].token)).sync("44")
        settings["required"] = True
        with pytest.raises(PreconditionError) as asked:
            Works(platform.as_person(site.people["wu"].token)).rotate("sum")
    settings["required"] = False
    return str(asked.value.details["request"])


@pytest.mark.parametrize(("lang", "scale"), [("zh", 1.0), ("en", 1.25)])
def test_every_page(browser: Any, site: Site, paths: list[tuple[str, str]], lang: str, scale: float) -> None:
    """In Chinese for an officer and for another person, in English for the first of them."""
    found, wide, left = {}, [], {}
    if lang == "en":
        paths = [(who, path) for path, who in {path: who for who, path in reversed(paths)}.items()]
    for who in dict.fromkeys(who for who, _ in paths):
        with window(browser, site, who, lang=lang, scale=scale) as one:
            for path in (path for other, path in paths if other == who):
                one.go(path)
                name = path.split("?")[0].strip("/").replace("/", "-") or "home"
                step = path.partition("step=")[2]
                shoot(one, f"{lang}-{name}{step and '-' + step}-{who or 'nobody'}")
                assert one.page.locator("h1").count() == 1, path
                if bad := violations(one.page):
                    found[path] = bad
                if is_too_wide(one):
                    wide.append(path)
                if lang == "zh" and (other := english_left(one.page)):
                    left[path] = other
    assert left == {}
    assert found == {}
    assert wide == []


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_pages_that_a_form_opens(browser: Any, site: Site, lang: str) -> None:
    """One person shown for a minute: no address names whom."""
    found: dict[str, object] = {}
    with window(browser, site, "li", lang=lang) as one:
        for path, action in ((f"/jobs/{site.made.job}/report", "/person"),):
            one.go(path)
            form = one.page.locator(f'form[action="{action}"]').first
            form.evaluate("form => { const found = form.closest('details'); if (found) found.open = true; }")
            for name in ("ref", "reason"):
                if form.locator(f"select[name={name}]").count():
                    form.locator(f"select[name={name}]").select_option(index=1)
            form.locator("button").first.click()
            one.page.wait_for_url(f"**{action}")
            one.note()
            shoot(one, f"{lang}{action.replace('/', '-')}-li")
            assert one.page.locator("h1").count() == 1
            if bad := violations(one.page):
                found[action] = bad
            assert not is_too_wide(one)
            assert lang == "en" or english_left(one.page) == []
    assert found == {}
