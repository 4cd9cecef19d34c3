"""The auditor's day in a browser, by keyboard alone, in both languages, with scripts and without.

Refusals are found, the chosen events are exported, the export is an event itself, the chain is verified; no
case is shown and nothing can be started.
"""

import json
from functools import partial
from typing import Any

import pytest

from node.console.words import say
from tests.support.console_site import Site, Window, window
from tests.support.keyboard import download_by_keyboard, press_by_keyboard, sign_in_by_keyboard, type_over

AUDITOR = "meng"
REFUSED = "call_refused"


def find(one: Window, event: str, words: Any) -> list[str]:
    """Choose events by their name; the rows that are shown."""
    one.go("/audit")
    type_over(one.page, "event", event)
    press_by_keyboard(one.page, words("筛选"))
    one.note()
    return [row.inner_text() for row in one.page.locator("tbody tr").all()]


def export(one: Window, words: Any) -> list[dict[str, Any]]:
    """The file that the button gives, with what is chosen in the form."""
    name, content = download_by_keyboard(one.page, words("导出"))
    assert name == "audit-events.jsonl"
    return [json.loads(line) for line in content.decode().splitlines()]


@pytest.mark.parametrize(
    ("lang", "script"),
    [
        ("zh", True),
        ("en", False),
        pytest.param("zh", False, marks=pytest.mark.long),
        pytest.param("en", True, marks=pytest.mark.long),
    ],
)
def test_an_auditors_day(browser: Any, site: Site, lang: str, script: bool) -> None:
    words = partial(say, lang)
    with window(browser, site, lang=lang, script=script) as one:
        sign_in_by_keyboard(one, site, AUDITOR)
        for path in ("/jobs", "/checks", "/approvals", "/objections", f"/jobs/{site.made.job}/report"):
            assert one.go(path).status == 403, path  # and that is a refusal to be found below
            assert words("您的角色没有此项权限。") in one.text()
        rows = find(one, REFUSED, words)
        assert len(rows) >= 5
        assert all(REFUSED in row for row in rows)
        assert any(AUDITOR in row and "WatchJob" in row for row in rows)  # the first that a report asks
        exported = export(one, words)
        assert {line["event"] for line in exported} == {REFUSED}
        own = find(one, "audit_exported", words)
        assert any(AUDITOR in row for row in own)
        press_by_keyboard(one.page, words("校验审计链"))
        one.note()
        assert words("完整") in one.text()
        starts_nothing(one)


def starts_nothing(one: Window) -> None:
    """No page of the menu offers the auditor a form that would change something but the own account."""
    links = one.page.locator("nav.hq-nav a")
    for path in [link.get_attribute("href") for link in links.all()]:
        one.go(path)
        sent = {form.get_attribute("action") for form in one.page.locator("form[method=post]").all()}
        own = {"/large", "/language", "/sign-out", "/account/password", "/account/sessions"}
        assert sent - own <= {"/audit", "/audit/verify"}, path
        assert "********" not in one.text(), "a subject"
