"""Raw identity values to canonical identities (domain.md section 5, GB 11643, ISO 7064 MOD 11-2)."""

import re
from datetime import date

from matcher.errors import IdentityError
from matcher.types import Identity

RESIDENT = "resident"  # 18-digit citizen identity number
PERMIT = "hmt-permit"  # residence permit of Hong Kong, Macao and Taiwan residents
FOREIGN = "foreign-permit"  # foreign permanent resident card, form of 2023
FOREIGN_OLD = "foreign-permit-old"  # the same card before 2023: three letters, twelve digits
PLANTED = "planted"  # test subjects of an index; never a person
TYPES = (RESIDENT, PERMIT, FOREIGN, FOREIGN_OLD)

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CHECK_DIGITS = "10X98765432"
NO_ORIGIN = "00"
PROVINCES = frozenset(
    f"{region}{number}"
    for region, numbers in {
        "1": "12345",
        "2": "123",
        "3": "1234567",
        "4": "123456",
        "5": "01234",
        "6": "12345",
    }.items()
    for number in numbers
) | {"71", "81", "82"}  # GB/T 2260
_PERMIT_AREAS = ("810000", "820000", "830000")
_EIGHTEEN = re.compile(r"[0-9]{17}[0-9X]")
_FIFTEEN = re.compile(r"[0-9]{15}")
_FOREIGN_OLD = re.compile(r"[A-Z]{3}[0-9]{12}")
EARLIEST_YEAR = 1850
# Only the full-width forms, not all of NFKC, which would also convert a circled or superscript digit; a
# footnote mark must not become part of a number (docs/protocol.md, "Canonical form").
_FULL_WIDTH = {wide: wide - 0xFEE0 for wide in range(0xFF01, 0xFF5F)}

_MESSAGES = {
    "empty": "the identity number is empty",
    "wrong_length": "an identity number has 18 characters (or 15 in its old form)",
    "bad_characters": "an identity number is digits, with X allowed only as the last character",
    "bad_date": "the birth date in the identity number does not exist",
    "bad_check_digit": "the check digit of the identity number is wrong",
    "type_conflict": "the identity number is not of the document type given beside it",
    "unknown_type": f"the document type is not one of {', '.join(TYPES)}",
}
REASONS = tuple(_MESSAGES)


def parse(raw: str, id_type: str | None = None) -> Identity:
    """Bring `raw` to canonical form; `id_type`, where the source states one, must agree with the form.

    Raises IdentityError with a `reason` from REASONS; the message never repeats the number.
    """
    value = raw.translate(_FULL_WIDTH).strip()
    if not value:
        raise _error("empty")
    if not value.isascii():  # before upper(), which maps some foreign letters to ASCII ones
        raise _error("bad_characters")
    value = value.upper()
    found = Identity(FOREIGN_OLD, value) if _FOREIGN_OLD.fullmatch(value) else _parse_numeric(value)
    if id_type and id_type not in TYPES:
        raise _error("unknown_type")
    if id_type and id_type != found.id_type:
        raise _error("type_conflict")
    return found


def planted(item: str, origin_code: str, name: str) -> Identity:
    """The identity of a planted test subject of one partition (design.md section 2)."""
    return Identity(PLANTED, f"{item}/{origin_code}/{name}")


def origin(identity: Identity) -> str:
    """Province of first registration, `00` where the document has none (design.md section 3)."""
    if identity.id_type in (RESIDENT, PERMIT):
        return identity.value[:2]
    if identity.id_type == PLANTED:
        return identity.value.split("/")[1]
    return NO_ORIGIN


def has_known_area(identity: Identity) -> bool:
    """Whether the address code starts with a province prefix of GB/T 2260; if not, warn, never reject."""
    if identity.id_type == RESIDENT:
        return origin(identity) in PROVINCES
    return True


def check_digit(first17: str) -> str:
    """The 18th character for 17 digits (ISO 7064 MOD 11-2)."""
    return CHECK_DIGITS[sum(int(d) * w for d, w in zip(first17, WEIGHTS, strict=True)) % 11]


def _parse_numeric(value: str) -> Identity:
    old_form = len(value) == 15
    if old_form:
        if not _FIFTEEN.fullmatch(value):
            raise _error("bad_characters")
        # First-generation numbers have no century; all of those still in registers are of the 1900s.
        body = value[:6] + "19" + value[6:]
        value = body + check_digit(body)
    elif len(value) != 18:
        raise _error("wrong_length")
    if not _EIGHTEEN.fullmatch(value):
        raise _error("bad_characters")
    _require_date(value)
    if check_digit(value[:17]) != value[17]:
        raise _error("bad_check_digit")
    found = Identity(_numeric_type(value), value)
    if old_form and found.id_type != RESIDENT:  # permits and the foreign card of 2023 never had 15 digits
        raise _error("wrong_length")
    return found


def _numeric_type(value: str) -> str:
    if value.startswith(_PERMIT_AREAS):
        return PERMIT
    return FOREIGN if value[0] == "9" else RESIDENT


def _require_date(value: str) -> None:
    year, month, day = int(value[6:10]), int(value[10:12]), int(value[12:14])
    try:
        date(year, month, day)
    except ValueError:
        raise _error("bad_date") from None
    if year < EARLIEST_YEAR:
        raise _error("bad_date")


def _error(reason: str) -> IdentityError:
    return IdentityError(reason, _MESSAGES[reason])
