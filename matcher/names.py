"""Names as both sides compare them (docs/protocol.md, "Names").

What a character becomes is looked up in tables of this repository (Unicode 14.0) and never in those of the
Python in use: two nodes on different Pythons must agree, and so must an old register and a new list. A
character that the tables do not know, such as one of a newer extension, stays as it is.
"""

import base64
import lzma
import re
from collections.abc import Sequence
from functools import cache
from itertools import groupby

from matcher import name_tables

# Control characters other than the tab, which is white space in a cell; line and paragraph separators; halves
# of a pair, which only a badly decoded text holds.
_REFUSED = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_PRIVATE = re.compile("[\ue000-\uf8ff\U000f0000-\U000ffffd\U00100000-\U0010fffd]")
_COMMON = re.compile("[\u4e00-\u9fff]*")  # ideographs that stand for themselves: nearly every name
# Syllables of Hangul are taken apart by arithmetic (The Unicode Standard, section 3.12).
_SYLLABLE, _LEADING, _VOWEL, _TRAILING = 0xAC00, 0x1100, 0x1161, 0x11A7
_VOWELS, _TRAILINGS, _SYLLABLES = 21, 28, 11172


def normalise_name(name: str) -> str:
    """The form in which both sides compare a name; empty means that no name was given.

    Compatibility decomposition in upper case; characters that GBK kept in the private use area become their
    present ones; white space, dots between parts and characters without a picture are dropped.
    """
    if _COMMON.fullmatch(name):
        return name
    folded = name.translate(_folds())
    if folded.isascii():
        return folded
    return _order_marks("".join(map(_decompose, folded)))


def simplify(name: str) -> str:
    """A normalised name with its traditional characters replaced by simplified ones, one for one."""
    return name.translate(_simplified())


def simplify_all(names: Sequence[bytes]) -> list[bytes]:
    """`simplify` of many names in UTF-8."""
    # No name holds an end of a line (`is_name`), and normalising makes none.
    whole = b"\n".join(names).decode("utf-8", "surrogatepass")
    found = simplify(whole).encode("utf-8", "surrogatepass").split(b"\n")
    return found if names else []


def normalise_names(names: Sequence[str]) -> tuple[str, ...]:
    """`normalise_name` of each."""
    return tuple(names) if _COMMON.fullmatch("".join(names)) else tuple(map(normalise_name, names))


def is_name(text: str) -> bool:
    """Whether a text may be a name: it holds no control character and no end of a line."""
    return not _REFUSED.search(text.strip())


def has_private_use(text: str) -> bool:
    """Whether a name holds a character that its writer's own table gave a meaning, after folding."""
    return bool(_PRIVATE.search(normalise_name(text)))


@cache
def _folds() -> dict[int, str]:
    found = {}
    for line in _lines(name_tables.FOLDS):
        code, *folded = (int(part, 16) for part in line.split())
        found[code] = "".join(map(chr, folded))
    return found


@cache
def _simplified() -> dict[int, str]:
    return {ord(line[0]): line[1] for line in _lines(name_tables.SIMPLIFIED)}


@cache
def _combining() -> dict[str, int]:
    rows = (line.split() for line in _lines(name_tables.COMBINING))
    return {
        chr(code): int(number)
        for first, last, number in rows
        for code in range(int(first, 16), int(last, 16) + 1)
    }


def _lines(packed: str) -> list[str]:
    return lzma.decompress(base64.b85decode(packed)).decode().split("\n")


def _decompose(character: str) -> str:
    at = ord(character) - _SYLLABLE
    if not 0 <= at < _SYLLABLES:
        return character
    vowel, trailing = at // _TRAILINGS % _VOWELS, at % _TRAILINGS
    parts = [_LEADING + at // (_VOWELS * _TRAILINGS), _VOWEL + vowel]
    return "".join(map(chr, [*parts, _TRAILING + trailing] if trailing else parts))


def _order_marks(text: str) -> str:
    """Marks that follow one letter in the one order that the standard gives them."""
    classes = _combining()
    runs = groupby(text, key=lambda character: classes.get(character, 0) != 0)
    return "".join("".join(sorted(run, key=classes.__getitem__) if marks else run) for marks, run in runs)
