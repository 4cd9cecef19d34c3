"""Operations on a simulated federation, and a plain model of the answers that it must then give.

Province 45 queries, 44 and 33 answer. People are numbered; a register is a dictionary.
"""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import log
from statistics import pvariance
from typing import Literal

from matcher import identity

ASKING, ANSWERING = "45", ("44", "33")
CODES = (ASKING, *ANSWERING)
COUNTED, OVER, WAGES = "C21", "C23", "B11"
ITEMS = (COUNTED, OVER, WAGES)
MATCH_ITEMS = (COUNTED, OVER)
THRESHOLD = 5_000_000
MIN_COHORT = 10
PERIOD = timedelta(days=400)
PEOPLE = 40
OTHERS = 160  # people in each register of wages about whom nobody asks
OF_A_SET, OF_AN_OPENING = 9, 7  # equations of a sum with six bands
NAMES = ("欧阳瓒翀", "司徒燊犇", "上官骉羴", "赵一")
PREFIX = "4599991990"  # of every number here

Rows = tuple[tuple[int, int], ...]  # person, value from 1 to 9
Answer = tuple[str, int | None, str]  # outcome, value, reason


# ---- operations
@dataclass(frozen=True)
class Import:
    """A full export of a register."""

    code: str
    item: str
    rows: Rows


@dataclass(frozen=True)
class Upsert:
    """Records that are added or replaced."""

    code: str
    item: str
    rows: Rows


@dataclass(frozen=True)
class Delete:
    """People whose records are removed."""

    code: str
    item: str
    people: tuple[int, ...]


@dataclass(frozen=True)
class Verify:
    """45 queries 44 and 33 about people."""

    people: tuple[int, ...]


@dataclass(frozen=True)
class Sum:
    """45 queries 44 and 33 for the wages of a cohort."""

    people: tuple[int, ...]


@dataclass(frozen=True)
class Cancel:
    """A verification is cancelled before it runs."""

    people: tuple[int, ...]


@dataclass(frozen=True)
class Rotate:
    """The keys of a kind are rotated while the node runs."""

    code: str
    kind: Literal["oprf", "sums", "signing", "salt", "tls"]


@dataclass(frozen=True)
class Advance:
    """Advances the clock of the federation."""

    hours: float


@dataclass(frozen=True)
class DropRequest:
    """A piece of the data from 45 to a peer is lost with its connection, after a number of others."""

    code: str
    after: int


@dataclass(frozen=True)
class DropResponse:
    """A peer receives a piece, and the response to it is lost with the connection."""

    code: str
    after: int


@dataclass(frozen=True)
class Kill:
    """A node is killed after a number of pieces from 45, and starts again from its disk."""

    code: str
    after: int


@dataclass(frozen=True)
class Restart:
    """A node is stopped normally and starts again."""

    code: str


@dataclass(frozen=True)
class Stop:
    """A node is stopped normally."""

    code: str


@dataclass(frozen=True)
class Start:
    """A stopped node starts again."""

    code: str


Operation = (
    Import
    | Upsert
    | Delete
    | Verify
    | Sum
    | Cancel
    | Rotate
    | Advance
    | DropRequest
    | DropResponse
    | Kill
    | Restart
    | Stop
    | Start
)


# ---- people and their records
def number_of(person: int) -> str:
    """An identity number; all of them begin with PREFIX."""
    body = f"{PREFIX}{person % 12 + 1:02d}{person // 12 % 28 + 1:02d}{person // 336:03d}"
    return body + identity.check_digit(body)


def name_of(person: int) -> str:
    """A name."""
    return NAMES[person % len(NAMES)]


def fen_of(item: str, person: int, value: int) -> int:
    """Money of a person: near the threshold for a limit; for a sum never dominant and never all equal."""
    return value * THRESHOLD // 5 + 1 if item == OVER else 300_000 + 1_000 * value + 7 * person


@dataclass(frozen=True)
class Opened:
    """A sum that a responder opened, or perhaps: when, and over whom."""

    at: datetime
    people: frozenset[int]
    surely: bool


@dataclass
class Model:
    """Registers as dictionaries, stopped nodes, and the sums that responders opened."""

    registers: dict[tuple[str, str], dict[int, int]] = field(default_factory=dict)
    down: set[str] = field(default_factory=set)
    opened: dict[str, list[Opened]] = field(default_factory=dict)

    def verification(self, people: Iterable[int]) -> dict[tuple[str, str, str], Answer]:
        """Findings by subject, item and peer."""
        return {
            (f"h/{person}", item, code): self._answer(person, item, code)
            for person, item, code in itertools.product(people, MATCH_ITEMS, ANSWERING)
        }

    def _answer(self, person: int, item: str, code: str) -> Answer:
        if code in self.down:
            return "UNAVAILABLE", None, "unavailable"
        register = self.registers.get((code, item))
        if register is None:
            return "NOT_CONNECTED", None, ""
        value = register.get(person)
        if item == COUNTED:
            return ("NOT_FOUND", None, "") if value is None else ("FOUND", value, "")
        over = value is not None and fen_of(item, person, value) > THRESHOLD
        return ("OVER", 1, "") if over else ("NOT_OVER", None, "")

    def wages(self, code: str, people: Iterable[int]) -> list[int] | None:
        """Wages of a cohort, in fen; None where there is no register."""
        register = self.registers.get((code, WAGES))
        if register is None:
            return None
        return [fen_of(WAGES, person, register[person]) for person in people if person in register]

    def outcomes(self, code: str, people: Iterable[int], now: datetime) -> set[str]:
        """How a sum may end: `RELEASED`, `NOT_CONNECTED`, or the rules that may keep it back.

        Which epoch the keys have is not modelled: what was opened under earlier ones may count or not, and
        guards are secret, so two cohorts may look nearer than they are.
        """
        if code in self.down:
            return {"unavailable"}
        register = self.registers.get((code, WAGES))
        if register is None:
            return {"NOT_CONNECTED"}
        found = frozenset(person for person in people if person in register)
        if len(found) < MIN_COHORT:
            return {"min_opened"}
        rows = len(register) + OTHERS
        least = min(len(found), rows - len(found))
        allowed = 0.5 * least * log(rows / least)
        if allowed < OF_A_SET + OF_AN_OPENING:
            return {"exposure"}
        held = [one for one in self.opened.get(code, ()) if one.at >= now - PERIOD]
        near = {"differencing"} if held else set()
        surely = any(
            one.surely
            and one.people != found
            and len(one.people) != len(found)
            and len(one.people ^ found) <= 4
            for one in held
        )
        return near | self._exposed(code, found, allowed) | (set() if surely else {"RELEASED"})

    def _exposed(self, code: str, found: frozenset[int], allowed: float) -> set[str]:
        sets = [one.people for one in self.opened.get(code, ())]
        related = [found, *(one for one in sets if 2 * len(one & found) >= min(len(one), len(found)))]
        equations = OF_A_SET * len(set(related)) + OF_AN_OPENING * len(related)
        return {"exposure"} if equations > allowed else set()

    def remember(self, code: str, people: Iterable[int], now: datetime, *, surely: bool) -> None:
        """Record that a responder opened a sum; not `surely` where its answer was lost."""
        register = self.registers.get((code, WAGES), {})
        found = frozenset(person for person in people if person in register)
        self.opened.setdefault(code, []).append(Opened(now, found, surely))


def figures(wages: list[int]) -> tuple[int, int, float]:
    """Count, total and variance of plain wages."""
    return len(wages), sum(wages), pvariance(wages)
