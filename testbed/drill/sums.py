"""What the drill's sums are of: two registers a province, and the plain sums over them.

Both are exact in the drill's catalogue, so that every figure can be held against the plain one; a sum may be
refused as too near to an earlier one, and the plain sets say whether that can be.
"""

import csv
import itertools
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import gcd, inf
from pathlib import Path
from statistics import pvariance

ITEMS = ("B11", "D35")
PEOPLE = 1_000
LEAST, MOST = 30, 330  # contributors of the smallest cohort, and what the largest is below
STEP = (
    3  # contributors that each has more than the one before, and the minimum cohort of the drill's catalogue
)
UNKNOWN_PEOPLE = 20  # people of a cohort whom no register holds
NEAR, EXPOSED = "differencing", "exposure"
# A difference of so many people or more is taken for one of 2 * STEP once in 200,000 times: the responder
# estimates it from eight secret bits a row, and one below 0.2 is that rare in a chi-square of eight.
FAR = 2 * STEP * 40
MULTIPLES = tuple((p, q) for p in range(1, 6) for q in range(1, 6) if gcd(p, q) == 1)
CATALOGUE = "catalogue.toml"
_AREA = "459999"
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)  # GB 11643-1999


def write_catalogue(published: Path, target: Path) -> None:
    """The federation's catalogue with exact sums of few people; every node of the drill has it."""
    room = f'mode = "exact", min_cohort = {STEP}'
    text = published.read_text(encoding="utf-8")
    for code in ITEMS:
        text, found = re.subn(
            rf'^(code = "{code}"\n(?:(?!\[\[).*\n)*?)sum = \{{ (table = "[^"]+")[^}}]* \}}$',
            rf"\1sum = {{ \2, {room} }}",
            text,
            flags=re.MULTILINE,
        )
        if found != 1:
            raise ValueError(f"{published}: {code} has no histogram")
    target.write_text(text, encoding="utf-8")


def write_registers(folder: Path, province: str) -> list[Path]:
    """A register for each item: people of 45 who worked in the province, and what they earned or spent."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for item in ITEMS:
        draw = random.Random(f"{province} {item}")
        people = draw.sample(range(10 * PEOPLE), PEOPLE)
        path = folder / f"{item}.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(("id_no", "amount_fen"))
            rows.writerows((_number(person), draw.randrange(1_000_000, 16_000_000)) for person in people)
        written.append(path)
    return written


@dataclass(frozen=True)
class Cohort:
    """People to be summed over, and the plain figures of those whom the register holds.

    `again`: as many were asked about before. `near`: the fewest people by which an earlier cohort of the
    register differs, or a small multiple of one: with few, the responder may hold the answer back.
    """

    province: str
    item: str
    people: Sequence[str] = field(repr=False)
    count: int
    total: int
    variance: float
    again: bool = False
    near: float = inf


def choose_cohorts(registers: Mapping[tuple[str, str], Path]) -> Iterator[Cohort]:
    """Cohorts over registers by (province, item), by turns and without end.

    A responder answers no two cohorts that are near each other, and once its keys have changed knows only
    their counts; so each one of a register is larger than the one before. After 400 of four registers it
    begins again.
    """
    held = {place: _read(path) for place, path in registers.items()}
    draw = random.Random(7)
    unknown = [_number(10 * PEOPLE + more) for more in range(UNKNOWN_PEOPLE)]
    asked: dict[tuple[str, str], list[frozenset[str]]] = {place: [] for place in held}
    for turn in itertools.count():
        for count in range(LEAST, MOST, STEP):
            for (province, item), rows in held.items():
                found = draw.sample(sorted(rows), count)
                fen = [rows[person] for person in found]
                people = draw.sample([*found, *unknown], count + UNKNOWN_PEOPLE)
                before = asked[province, item]
                near = min((difference(frozenset(found), one) for one in before), default=inf)
                before.append(frozenset(found))
                yield Cohort(province, item, people, count, sum(fen), float(pvariance(fen)), turn > 0, near)


def difference(one: frozenset[str], other: frozenset[str]) -> float:
    """The least sum of squares (p m - q m')^2 over all people, of small multiples of two cohorts.

    The responder takes a common divisor of all that it compares out first; two and three may be one by
    chance.
    """
    both = len(one & other)
    found = []
    for p, q in MULTIPLES:
        squares = p * p * len(one) + q * q * len(other) - 2 * p * q * both
        divisor = next(by for by in (3, 2, 1) if (p * len(one) - q * len(other)) % by == 0)
        found.append(squares / divisor**2)
    return min(found)


def is_right(cohort: Cohort, rule: str, count: int, total: int, variance: float) -> bool:
    """Whether an answer has the plain figures, the variance rounded, or was rightly held back.

    A cohort of as many people as an earlier one is near it for a responder whose keys have changed, and one
    more of many sets that the own node lets the peer see.
    """
    if rule:
        return (rule == NEAR and cohort.near < FAR) or (cohort.again and rule in (NEAR, EXPOSED))
    return (count, total) == (cohort.count, cohort.total) and abs(variance - cohort.variance) <= 1


def _read(path: Path) -> dict[str, int]:
    with path.open(encoding="utf-8", newline="") as file:
        return {row["id_no"]: int(row["amount_fen"]) for row in csv.DictReader(file)}


def _number(person: int) -> str:
    """A resident identity number of a county that does not exist."""
    body = f"{_AREA}1985{1 + person // 28_000 % 12:02}{1 + person // 1_000 % 28:02}{person % 1_000:03}"
    return body + "10X98765432"[sum(int(d) * w for d, w in zip(body, _WEIGHTS, strict=True)) % 11]
