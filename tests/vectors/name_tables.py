"""Writes matcher/name_tables.py from the character database of Python 3.11 (Unicode 14.0) and from OpenCC.

    python -m tests.vectors.name_tables TSCharacters.txt

TSCharacters.txt is the table of characters, traditional to simplified, of OpenCC (Apache License 2.0), as the
package opencc-python-reimplemented 0.1.7 holds it (opencc/dictionary). The tables are kept in the repository,
so that nodes on different Pythons fold every name alike; this program is run again only when the federation
agrees on a newer version, which is a change of the protocol.
"""

import base64
import hashlib
import lzma
import sys
import unicodedata
from pathlib import Path

VERSION = "14.0.0"
CHARACTERS = "6b5a0a799bea2bb22c001f635eaa3fc2904310f0c08addbff275477a80ecf09a"  # SHA-256 of TSCharacters.txt
WIDTH = 104  # characters of a table on one line
HANGUL = range(0xAC00, 0xD7A4)  # decomposed by arithmetic, not by a table
SURROGATES = range(0xD800, 0xE000)
# The dots that registers put between the parts of a name.
DOTS = "·•・.‧∙⋅●"
VARIATION_SELECTORS = {*range(0x180B, 0x180E), 0x180F, *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)}
TAGS_AND_FILLERS = {0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2065, 0x3164, 0xFFA0, *range(0xE0000, 0xE0100)}

# Characters that GBK kept in the private use area until the standard had places for them (GB 18030-2005 and
# -2022; two-byte codes A8BC, A8BF, FE50 to FEA0): private code point -> present one.
_FE50 = """
    2E81 20087 20089 200CC 2E84 3473 3447 2E88 2E8B 9FB4 359E 361A 360E 2E8C 2E97 396E 3918 9FB5 39CF
    39DF 3A73 39D0 9FB6 9FB7 3B4E 3C6E 3CE0 2EA7 215D7 9FB8 2EAA 4056 415F 2EAE 4337 2EB3 2EB6 2EB7
    2298F 43B1 43AC 2EBB 43DD 44D6 4661 464C 9FB9 4723 4729 477C 478D 2ECA 4947 497A 497D 4982 4983 4985
    4986 499F 499B 49B7 49B6 9FBA 241FE 4CA3 4C9F 4CA0 4CA1 4C77 4CA2 4D13 4D14 4D15 4D16 4D17 4D18 4D19
    4DAE 9FBB
"""
GBK_PRIVATE = {
    **{0xE815 + place: int(code, 16) for place, code in enumerate(_FE50.split())},
    0xE7C7: 0x1E3F,
    0xE7C8: 0x01F9,
}


def fold(text: str) -> str:
    """Compatibility decomposition in upper case, again until nothing changes."""
    while (folded := unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).upper())) != text:
        text = folded
    return text


def is_dropped(character: str) -> bool:
    """White space, dots between parts, and what has no width or picture of its own."""
    return (
        character in DOTS
        or character.isspace()
        or unicodedata.category(character) == "Cf"
        or ord(character) in VARIATION_SELECTORS
        or ord(character) in TAGS_AND_FILLERS
    )


def folds() -> dict[int, str]:
    """Code point -> what stands for it in a folded name, for every one that does not stand for itself."""
    found = {}
    for code in range(sys.maxunicode + 1):
        if code in HANGUL or code in SURROGATES:
            continue
        character = chr(GBK_PRIVATE.get(code, code))
        folded = "" if is_dropped(character) else "".join(c for c in fold(character) if not is_dropped(c))
        if folded != chr(code):
            found[code] = folded
    return found


def combining_classes() -> dict[int, int]:
    """Code point -> canonical combining class, where it is not 0."""
    return {
        code: unicodedata.combining(chr(code))
        for code in range(sys.maxunicode + 1)
        if unicodedata.combining(chr(code))
    }


def runs(classes: dict[int, int]) -> list[tuple[int, int, int]]:
    """Neighbouring code points of one class together: first, last, class."""
    found: list[tuple[int, int, int]] = []
    for code, number in classes.items():
        if found and found[-1][1:] == (code - 1, number):
            found[-1] = (found[-1][0], code, number)
        else:
            found.append((code, code, number))
    return found


def simplified(table: str) -> dict[str, str]:
    """Traditional character -> the simplified one that the table names first, followed to its end."""
    rows = [line.split() for line in table.splitlines() if line.strip()]
    first = {row[0]: row[1] for row in rows if row[0] != row[1]}

    def end(character: str, seen: tuple[str, ...] = ()) -> str:
        further = first.get(character)
        return character if further is None or further in seen else end(further, (*seen, character))

    # What normalising a name changes never reaches this table.
    found = {one: end(one) for one in first if len(one) == 1 and fold(one) == one}
    return {one: other for one, other in sorted(found.items()) if len(other) == 1 and one != other}


def pack(lines: list[str]) -> str:
    """Lines of text as one base-85 text."""
    return base64.b85encode(lzma.compress("\n".join(lines).encode(), lzma.FORMAT_ALONE)).decode()


def render(table: str) -> str:
    """The module as text. Raises SystemExit under another version of Unicode."""
    if unicodedata.unidata_version != VERSION:
        raise SystemExit(f"needs a Python with Unicode {VERSION}, which is 3.11")
    mapped = [f"{code:X} {' '.join(f'{ord(c):X}' for c in text)}".rstrip() for code, text in folds().items()]
    simple = [one + other for one, other in simplified(table).items()]
    classes = [f"{first:X} {last:X} {number}" for first, last, number in runs(combining_classes())]
    parts = [
        '"""Tables of matcher/names.py: Unicode 14.0, written by tests/vectors/name_tables.py; not edited.',
        "",
        "Base 85 of LZMA of lines: code point and what it becomes; code points from, to and combining class;",
        "traditional and simplified character (from OpenCC, TSCharacters.txt, Apache License 2.0).",
        '"""',
        "",
        f'UNICODE = "{VERSION}"',
    ]
    for name, lines in (("FOLDS", mapped), ("COMBINING", classes), ("SIMPLIFIED", simple)):
        packed = pack(lines)
        rows = (packed[first : first + WIDTH] for first in range(0, len(packed), WIDTH))
        parts += [f"{name} = (", *(f'    "{row}"' for row in rows), ")"]
    return "\n".join(parts) + "\n"


def main(characters: Path) -> None:
    """Write the tables. Raises SystemExit for another version of OpenCC's table."""
    raw = characters.read_bytes()
    if hashlib.sha256(raw).hexdigest() != CHARACTERS:
        raise SystemExit(f"{characters}: another version than the one that this program is for")
    Path("matcher/name_tables.py").write_text(render(raw.decode("utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
