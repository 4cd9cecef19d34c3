"""A correction that another province asks for, in a browser at the console there."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from node.client.cases import Cases
from node.client.platform import Platform
from node.clock import utc_now
from node.domain.corrections import Basis, Fault
from node.domain.findings import Outcome
from node.domain.users import NewUser, Role
from node.governance import users
from node.jobs.acting import people_of
from testbed import trial
from tests.support.accessibility import require_sound
from tests.support.console_site import Site, served_console, shoot, window

SEAT = trial.Seat("ou", "欧文", "440000000000", (Role.APPROVER,))


@pytest.fixture(scope="module")
def received(site: Site) -> tuple[str, str]:
    """45 asks 44 to correct a record: the number of the person, and the reference of the case."""
    with site.platform() as platform:
        he = platform.as_person(site.people["he"].token)
        answers = he.report(site.made.job).findings
        one = next(row for row in answers if row.outcome is Outcome.FOUND and row.peer == "44")
        Cases(he).send_correction(
            site.made.job, one.subject, "44", one.item, Fault.NOT_MINE, Basis.PERSON_REQUEST, "case-9",
            discloses_person=True,
        )  # fmt: skip
    household, _, member = one.subject.rpartition("/")
    assert household
    return site.lists.households[0][int(member) - 1].identities[0].value, "case-9"


@pytest.fixture(scope="module")
def there(site: Site) -> Iterator[Site]:
    """The console of 44, and an approver of the whole province there."""
    province = site.provinces["44"]
    with Platform.open(province.home, f"127.0.0.1:{province.platform_port}") as platform:
        first = utc_now().date() - timedelta(days=1)
        new = NewUser(SEAT.account, SEAT.name, SEAT.unit, frozenset(SEAT.roles), first)
        initial = users.add(people_of(province.node), new, None, utc_now())
        people = {SEAT.account: trial.make_ready(platform, SEAT, initial)}
        with served_console(province, platform) as url:
            yield replace(site, url=url, people=people)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_received_correction_is_looked_up_and_answered(
    browser: Any, there: Site, received: tuple[str, str], lang: str
) -> None:
    number, reference = received
    content = f"证件号码\n{number}\n".encode()
    with window(browser, there, SEAT.account, lang=lang) as one:
        one.go("/corrections")
        require_sound(one, there, lang)
        one.page.locator("tr", has_text=reference).locator("a").first.click()
        one.page.wait_for_url("**/corrections/*")
        one.note()
        path = one.page.url.removeprefix(there.url)
        shoot(one, f"{lang}-corrections-number-ou")
        require_sound(one, there, lang)
        listed = {"name": "list.csv", "mimeType": "text/csv", "buffer": content}
        one.page.set_input_files("input[name=list]", listed)
        one.submit(f"{path}/find")
        require_sound(one, there, lang)
        assert number not in one.text()
        if lang == "zh":
            return
        one.submit(path)  # no answer chosen
        require_sound(one, there, lang)
        one.page.locator("select[name=reason]").select_option(index=1)
        one.submit(path)
        require_sound(one, there, lang)
        assert one.page.locator("select[name=reason]").count() == 0
