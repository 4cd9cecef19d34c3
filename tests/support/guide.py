"""The commands and files of docs/guide-province.md, in the order of the page."""

import re
from dataclasses import dataclass

from tests.support.paths import ROOT

PAGE = ROOT / "docs" / "guide-province.md"
_FENCE = re.compile(r"^```(?P<kind>\S+)(?: (?P<name>\S+))?\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Step:
    """A file to write, by its `name`, or lines for a shell; `install` is the name of those already done."""

    kind: str
    name: str
    text: str


def steps():
    """All fenced blocks of the page."""
    found = _FENCE.finditer(PAGE.read_text(encoding="utf-8"))
    return [Step(one["kind"], one["name"] or "", one["text"]) for one in found]


def commands():
    """The lines of all shell blocks, continued ones joined."""
    text = "".join(one.text for one in steps() if one.kind == "sh" and not one.name)
    return [line for line in text.replace("\\\n", " ").splitlines() if line.strip()]
