"""The font of printed reports and charts, and what becomes of a character that it lacks.

The font is Noto Sans SC and Noto Serif SC of the extra `report`: the Chinese characters of the basic block
and of extension A, few beyond. A character outside, a control character or a mark that turns the direction
of text is never left out and never drawn as something else: it is shown as a box with its code point.
"""

import importlib
import re
import unicodedata
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from node.errors import ConfigError

_PACKAGE: Final = "pylopdf_fonts_zh_cn"
_HIDDEN: Final = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
_STEP: Final = 4  # letters of a long word after which a line may be broken
_BREAK: Final = "\u200b"
_KEPT: Final = (_BREAK, "\n")

_LONG_WORD: Final = re.compile("[^\\s/\u2e80-\U0010ffff-]{17,}")

# The pieces of a text: strings, and for each character that is not shown its code point, `{"code": "20BB7"}`.
Pieces = list[str | dict[str, str]]


def import_extra(module: str, what: str) -> Any:
    """A module of the extra `report`. Raises ConfigError where it is not installed."""
    try:
        return importlib.import_module(module)
    except ImportError:
        package = module.partition(".")[0]
        raise ConfigError(
            f"{what} needs the package {package}, which is not installed",
            "install Heqiao with the extra `report`: pip install 'heqiao[node,report]'",
        ) from None


def font_files() -> tuple[Path, Path]:
    """The files of the sans and the serif font. Raises ConfigError without the extra."""
    fonts = import_extra(_PACKAGE, "a printed report")
    return Path(fonts.sans_path()), Path(fonts.serif_path())


def packaged_font() -> Path | None:
    """The file of the sans font where the extra is installed."""
    try:
        return font_files()[0]
    except ConfigError:
        return None


@lru_cache(maxsize=1)
def characters() -> frozenset[int]:
    """The code points that both fonts have. Raises ConfigError without the extra."""
    library = import_extra("fontTools.ttLib", "a printed report")
    held = [set(library.TTFont(path, lazy=True).getBestCmap()) for path in font_files()]
    return frozenset(held[0] & held[1])


def hidden(character: str) -> bool:
    """Whether a character has no form of its own: a control, a mark of direction, an unassigned one."""
    return character != "\n" and unicodedata.category(character) in _HIDDEN


def pieces(text: str, held: frozenset[int]) -> str | Pieces:
    """A text as it is where the font has all of it, else its pieces."""
    text = breakable(text)
    if all(one in _KEPT or (ord(one) in held and not hidden(one)) for one in text):
        return text
    found: Pieces = []
    run = ""
    for one in text:
        if one in _KEPT or (ord(one) in held and not hidden(one)):
            run += one
            continue
        if run:
            found.append(run)
        found.append({"code": f"{ord(one):04X}"})
        run = ""
    return [*found, run] if run else found


def breakable(text: str) -> str:
    """A text that may be broken within a long word: a cell has a width, and a name up to 200 letters."""
    return _LONG_WORD.sub(_with_breaks, text.replace(_BREAK, ""))


def _with_breaks(word: re.Match[str]) -> str:
    return _BREAK.join(word[0][at : at + _STEP] for at in range(0, len(word[0]), _STEP))
