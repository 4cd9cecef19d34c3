"""The console's words: Chinese in the source, English by a gettext catalogue (locale/en.po)."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

from babel.messages.pofile import read_po

LANGUAGES: Final = ("zh", "en")
LOCALE: Final = Path(__file__).parent / "locale" / "en.po"


@cache
def english() -> Mapping[str, str]:
    """English by Chinese."""
    with LOCALE.open("rb") as file:
        return {str(one.id): str(one.string) for one in read_po(file) if one.id}


def comma(lang: str) -> str:
    """What stands between the things of a list."""
    return "、" if lang == "zh" else ", "


def say(lang: str, text: str, **values: object) -> str:
    """A text in a language, with its values; Chinese where the English one is missing."""
    found = english().get(text, text) if lang == "en" else text
    return found.format(**values) if values else found
