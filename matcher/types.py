"""Plain frozen data that the matcher's functions take and return."""

from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

SUITE = "X25519-BLAKE3-TAI"


class Level(IntEnum):
    """How much of a record a label discloses (design.md section 4)."""

    EXISTENCE = 1
    COUNT = 2
    BAND = 3
    THRESHOLD = 4
    VALUE = 5
    AGGREGATE = 6
    CODE = 7


class TokenClass(StrEnum):
    """Which key makes the tokens of an item; one query has one class (design.md section 2, step 4)."""

    ORDINARY = "ordinary"
    SENSITIVE = "sensitive"


@dataclass(frozen=True, slots=True)
class Identity:
    """A canonical identity: `id_type` is one of identity.TYPES, `value` its canonical text."""

    id_type: str
    value: str

    def __repr__(self) -> str:
        # An identity number must never reach a log through a traceback or an f-string.
        return f"Identity({self.id_type}, ****)"

    __str__ = __repr__


@dataclass(frozen=True, slots=True)
class LabelRecord:
    """The plain content of a label, which the requester reads when it opens one.

    `value` is the disclosed value at the item's level (1 for existence and threshold, a count, the place of a
    band or of a code), `as_of` days since 1970-01-01 (0: the date of the partition), `name_check` one byte
    (0 to 255), `converted` the upper six bits of the same of the name after conversion to simplified
    characters, both meaningful only when `has_name`, `record` a number shared by all entries of one record.
    """

    value: int = field(repr=False)
    as_of: int
    name_check: int = field(repr=False)
    has_name: bool
    record: bytes = field(repr=False)
    planted: bool = False
    converted: int = field(default=0, repr=False)
