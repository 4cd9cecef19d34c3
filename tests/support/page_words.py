"""What is left of the other language on a page of the console: names, numbers and codes excepted."""

import re
from typing import Any

from tests.support.console_site import Site

# Words of the page itself: not commands and numbers, nor what people, offices and registers are called.
_ENGLISH_LEFT = """() => {
  const copy = document.body.cloneNode(true);
  const own = "script, style, code, pre, kbd, textarea, [lang=en], .hq-key, .hq-digest, .hq-number";
  copy.querySelectorAll(own).forEach(one => one.remove());
  const commands = /heqiao(-[a-z]+)*( [a-z][a-z-]*)+/g;
  return copy.textContent.replace(commands, "").match(/[A-Za-z]{2,}([ ,]+[A-Za-z]{2,}){2,}/g) || [];
}"""
_CHINESE_LEFT = """() => {
  const copy = document.body.cloneNode(true);
  copy.querySelectorAll("script, style, code, pre, textarea, [lang=zh-CN]").forEach(one => one.remove());
  const texts = [document.title, copy.textContent];
  copy.querySelectorAll("[aria-label], [title], [placeholder], [alt]").forEach(one => {
    for (const name of one.getAttributeNames()) if (name !== "class") texts.push(one.getAttribute(name));
  });
  return texts.join("\\n").match(/[\\u3000-\\u303f\\u4e00-\\u9fff\\uff00-\\uffef]+/g) || [];
}"""
_MASKED = re.compile(r"[\u4e00-\u9fff]＊+")


def english_left(page: Any) -> list[str]:
    """English sentences of a Chinese page: three words or more."""
    return list(page.evaluate(_ENGLISH_LEFT))


def chinese_left(page: Any, site: Site, names: tuple[str, ...] = ()) -> list[str]:
    """Chinese of an English page that is no name: of a province, a person, or one of `names`."""
    provinces = [one.node.config.node.name for one in site.provinces.values()]
    people = [one.seat.name for one in site.people.values()]
    known = sorted({*provinces, *people, *names}, key=len, reverse=True)
    left = []
    for found in page.evaluate(_CHINESE_LEFT):
        rest = _MASKED.sub("", found)
        for name in known:
            rest = rest.replace(name, "")
        left += [found] if rest else []
    return left
