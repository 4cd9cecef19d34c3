"""What spreadsheets and table tools do to numbers that are codes (docs/import.md, "Numbers that are codes").

A record number is compared letter by letter, so two accounts that both read `6.22202E+18` would be one
account, and its money lost. What can be seen in one cell is refused there. That a number of more than 15
digits was rounded (its last digits became zeros) cannot: every thousandth good number of 18 digits ends in
000 too. It is seen in the whole file, where far more numbers end so than chance would make.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import lgamma, log
from re import MULTILINE, VERBOSE
from re import compile as pattern

from node.errors import InputError
from node.tabular.delimited import CellError, clean

SPREADSHEET_DIGITS = 15  # that a spreadsheet keeps of a number; it makes zeros of all digits after these
_MILLION = 10**6
_CHANCE = -log(_MILLION)  # so unlikely must it be that undamaged numbers look like this
_TIMES = 5  # as many as chance makes: real numbers are not evenly spread

_ERROR = pattern(r"#+|#N/A|#GETTING_DATA|#[A-Z0-9/]+[!?]")
_NO_NUMBER = pattern(
    r"NAN|NAT|NONE|NULL|NIL|<NA>|N/A|\(NULL\)|\\N|UNDEFINED|TRUE|FALSE|[+-]?INF(?:INITY)?"
    r"|[-—–/\\.*、]+|无|暂无|没有|空"
)
_SCIENTIFIC = pattern(r"[+-]?(?:[0-9]+\.[0-9]*E[+-]?[0-9]{1,3}|[0-9]+E\+[0-9]{1,3})")
_DECIMAL = pattern(r"[+-]?[0-9][0-9,]*\.0*")
_MONTH = "(?:JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC)"
_DATE = pattern(
    rf"""[0-9]{{1,2}}-{_MONTH}(?:-(?:[0-9]{{2}}){{1,2}})? | {_MONTH}-(?:[0-9]{{2}}){{1,2}}
    | (?:[0-9]{{4}}年)?[0-9]{{1,2}}月[0-9]{{1,2}}日 | [0-9]{{4}}年[0-9]{{1,2}}月
    | [0-9]{{4}}/[0-9]{{1,2}}/[0-9]{{1,2}} | [0-9]{{1,2}}/[0-9]{{1,2}}/[0-9]{{4}}
    | [0-9]{{4}}-[01][0-9]-[0-3][0-9](?:T?[0-9]{{2}}:[0-9]{{2}}(?::[0-9]{{2}}(?:\.[0-9]+)?)?)?
      (?:Z|[+-][0-9]{{2}}:?[0-9]{{2}})?
    | [0-9]{{1,2}}:[0-9]{{2}}:[0-9]{{2}}""",
    VERBOSE,
)
_FAULTS = (
    (_ERROR, "error_value", "the cell holds an error of the spreadsheet; correct it there"),
    (_NO_NUMBER, "no_number", "the cell holds a tool's word for nothing; leave it empty if there is none"),
    (_SCIENTIFIC, "scientific_notation", "the number was shortened; format the column as text, export again"),
    (_DECIMAL, "decimal_number", "the code became a decimal number; format the column as text, export again"),
    (_DATE, "date_for_code", "the code became a date; format the column as text, export again"),
)
_ANY = pattern("|".join(rf"^(?:{form})$" for form in (
    _ERROR.pattern, _NO_NUMBER.pattern, _SCIENTIFIC.pattern, _DECIMAL.pattern, "".join(_DATE.pattern.split()),
)), MULTILINE)  # fmt: skip
# Without one of these no line of a text is damaged; looking for them is quick.
_HINTS = (*".+#/<(:\\-=*月—–、无空没", *(f"\n{letter}" for letter in "NUTFI"))
_ROUNDED = pattern(rf"[0-9]{{{SPREADSHEET_DIGITS}}}0+")
_AROUND = pattern(r"=\"(.*)\"|'(.*)")


@dataclass(frozen=True, slots=True)
class Rounding:
    """How many numbers end in zeros after 15 digits, and how many chance makes, in millionths."""

    found: int = 0
    expected: int = 0

    def __add__(self, other: "Rounding") -> "Rounding":
        return Rounding(self.found + other.found, self.expected + other.expected)

    @property
    def suspicious(self) -> bool:
        """Whether there are more than five times as many as chance makes."""
        return self.found * _MILLION > _TIMES * self.expected

    @property
    def certain(self) -> bool:
        """Whether there are also so many that chance makes them less than once in a million files."""
        if not self.suspicious:
            return False
        mean = max(self.expected, 1) / _MILLION
        return self.found * log(mean) - mean - lgamma(self.found + 1) < _CHANCE


NONE_ROUNDED = Rounding()


def count_rounded(numbers: Sequence[str]) -> Rounding:
    """How numbers end. One that occurs often proves nothing: it is found once, and expected each time."""
    found = sum(_ROUNDED.fullmatch(each) is not None for each in set(numbers) if each.endswith("0"))
    sizes = Counter(map(len, numbers))
    expected = sum(count * expected_of(size) for size, count in sizes.items() if size > SPREADSHEET_DIGITS)
    return Rounding(found, expected)


def expected_of(size: int) -> int:
    """How many of a million good numbers of this size end so: 100,000 of 16 digits, 10 of 20 or more."""
    return int(10 ** (6 + SPREADSHEET_DIGITS - min(size, 20)))


def is_error_value(cell: str) -> bool:
    """Whether a cell is an error of a spreadsheet, such as #N/A, or a column too narrow to show it."""
    return cell[:1] in ("#", "＃") and _ERROR.fullmatch(clean(cell).upper()) is not None


def is_nothing(cell: str) -> bool:
    """Whether a cell holds a word for nothing, such as NULL, nan, - or 无."""
    return _NO_NUMBER.fullmatch(clean(cell).upper()) is not None


def check_code(field: str, code: str) -> None:
    """Refuse a code (in capitals, without blanks) that is what a spreadsheet made of one.

    Raises CellError with the reason.
    """
    for form, reason, message in _FAULTS:
        if form.fullmatch(code):
            raise CellError(field, reason, message)


def any_damaged(text: str) -> bool:
    """Whether `check_code` refuses any of the lines."""
    # The first line has no line end before it.
    if text[:1] not in "NUTFI" and not any(hint in text for hint in _HINTS):
        return False
    return _ANY.search(text) is not None


def bare(text: str) -> str:
    """A number without what systems put around it so that a spreadsheet keeps it: `="123"`, `'123`."""
    found = _AROUND.fullmatch(text) if text.startswith(("=", "'")) else None
    return text if found is None else found[1] or found[2] or ""


def refuse_rounded_rows(source: str, people: Rounding, records: Rounding, *, keep_zeros: bool) -> None:
    """Raise InputError where a spreadsheet has rounded the numbers of people or of records of a register.

    With `keep_zeros` record numbers do end in zeros.
    """
    hint = "format the column as text in the source before it is opened there, and export again"
    refuse_rounded(source, "identity numbers", people, hint)
    if not keep_zeros:
        hint += "; if the numbers are right, import with --keep-zeros"
        refuse_rounded(source, "record numbers", records, hint)


def refuse_rounded(source: str, what: str, found: Rounding, hint: str) -> None:
    """Raise InputError where a spreadsheet has certainly rounded the numbers of a source."""
    if found.certain:
        raise InputError(
            f"{source}: {found.found:,} {what} end in zeros after {SPREADSHEET_DIGITS} digits, far more than "
            "chance makes: a spreadsheet has rounded them, and different ones have become the same",
            hint,
        )
