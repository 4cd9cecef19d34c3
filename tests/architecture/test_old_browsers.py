"""What browsers are sent: nothing newer than Chrome 86, which offices have, nothing the policy refuses.

Versions are those of the browser compatibility data of MDN.
"""

import hashlib
import re
from pathlib import Path

import pytest

from node.console.render import STATIC_FOLDER

TEMPLATES = STATIC_FOLDER.parent / "templates"
# A pattern, and the version of Chrome that brought it.
CSS = {
    r":has\(": 105,
    r":is\(": 88,
    r":where\(": 88,
    r":not\([^()]*,": 88,
    r":user-(?:in)?valid": 119,
    r"(?<![\w-])inset(?:-\w+)*\s*:": 87,
    r"(?<![\w-])(?:margin|padding)-(?:inline|block)(?:-\w+)?\s*:": 87,
    r"(?<![\w-])aspect-ratio\s*:": 88,
    r"(?<![\w-])accent-color\s*:": 93,
    r"(?<![\w-])(?:rotate|scale|translate)\s*:": 104,
    r"overflow(?:-[xy])?\s*:\s*clip": 90,
    r"@(?:layer|container|scope|starting-style)\b": 99,
    r"\b(?:color-mix|oklch|oklab|lab|lch|hwb|light-dark)\(": 101,
    r"\d(?:dvh|svh|lvh|dvw|cqw|cqi)\b": 105,
    r"[{;]\s*&": 112,
}
JS = {
    r"\bstructuredClone\b": 98,
    r"\brandomUUID\b": 92,
    r"\bObject\.hasOwn\b": 93,
    r"\.(?:at|findLast|findLastIndex|toSorted|toReversed|toSpliced|replaceChildren)\(": 92,
    r"\bstatic\s*\{": 94,
    r"\bArray\.fromAsync\b": 121,
    r"\.showModal\(": 0,  # 37, but older Firefox and the browsers in WebView mode have none
    r"\bPromise\.(?:withResolvers|try)\b": 119,
    r"\bawait\s+import\b": 89,
    r"\bscheduler\.": 94,
}
HTML = {
    r"<dialog\b": 0,
    r"\spopover\b": 114,
    r"\sinert\b": 102,
    r"<search\b": 118,
    r"\sstyle=": 0,  # refused by the policy
    r"\son[a-z]+=": 0,  # refused by the policy
    r"\shx-on": 0,  # needs eval
    r"<style\b": 0,
    r"<script(?![^>]*\ssrc=)": 0,
    r"(?:src|href|action)=\"(?:https?:)?//": 0,  # nothing comes from elsewhere
}
FILES = [
    *((path, CSS) for path in sorted(STATIC_FOLDER.glob("*.css"))),
    *((path, JS) for path in sorted(STATIC_FOLDER.glob("*.js"))),
    *((path, HTML) for path in sorted(TEMPLATES.glob("*.html"))),
]


def newer(text: str, rules: dict[str, int]) -> list[str]:
    """What of the rules a text has, each with a few characters around it."""
    found = (re.search(f".{{0,20}}(?:{rule}).{{0,20}}", text) for rule in rules)
    return [one[0] for one in found if one is not None]


@pytest.mark.parametrize(("path", "rules"), FILES, ids=lambda one: one.name if isinstance(one, Path) else "")
def test_nothing_is_newer_than_the_browsers_of_offices(path: Path, rules: dict[str, int]) -> None:
    assert newer(path.read_text(encoding="utf-8"), rules) == []


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        ("a:has(b) {}", CSS),
        ("a:not(.b, .c) {}", CSS),
        ("a { inset: 0 }", CSS),
        ("a { margin-inline: 1px }", CSS),
        ("@layer base;", CSS),
        ("x = structuredClone(y)", JS),
        ("x.at(-1)", JS),
        ("<p onclick='x'>", HTML),
        ("<p style='color: red'>", HTML),
        ("<script>alert(1)</script>", HTML),
        ('<script src="https://elsewhere.example/x.js">', HTML),
    ],
)
def test_the_rules_find_what_they_name(text: str, rules: dict[str, int]) -> None:
    assert newer(text, rules)


def test_names_of_static_files_hold_their_digest() -> None:
    """A browser keeps them for a year: another content needs another name."""
    for path in STATIC_FOLDER.iterdir():
        if path.suffix != ".txt":
            digest = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
            assert path.name.split(".")[1] == digest, path.name
