"""What the documents say about the code is there."""

import importlib
import re

import pytest

from node.database.tables import metadata
from node.errors import NodeError
from node.transport import status
from tests.support.paths import ROOT, python_files

DOCS = ROOT / "docs"
FUNCTION = re.compile(r"`((?:matcher|keys|node)\.[a-z0-9_.]+\.\w+(?:\.\w+)?)`")
PROTOCOL = (DOCS / "protocol.md").read_text(encoding="utf-8")
ARCHITECTURE = (DOCS / "architecture.md").read_text(encoding="utf-8")
READMES = (ROOT / "README.md", ROOT / "README.zh.md")
NAMED_TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
WALKS = 5
PAGES = [*READMES, *sorted(DOCS.rglob("*.md"))]
METAPHORS = re.compile(
    r"\b(goes by|whoever|of our own|looks? after|in pairs|calibre|stands in|lies in)\b", re.I
)
TOPS = ("matcher", "keys", "node", "synth", "testbed", "bench")


def find(name):
    """The object of a dotted name: a module, a function of one, or a method of a class."""
    parts = name.split(".")
    for cut in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:cut]))
        except ImportError:
            continue
        for part in parts[cut:]:
            found = getattr(found, part)
        return found
    raise AttributeError(name)


@pytest.mark.parametrize("text", [PROTOCOL, ARCHITECTURE], ids=["protocol", "architecture"])
def test_functions_of_a_page_exist(text):
    names = set(FUNCTION.findall(text))
    assert names
    assert sorted(name for name in names if not is_there(name)) == []


def is_there(name):
    try:
        return bool(find(name))
    except (AttributeError, ImportError):
        return False


def test_each_walk_names_functions_at_every_step():
    walks = re.split(r"\n## Walk \d: ", ARCHITECTURE)[1:]
    assert len(walks) == WALKS
    for walk in walks:
        steps = re.split(r"\n\d+\. ", walk)[1:]
        assert len(steps) >= WALKS
        assert [step for step in steps if not FUNCTION.search(step) and "heqiao " not in step] == []


def test_every_package_is_in_the_architecture():
    packages = {path.parent.relative_to(ROOT) for path in python_files(TOPS)}
    apart = {
        path for path in packages if path.parts[0] in ("testbed", "bench", "synth") and len(path.parts) > 1
    }
    named = {f"`{path}/`" for path in packages - apart} - {"`node/`", "`node/migrations/versions/`"}
    assert {name for name in named if name not in ARCHITECTURE} == set()


def test_every_error_code_of_the_wire_is_in_the_table():
    kinds = {kind.code for kind, _ in status.TABLE if issubclass(kind, NodeError)}
    every = {kind.code for kind in status.error_kinds(NodeError)} - {"bad_config", "audit_broken"}
    assert kinds <= every
    assert {code for code in every if f"`{code}`" not in PROTOCOL} == set()


def test_every_context_string_is_in_the_table():
    sources = ROOT
    used = set()
    for path in (
        *(sources / "matcher").rglob("*.py"),
        sources / "node/wire/match_messages.py",
        sources / "node/wire/manifest.py",
    ):
        used |= set(re.findall(r'"(heqiao v1 [a-z ]+)', path.read_text(encoding="utf-8")))
    assert {text for text in used if f"`{text.strip()}`" not in PROTOCOL} == set()


def test_every_table_is_in_the_data_model():
    text = (DOCS / "data-model.md").read_text(encoding="utf-8")
    for name, table in metadata.tables.items():
        assert f"\n## {name}\n" in text, name
        section = text.split(f"\n## {name}\n", 1)[1].split("\n## ", 1)[0]
        assert [c.name for c in table.columns if f"`{c.name}`" not in section] == [], name


def test_links_lead_somewhere():
    links = [
        (path, link)
        for path in PAGES
        for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8"))
    ]
    assert len(links) > len(PAGES)
    assert [(path.name, link) for path, link in links if not (path.parent / link).exists()] == []


def test_every_test_that_a_page_names_exists():
    named = {found for path in PAGES for found in NAMED_TEST.findall(path.read_text(encoding="utf-8"))}
    assert named
    for path, name in sorted(named):
        assert f"\ndef {name}(" in (ROOT / path).read_text(encoding="utf-8"), f"{path}::{name}"


def test_pages_use_plain_words():
    found = {path.name: METAPHORS.findall(path.read_text(encoding="utf-8")) for path in PAGES}
    assert {name: words for name, words in found.items() if words} == {}


def test_what_is_not_built_is_listed_in_the_readme_only():
    texts = {path.name: " ".join(path.read_text(encoding="utf-8").split()) for path in DOCS.rglob("*.md")}
    elsewhere = re.compile(r"not built(?! yet\]\([./]*README\.md#not-built-yet\))")
    assert [name for name, text in texts.items() if elsewhere.search(text)] == []
    assert "### Not built yet" in READMES[0].read_text(encoding="utf-8")
