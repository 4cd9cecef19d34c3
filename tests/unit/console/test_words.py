"""Every Chinese text of the console has an English one, with the same values; no text is left over."""

import ast
import re

from node.console.words import comma, english, say
from tests.support.paths import ROOT

CHINESE = re.compile(r"[\u4e00-\u9fff]")
QUOTED = re.compile(r"""_\(\s*(["'])(.+?)\1""")
IN_LIST = re.compile(r"""["']([^"'{}<>]*[\u4e00-\u9fff][^"'<>]*)["']""")
VALUES = re.compile(r"\{(\w+)\}")
CONSOLE = ROOT / "node" / "console"
# Characters of dates and masks, and the name of the language itself.
NOT_TRANSLATED = {"年", "月", "日", "＊", "、", "中文", "，、;；"}


def texts_of_templates() -> set[str]:
    found: set[str] = set()
    for path in (CONSOLE / "templates").glob("*.html"):
        text = path.read_text(encoding="utf-8")
        found |= {one for _, one in QUOTED.findall(text)}
        found |= set(IN_LIST.findall(text))
    return {one for one in found if CHINESE.search(one)}


def texts_of_pages() -> set[str]:
    found: set[str] = set()
    for path in CONSOLE.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        comments = {
            id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)
        }  # documentation of functions
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in comments:
                found |= {node.value} if CHINESE.search(node.value) else set()
    return found


def test_every_text_has_an_english_one() -> None:
    texts = texts_of_templates() | texts_of_pages()
    assert len(texts) > 150
    assert texts - set(english()) - NOT_TRANSLATED == set()


def test_no_english_text_is_left_over() -> None:
    assert set(english()) - texts_of_templates() - texts_of_pages() == set()


def test_both_have_the_same_values() -> None:
    texts = english().items()
    assert [
        each for each in texts if sorted(VALUES.findall(each[0])) != sorted(VALUES.findall(each[1]))
    ] == []
    assert [chinese for chinese, text in texts if not text.strip() or CHINESE.search(text)] == []


def test_a_text_in_both_languages() -> None:
    assert say("zh", "{days}天内视为有效", days=3) == "3天内视为有效"
    assert say("en", "{days}天内视为有效", days=3) == "valid for 3 days"
    assert say("en", "没有这一条") == "没有这一条"


def test_lists_of_each_language() -> None:
    assert comma("zh").join("ab") == "a、b"
    assert comma("en").join("ab") == "a, b"
