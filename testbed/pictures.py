"""The pictures of docs/console.md: a browser opens the pages of the trial as people of each role see them.

    python -m testbed.pictures            # writes docs/pictures/*.png; needs Chromium and fonts-noto-cjk

All people and numbers in them are synthetic.
"""

import argparse
import io
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from node.client.drafts import Drafts
from node.client.key_administration import KeyAdmin
from node.client.platform import Platform
from node.console.pages.prepared import Head, pack
from node.console.visits import LANGUAGE, SESSION
from node.domain.jobs import SUM, WATCH
from testbed import demo_console, homes
from testbed.demo_console import Served
from testbed.folder import exit_code, step
from testbed.processes import ChildError

NAME: Final = "pictures"
TARGET: Final = Path(__file__).parents[1] / "docs" / "pictures"
MOST_BYTES: Final = 150_000
MOST_IN_ALL: Final = 4_000_000
_CHROMIUM: Final = ("chromium", "chromium-browser", "google-chrome")
_WINDOW: Final = {"width": 1280, "height": 720}
_TALLEST: Final = 1_500  # a longer page is cut: the guide shows where things are, not all rows
_COLOURS: Final = 64


@dataclass(frozen=True)
class Picture:
    """A page: the name of its file, who opens it, its address, and in which languages."""

    name: str
    account: str
    path: str
    languages: tuple[str, ...] = ("zh",)


_BOTH: Final = ("zh", "en")
# What docs/console.md shows, in its order. Officers read Chinese, administrators either.
PICTURES: Final = (
    Picture("sign-in", "", "/sign-in"),
    Picture("home", "li", "/"),
    Picture("check-members", "li", "/checks/{open_draft}?step=members"),
    Picture("check-mandates", "li", "/checks/{open_draft}?step=mandates"),
    Picture("check-items", "li", "/checks/{open_draft}?step=items"),
    Picture("check-review", "li", "/checks/{open_draft}?step=review"),
    Picture("sum", "li", "/sums/{sum_draft}"),
    Picture("watch", "li", "/watches/{watch_draft}"),
    Picture("approvals", "he", "/approvals"),
    Picture("approval", "he", "/approvals/{waiting}"),
    Picture("jobs", "li", "/jobs"),
    Picture("job", "li", "/jobs/{job}"),
    Picture("report", "li", "/jobs/{job}/report"),
    Picture("objection-new", "li", "/jobs/{job}/objection"),
    Picture("objection", "li", "/objections/{objection}"),
    Picture("alerts", "li", "/alerts"),
    Picture("health", "qin", "/health", _BOTH),
    Picture("peers", "qin", "/peers", _BOTH),
    Picture("incoming", "qin", "/incoming", _BOTH),
    Picture("imports", "qin", "/imports", _BOTH),
    Picture("sources", "qin", "/imports/sources", _BOTH),
    Picture("files", "qin", "/imports/files", _BOTH),
    Picture("keys", "wu", "/keys", _BOTH),
    Picture("old-keys", "wu", "/keys/epochs", _BOTH),
    Picture("certificate", "wu", "/keys/certificate", _BOTH),
    Picture("backups", "wu", "/keys/backups", _BOTH),
    Picture("access", "wu", "/access", _BOTH),
    Picture("users", "wu", "/users", _BOTH),
    Picture("audit", "meng", "/audit", _BOTH),
)


def main() -> int:
    """Write them; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m testbed.pictures", description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=Path(demo_console.NAME), help="of the trial")
    parser.add_argument("--out", type=Path, default=TARGET, help="default: docs/pictures")
    options = parser.parse_args()
    return exit_code(NAME, lambda: run(options.folder, options.out))


def run(folder: Path, out: Path) -> int:
    """Make the trial in `folder` and the pictures in `out`. Raises ChildError."""
    with demo_console.served(folder) as trial, launched() as browser, step(NAME, "opening the pages"):
        made = asdict(trial.made) | prepare(folder, trial)
        found = {
            name: shoot(browser, trial, one, lang, made) for one in PICTURES for name, lang in names(one)
        }
    write(out, found)
    print(f"{NAME}: {len(found)} pictures, {sum(map(len, found.values())) >> 10} KiB, in {out}")
    return 0


def prepare(folder: Path, trial: Served) -> dict[str, str]:
    """A sum and a watch list that are being prepared: their drafts; and a backup of the keys."""
    job = trial.made.job
    watched = Head(("C21", "C23"), demo_console.PEERS, "SA-2026-46", "county-2026", job)
    summed = Head(("B11",), demo_console.PEERS, "SA-2026-46")
    with Platform.open(folder / homes.REQUESTER.code) as node:
        drafts = Drafts(node.as_person(trial.people["li"].token))
        KeyAdmin(node.as_person(trial.people["wu"].token)).make_backup()
        return {
            "sum_draft": drafts.save(pack(summed), kind=SUM).draft_id,
            "watch_draft": drafts.save(pack(watched), kind=WATCH).draft_id,
        }


def names(one: Picture) -> list[tuple[str, str]]:
    """File name and language of each picture of a page."""
    return [(f"{one.name}-{lang}.png", lang) for lang in one.languages]


@contextmanager
def launched() -> Iterator[Browser]:
    """Debian's Chromium. Raises ChildError where there is none."""
    program = next((path for name in _CHROMIUM if (path := shutil.which(name))), None)
    if program is None:
        raise ChildError("no Chromium here", "Debian: apt-get install chromium fonts-noto-cjk")
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []  # Chromium has no sandbox for root
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=arguments)
        yield browser
        browser.close()


def shoot(browser: Browser, trial: Served, one: Picture, lang: str, made: Mapping[str, str]) -> bytes:
    """The page as a PNG of few colours. Raises ChildError for one that does not open, or is too large."""
    url = f"https://127.0.0.1:{trial.port}"
    locale = {"zh": "zh-CN", "en": "en-GB"}[
        lang
    ]  # of what the browser itself says: days, the choice of a file
    context = browser.new_context(ignore_https_errors=True, viewport=_WINDOW, locale=locale)  # type: ignore[arg-type]
    cookies = {LANGUAGE: lang, **({SESSION: trial.people[one.account].token} if one.account else {})}
    context.add_cookies(
        [{"name": name, "value": value, "url": f"{url}/", "secure": True} for name, value in cookies.items()]
    )
    page = context.new_page()
    answer = page.goto(url + one.path.format(**made))
    if answer is None or not answer.ok:
        raise ChildError(f"{one.path} does not open for {one.account or 'nobody'}", "see the trial's logs")
    taken = page.screenshot(full_page=True)
    context.close()
    small = compressed(taken)
    if len(small) > MOST_BYTES:
        raise ChildError(f"the picture of {one.path} has {len(small)} bytes", f"at most {MOST_BYTES}")
    return small


def compressed(png: bytes) -> bytes:
    """The upper part of a page, in so few colours that a guide of many pictures stays small."""
    with Image.open(io.BytesIO(png)) as full:
        part = full.convert("RGB").crop((0, 0, full.width, min(full.height, _TALLEST)))
        out = io.BytesIO()
        part.quantize(_COLOURS, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
    return out.getvalue()


def write(out: Path, found: dict[str, bytes]) -> None:
    """In place of all pictures of before. Raises ChildError where they are too much together."""
    total = sum(map(len, found.values()))
    if total > MOST_IN_ALL:
        raise ChildError(f"the pictures have {total} bytes", f"at most {MOST_IN_ALL}: leave some out")
    out.mkdir(parents=True, exist_ok=True)
    for old in out.glob("*.png"):
        old.unlink()
    for name, content in found.items():
        (out / name).write_bytes(content)


if __name__ == "__main__":
    sys.exit(main())
