"""Small synthetic files with one fault each, named for it, and what the reader must say of them.

Files of the same kind are crossed from all values of that kind, so that a list of examples cannot pass for
the kind. What must be said is written down here, or follows from the standard library's own tables.
"""

import csv
import io
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import product

HEADER = ("证件号码", "姓名", "号牌号码", "数据时点", "备注")
PEOPLE = (
    ("449999190001010034", "张三丰", "粤A00001", "2026-05-31", "旧车, 红色"),
    ("33999919000101008X", "李四", "粤A00002", "2026-05-31", ""),
    ("449999200002290038", "王小五", "粤A00003", "2026-05-31", "x"),
)
TODAY = date(2026, 7, 15)
DELIMITERS = {"comma": ",", "tab": "\t", "semicolon": ";", "pipe": "|"}
ENCODINGS = ("utf-8", "utf-8-sig", "gb18030")
LINE_ENDS = {"lf": "\n", "crlf": "\r\n", "cr": "\r"}
QUOTING = {"minimal": csv.QUOTE_MINIMAL, "all": csv.QUOTE_ALL}
# Where a system put a tab to keep a cell as text.
TABS = {"none": "{}", "after": "{}\t", "before": "\t{}", "both": "\t{}\t\t"}


@dataclass(frozen=True, slots=True)
class Case:
    """A file. Where it is not `refused`, with this in the message, `usable` rows are read of it."""

    name: str
    content: bytes
    usable: int = len(PEOPLE)
    refused: str = ""
    rejected: tuple[tuple[int, str | None], ...] = ()
    forms: Mapping[str, int] = field(default_factory=dict)
    delimiter: str = ""
    encoding: str = ""
    item: str = "C21"


def write(rows, delimiter=",", end="\n", quoting=csv.QUOTE_MINIMAL) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter, lineterminator=end, quoting=quoting).writerows(rows)
    return text.getvalue()


def plain(*rows, header=HEADER) -> bytes:
    return write([header, *rows]).encode()


def every_form() -> Iterator[Case]:
    """The same three rows, in every combination of delimiter, quoting, tabs, line ends and encoding."""
    for (delimiter, mark), (end, ends), (quoting, level), (tab, shape) in product(
        DELIMITERS.items(), LINE_ENDS.items(), QUOTING.items(), TABS.items()
    ):
        if delimiter == "tab" and tab != "none":
            continue
        for inside in (True, False) if quoting == "all" and tab != "none" else (True,):
            if inside:
                text = write(
                    [[shape.format(cell) for cell in row] for row in (HEADER, *PEOPLE)], mark, ends, level
                )
            else:
                rows = (mark.join(shape.format(f'"{cell}"') for cell in row) for row in (HEADER, *PEOPLE))
                text = ends.join(rows) + ends
            stated = "" if delimiter in ("comma", "tab") else delimiter
            for encoding in ENCODINGS:
                name = f"{delimiter}-{quoting}-tab-{tab}-{'in' if inside else 'out'}-{end}-{encoding}"
                yield Case(name, text.encode(encoding), delimiter=stated)


# Names of one to four characters: of even and odd length in both encodings, also such as are text in both.
MIXED_NAMES = ("张", "张三", "李四光", "欧阳娜娜", "José", "Jose", "买买提·热依汗", "龚䶮", "王𠮷", "璩美凤")


def mixtures() -> Iterator[Case]:
    """One row of one encoding in a file of the other one, at every place."""
    for one, other, name, place in product(("utf-8", "gb18030"), ("utf-8", "gb18030"), MIXED_NAMES, range(4)):
        if one == other or name.isascii():
            continue
        rows = [",".join((*row[:3], "", "")).encode(one) for row in (HEADER, *PEOPLE)]
        number = PEOPLE[0][0]
        stranger = f"{number},{name},A1,,".encode(other)
        rows.insert(place + 1, stranger)
        yield Case(f"mixed-{one}-{name}-{place}", b"\n".join(rows), refused="UTF-8")


def refused_files() -> Iterator[Case]:
    """Files that cannot be used as a whole."""
    good = plain(*PEOPLE)
    text = good.decode()
    for encoding in ("utf-16", "utf-16-le", "utf-16-be", "utf-32"):
        marked = "\ufeff" if encoding.endswith("e") else ""
        yield Case(f"encoding-{encoding}", (marked + text).encode(encoding), refused="UTF-8")
    yield Case(
        "two-delimiters-fit", f"id_no,note\tname\n{PEOPLE[0][0]},x\ty\n".encode(), refused="--delimiter"
    )
    yield Case("two-delimiters-fit-no-row", b"id_no,note\tname\n", refused="--delimiter")
    yield Case(
        "header-of-commas-rows-of-tabs",
        (",".join(HEADER) + "\n" + write(PEOPLE, "\t")).encode(),
        refused="the header is divided by commas",
    )
    yield Case(
        "header-of-tabs-rows-of-commas",
        ("\t".join(HEADER) + "\n" + write([row[:4] for row in PEOPLE])).encode(),
        refused="the header is divided by tabs",
    )
    for name in ("semicolon", "pipe"):
        yield Case(
            f"{name}-not-stated",
            write([HEADER, *PEOPLE], DELIMITERS[name]).encode(),
            refused=f"--delimiter {name}",
        )
    yield Case("stated-utf8-is-gb18030", text.encode("gb18030"), encoding="utf-8", refused="--encoding")
    yield Case("no-column-for-the-number", plain(("1",), header=("号码",)), refused="no column for id_no")
    twice = (HEADER[0], *HEADER)
    yield Case("number-twice", plain(("1", *PEOPLE[0]), header=twice), refused="both headed as id_no")
    yield Case("greek-or-chinese", "id_no,name\n1,谭思\n".encode("gb18030"), refused="--encoding")


def rows_with_cells() -> Iterator[Case]:
    """More and fewer cells than the header has, and cells that nobody reads."""
    header, (one, *_) = ",".join(HEADER), PEOPLE
    yield Case("cells-missing-at-the-end", f"{header}\n{one[0]},{one[1]},粤A1\n".encode(), 1)
    yield Case("only-the-number", f"{header}\n{one[0]}\n".encode(), 1)
    for more in (",", ",,,", ", ,\t"):
        yield Case(
            f"empty-cells-{len(more)}-too-many", f"{header}\n{','.join(one[:4])},x{more}\n".encode(), 1
        )
    for more in (",y", ",,,y"):
        content = f"{header}\n{','.join(one[:4])},x{more}\n{one[0]}\n".encode()
        yield Case(f"cells-{len(more)}-too-many", content, 1, rejected=((2, "wrong_cell_count"),))
    for size, line in product((1000, 1001, 5000, 100_000), ("", "\n", "\n说明\n")):
        note = "说" * (size - len(line)) + line
        yield Case(f"note-of-{size}-{len(line)}", plain((*one[:4], note), PEOPLE[1]), 2)
    yield Case(
        "name-of-1001", plain((one[0], "x" * 1001, *one[2:]), PEOPLE[1]), 1, rejected=((2, "cell_too_long"),)
    )
    rows = [",".join((*PEOPLE[at % 3][:4], "x")) for at in range(60)]
    rows[3], rows[50] = rows[3][:-1] + '"x', rows[50] + '"'
    faults = tuple((line, "cell_too_long") for line in range(5, 53))
    yield Case("quote-that-swallows-rows", "\n".join([header, *rows]).encode(), 12, rejected=faults)


DATES = {
    "2026-05-31": "", "2026-5-31": "", "2026/5/31": "date_slashes", "2026/05/31": "date_slashes",
    "2026.05.31": "date_dots", "2026.5.31": "date_dots", "20260531": "date_digits",
    "2026年5月31日": "date_chinese", "2026年05月31日": "date_chinese", "２０２６-05-31": "",
}  # fmt: skip
TIMES = (" 00:00:00", "T00:00:00", " 0:00", " 0:00:00", " 00:00:00.000")
NO_DATES = (
    "31/05/2026", "05-31-2026", "2026-05-31 16:00:00", "2026-05-31 00:00:00Z", "2026-05-31 00:00:00+08:00",
    "260531", "45808", "2026-02-30", "2026.5", "2026", "2026-05-31 00:00:01", "五月", "2026-13",
)  # fmt: skip
MONTHS = ("2026-05", "2026-5", "202605", "2026/05", "2026年5月")


def dates() -> Iterator[Case]:
    """Every form of a date, with every form of midnight; months where the item is measured monthly."""
    one = PEOPLE[0]
    for (text, word), time in product(DATES.items(), ("", *TIMES)):
        form = "date_with_time" if time else word
        forms = {form: 1} if form else {}
        yield Case(f"date-{text}{time}", plain((*one[:3], text + time)), 1, forms=forms)
    for text in (*NO_DATES, *MONTHS):
        yield Case(f"no-date-{text}", plain((*one[:3], text)), 0, rejected=((2, "bad_as_of"),))
    header = (*HEADER[:4], "缴费基数(元)")
    for text in MONTHS:
        content = plain((*one[:3], text, "3000"), header=header)
        yield Case(f"month-{text}", content, 1, forms={"month": 1}, item="D32")
    content = plain((*one[:3], "2026-08", "3000"), header=header)
    yield Case("month-to-come", content, 0, rejected=((2, "future_as_of"),), item="D32")


TYPES = {
    "449999190001010034": (
        "身份证",
        "居民身份证",
        "111",
        "二代身份证",
        "中华人民共和国居民身份证",
        "resident",
    ),
    "810000190001010018": (
        "港澳居民居住证",
        "港澳台居民居住证",
        "中华人民共和国港澳居民居住证",
        "hmt-permit",
    ),
    "82000019000101001X": (
        "港澳居民居住证",
        "港澳台居民居住证",
        "中华人民共和国港澳居民居住证",
        "hmt-permit",
    ),
    "830000190001010011": (
        "台湾居民居住证",
        "港澳台居民居住证",
        "中华人民共和国台湾居民居住证",
        "hmt-permit",
    ),
    "900999190001010010": ("外国人永久居留证", "外国人永久居留身份证", "foreign-permit"),
    "XXX999919000101": ("外国人永久居留证", "外国人永久居留身份证", "foreign-permit-old"),
}
_COUNTED = {word for words in TYPES.values() for word in words} - {
    "居民身份证", "港澳台居民居住证", "外国人永久居留身份证",
    "resident", "hmt-permit", "foreign-permit", "foreign-permit-old",
}  # fmt: skip


def document_types() -> Iterator[Case]:
    """Every document type with every number: accepted where it is the number's, refused otherwise."""
    header = ("证件号码", "证件类型")
    words = sorted({word for known in TYPES.values() for word in known})
    for number, word in product(TYPES, words):
        good, forms = word in TYPES[number], {"id_type_word": 1} if word in _COUNTED else {}
        content = plain((number, word), header=header)
        name = f"type-{word}-{number[:2]}"
        if good:
            yield Case(name, content, 1, forms=forms)
        else:
            yield Case(name, content, 0, rejected=((2, "type_conflict"),))
    for word in ("护照", "身份", "1111", "11", "planted", "军官证"):
        yield Case(
            f"type-{word}", plain((PEOPLE[0][0], word), header=header), 0, rejected=((2, "unknown_type"),)
        )


def numbers() -> Iterator[Case]:
    """Things round an identity number, and words for no former number."""
    good, wrong, old = PEOPLE[1][0], PEOPLE[1][0][:-1] + "1", "449999000101003"
    for shape in ("'{}", "\u2018{}", "\u2019{}", "`{}", "'{}'", '="{}"', " '{} "):
        for number in (good, good.lower()):
            yield Case(f"round-{shape}", plain((shape.format(number),)), 1, forms={"id_wrapped": 1})
        for number in (wrong, old, good[:-1], good + "1", "", "①" + good[1:]):
            content = plain((shape.format(number),), PEOPLE[0])
            yield Case(f"round-{shape}-{number}", content, 1, rejected=((2, None),))
    for shape in ("=({})", "={}", '"{}"', "''{}", "#{}", "{}元", "+{}", '="{}'):
        yield Case(f"round-{shape}", plain((shape.format(good),), PEOPLE[0]), 1, rejected=((2, None),))
    header = (*HEADER[:1], "曾用证件号码")
    for word in ("无", "-", "--", "—", "、", "/", "；", ";", " 无 ", "－"):
        content = plain((good, word), header=header)
        yield Case(f"former-{word}", content, 1, forms={"former_none": 1})
    for mark, counted in ((";", False), ("；", False), ("、", True), (",", True), ("，", True), ("/", True)):
        content = plain((good, mark.join((PEOPLE[0][0], PEOPLE[2][0]))), header=header)
        yield Case(f"former-two{mark}", content, 1, forms={"former_separator": 1} if counted else {})
    for word in ("有", "不详", "none", "无,1", "0", "."):
        yield Case(f"former-{word}", plain((good, word), header=header), 0, rejected=((2, None),))


def categories() -> Iterator[Case]:
    """Names with characters of every Unicode category: control characters and line ends are refused."""
    chosen: dict[str, list[str]] = {}
    for code in range(1, 0xE010):  # three of each category there is are below
        of_kind = chosen.setdefault(unicodedata.category(chr(code)), [])
        if len(of_kind) < 3 and chr(code) not in "\n\r":
            of_kind.append(chr(code))
    for kind, characters in sorted(chosen.items()):
        if kind == "Cs":
            continue  # no encoding has them
        for character in characters:
            refused = kind in ("Cc", "Zl", "Zp") and character != "\t"
            content = plain((PEOPLE[0][0], f"张{character}三"))
            rejected = ((2, "bad_name"),) if refused else ()
            yield Case(f"name-{kind}-{ord(character):04X}", content, int(not refused), rejected=rejected)


KINDS = (every_form, mixtures, refused_files, rows_with_cells, dates, document_types, numbers, categories)
CASES = [case for kind in KINDS for case in kind()]
