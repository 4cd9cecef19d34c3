"""A console served over TLS with people and a county's work behind it, and a real browser before it."""

import os
import shutil
import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from node.client.drafts import Drafts
from node.client.platform import Platform
from node.clock import utc_now
from node.console import forms
from node.console.app import make_app
from node.console.forms import CheckForm
from node.console.server import make_server
from node.console.visits import LANGUAGE, LARGE, SESSION
from node.database import users as rows
from node.domain.days import china_day
from node.domain.thresholds import parse_thresholds
from node.domain.users import NewUser
from node.governance import users
from node.governance.thresholds import set_thresholds
from node.jobs.acting import people_of
from node.registers.importer import import_item
from testbed import trial
from tests.support.cluster import Province, World, serve_all, wait_for
from tests.support.console import Browser
from tests.support.federation import set_config
from tests.support.mirrors import sync
from tests.support.ports import free_port

PEERS = ("44", "33")
SCREENSHOTS = "HEQIAO_SCREENSHOTS"
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
_NO_CHROMIUM = "no Chromium here (Debian: apt-get install chromium fonts-noto-cjk)"
# Violations of the policy are told to the page: they are kept until a test looks at them.
_LISTEN = """
window.__violations = [];
document.addEventListener('securitypolicyviolation', function (event) {
  window.__violations.push(event.violatedDirective + ' ' + event.blockedURI);
});
"""


@dataclass
class Site:
    """A served console: its address, the people, what they have done."""

    url: str
    app: Any
    node: Province
    people: Mapping[str, trial.Ready]
    lists: trial.Lists
    made: trial.Made
    alerts: int
    provinces: Mapping[str, Province]

    def browser(self, account: str) -> Browser:
        """A browser without scripts, signed in."""
        found = Browser(self.app)
        found.client.cookies.set(SESSION, self.people[account].token, domain="console.example")
        return found

    def platform(self) -> AbstractContextManager[Platform]:
        """The node's own connection to its platform port."""
        return _platform(self.node)

    def form(self, draft: str) -> CheckForm:
        """What the preparer typed into a draft."""
        with self.platform() as platform:
            return forms.unpack(Drafts(platform.as_person(self.people["li"].token)).get(draft).form)

    def fresh_codes(self, *accounts: str) -> None:
        """As if the last code had been long ago: a code is taken once."""
        with self.node.node.store.transaction("fresh codes", write=True) as tx:
            for account in accounts:
                rows.change_user(tx, account, {"totp_step": 0})


@contextmanager
def served_site(world: World, folder: Path) -> Iterator[Site]:
    """Three nodes in this process, the console in a thread, the trial's people and work."""
    homes = world.copy(folder)
    set_config(homes["45"], "users", required=True, approval=False)
    with serve_all(homes) as provinces:
        province, lists = provinces["45"], trial.Lists.read(world.data / "45")
        with _platform(province) as platform:
            people = _make_people(province, platform)
            alerts = _watch(provinces, platform, people["li"], lists, world.data)
        province.stop()  # a person adds no watch list where another must approve
        set_config(homes["45"], "users", approval=True)
        province.start()
        with _platform(province) as platform, served_console(province, platform) as url:
            app = make_app(platform, province.node.config.console.upload_kib << 10)
            made = trial.do_work(platform, people["li"], people["he"], lists, PEERS)
            yield Site(url, app, province, people, lists, made, alerts, provinces)


def _platform(province: Province) -> Platform:
    return Platform.open(province.home, f"127.0.0.1:{province.platform_port}")


def _watch(
    provinces: Mapping[str, Province], platform: Platform, by: trial.Ready, lists: trial.Lists, data: Path
) -> int:
    """A list that is watched, and a register that changes: how many alerts."""
    node = provinces["45"].node
    text = trial.THRESHOLDS.format(today=china_day(utc_now())).encode()
    set_thresholds(node.config, parse_thresholds(text, node.catalogue), node.clock())
    watched = trial.watch(platform, by, lists, ("44",))
    later = provinces["44"].home.parent / "C21-later.csv"
    trial.write_vehicles(data / "44" / "registers", watched, later)
    import_item(provinces["44"].node, "C21", [later])
    sync(node)
    return trial.look_again(platform, by)


def _make_people(province: Province, platform: Platform) -> dict[str, trial.Ready]:
    found, now = {}, utc_now()
    for seat in trial.SEATS:
        first = now.date() - timedelta(days=1)
        new = NewUser(seat.account, seat.name, seat.unit, frozenset(seat.roles), first)
        initial = users.add(people_of(province.node), new, None, now)
        found[seat.account] = trial.make_ready(platform, seat, initial)
    return found


@contextmanager
def served_console(province: Province, platform: Platform) -> Iterator[str]:
    """The console of a node in a thread: its address."""
    listen = f"127.0.0.1:{free_port()}"
    server = make_server(province.node.config, platform, listen)
    thread = threading.Thread(target=server.run, name="console", daemon=True)
    thread.start()
    try:
        wait_for(lambda: server.started, 30, "the console does not start")
        yield f"https://{listen}"
    finally:
        server.should_exit = True
        thread.join(30)


def chromium() -> str:
    """Debian's Chromium; skips the test where there is none."""
    found = next((path for name in CHROMIUM if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip(_NO_CHROMIUM)
    return found


@contextmanager
def launched() -> Iterator[Any]:
    """One browser."""
    path = chromium()
    api = pytest.importorskip("playwright.sync_api")
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []  # Chromium has no sandbox for root
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=arguments)
        yield browser
        browser.close()


@dataclass
class Window:
    """A page of somebody's own browser, and everything that it asked for, said and was refused."""

    page: Any
    url: str
    asked: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    titles: list[str] = field(default_factory=list)

    def go(self, path: str) -> Any:
        """Open a page of the console."""
        answer = self.page.goto(f"{self.url}{path}")
        self.note()
        return answer

    def press(self, name: str, *, within: str = "main") -> None:
        """Press a button, by its words."""
        self.page.locator(within).get_by_role("button", name=name, exact=True).click()
        self.note()

    def submit(self, action: str) -> None:
        """Press the first button of the form that goes there."""
        self.page.locator(f'main form[action="{action}"][method=post] button').first.click()
        self.page.wait_for_load_state()
        self.note()

    def note(self) -> None:
        """Keep the title, and what the policy refused."""
        self.titles.append(self.page.title())
        self.said += self.page.evaluate("window.__violations || []")

    def text(self) -> str:
        """What is shown."""
        return str(self.page.inner_text("body"))


@contextmanager
def window(
    browser: Any,
    site: Site,
    account: str = "",
    *,
    lang: str = "zh",
    script: bool = True,
    large: bool = False,
    scale: float = 1.0,
) -> Iterator[Window]:
    """A browser of its own: signed in as an account, or as nobody. Fails for what the policy refused."""
    size = {"width": round(1366 / scale), "height": round(768 / scale)}
    context = browser.new_context(
        ignore_https_errors=True,  # the certificate is of the trial's own CA
        java_script_enabled=script,
        viewport=size,
        device_scale_factor=scale,
    )
    cookies = {LANGUAGE: lang, **({LARGE: "1"} if large else {})}
    if account:
        cookies[SESSION] = site.people[account].token
    context.add_cookies(
        [{"name": name, "value": value, "url": f"{site.url}/", "secure": True, "httpOnly": True}
         for name, value in cookies.items()]
    )  # fmt: skip
    context.add_init_script(_LISTEN)
    page = context.new_page()
    page.set_default_timeout(60_000)
    found = Window(page, site.url)
    page.on("request", lambda request: found.asked.append(request.url))
    page.on("pageerror", lambda error: found.said.append(str(error)))
    page.on("console", lambda one: found.said.append(one.text) if _is_refusal(one.text) else None)
    try:
        yield found
    finally:
        cookies = context.cookies()
        context.close()
    assert found.said == []
    own = [url for url in found.asked if not url.startswith((site.url, "data:"))]
    assert own == [], "the console asks nobody else"
    require_private(
        site, [*found.asked, *found.titles, *(f"{one['name']}={one['value']}" for one in cookies)]
    )


def _is_refusal(text: str) -> bool:
    return "Content Security Policy" in text or "Refused to" in text


def require_private(site: Site, texts: list[str]) -> None:
    """No identity number and no name of a person in what is not the page itself."""
    numbers = [
        each.value for people in site.lists.households[:10] for one in people for each in one.identities
    ]
    names = [one.name for people in site.lists.households[:10] for one in people if one.name]
    for text in texts:
        assert not any(one in text for one in (*numbers, *names)), "a person outside of the page"


def shoot(one: Window, name: str) -> None:
    """A picture of the whole page, into the folder that the environment names, if it names one."""
    folder = os.environ.get(SCREENSHOTS)
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        one.page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)
