"""A mandate in a browser: its list is uploaded, one is shown and revoked; no address has its number."""

import csv
from io import StringIO
from typing import Any

import pytest

from node.client.records import Records
from tests.support.accessibility import require_sound
from tests.support.console_site import Site, shoot, window
from tests.support.mandate_lists import HEAD, SPOUSE, household, mandate, mandate_rows


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_mandate_is_uploaded_shown_and_revoked(browser: Any, site: Site, lang: str) -> None:
    number, home = f"BROWSER-{lang}", f"H-browser-{lang}"
    with site.platform() as platform:
        Records(platform.as_person(site.people["li"].token)).put_households([household(home)])
    made = mandate(HEAD, SPOUSE, no=number, household_no=home, guardians=())
    out = StringIO()
    csv.writer(out).writerows(mandate_rows(made))
    with window(browser, site, "li", lang=lang) as one:
        one.go("/mandates")
        listed = {"name": "list.csv", "mimeType": "text/csv", "buffer": out.getvalue().encode()}
        one.page.set_input_files("input[name=list]", listed)
        one.submit("/mandates")
        require_sound(one, site, lang)
        one.page.locator("tr", has_text=number).locator("button").first.click()
        one.page.wait_for_url("**/mandates/show")
        one.note()
        shoot(one, f"{lang}-mandates-show-li")
        require_sound(one, site, lang)
        assert HEAD not in one.text()
        one.submit("/mandates/revoke")  # without a reason
        require_sound(one, site, lang)
        one.page.locator("select[name=reason]").select_option(value="withdrawn")
        one.page.locator("input[name=sure]").check()
        one.submit("/mandates/revoke")
        shoot(one, f"{lang}-mandates-revoke-li")
        require_sound(one, site, lang)
        assert one.page.locator('form[action="/mandates/revoke"]').count() == 0
        assert number not in one.page.url
