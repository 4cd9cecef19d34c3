"""What the drill's sums are of: two registers a province, and the plain sums over them."""

import csv
import itertools
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import pvariance

ITEMS = ("B11", "D35")
PEOPLE = 150
LEAST = 12  # contributors of the smallest cohort
STEP = 3  # the fewest people that the drill's catalogue lets two cohorts differ by
UNKNOWN_PEOPLE = 20  # people of a cohort whom no register holds
HELD_BACK = "differencing"
CATALOGUE = "catalogue.toml"
_AREA = "459999"
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)  # GB 11643-1999


def write_catalogue(published: Path, target: Path) -> None:
    """The federation's catalogue with room for many sums of one peer; every node of the drill has it."""
    room = f"min_cohort = {STEP}, queries = 1000000"
    text, found = re.subn(
        r'^sum = \{ (table = "[^"]+") \}$',
        rf"sum = {{ \1, {room} }}",
        published.read_text(encoding="utf-8"),
        flags=re.MULTILINE,
    )
    if found != len(ITEMS):
        raise ValueError(f"{published}: {found} items with a histogram, not {len(ITEMS)}")
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

    `again`: as many were asked about before, so that the responder may hold the answer back.
    """

    province: str
    item: str
    people: Sequence[str] = field(repr=False)
    count: int
    total: int
    variance: float
    again: bool = False


def choose_cohorts(registers: Mapping[tuple[str, str], Path]) -> Iterator[Cohort]:
    """Cohorts over registers by (province, item), by turns and without end.

    A responder answers no two cohorts whose counts are near each other, so each one of a register is larger
    than the one before. When its people run out (188 cohorts of four registers) it begins again.
    """
    held = {place: _read(path) for place, path in registers.items()}
    draw = random.Random(7)
    unknown = [_number(10 * PEOPLE + more) for more in range(UNKNOWN_PEOPLE)]
    for turn in itertools.count():
        for count in range(LEAST, PEOPLE + 1, STEP):
            for (province, item), rows in held.items():
                found = draw.sample(sorted(rows), count)
                fen = [rows[person] for person in found]
                people = draw.sample([*found, *unknown], count + UNKNOWN_PEOPLE)
                yield Cohort(province, item, people, count, sum(fen), float(pvariance(fen)), turn > 0)


def is_right(cohort: Cohort, rule: str, count: int, total: int, variance: float) -> bool:
    """Whether an answer has the plain figures, the variance rounded, or was rightly held back."""
    if rule:
        return cohort.again and rule == HELD_BACK
    return (count, total) == (cohort.count, cohort.total) and abs(variance - cohort.variance) <= 1


def _read(path: Path) -> dict[str, int]:
    with path.open(encoding="utf-8", newline="") as file:
        return {row["id_no"]: int(row["amount_fen"]) for row in csv.DictReader(file)}


def _number(person: int) -> str:
    """A resident identity number of a county that does not exist."""
    body = f"{_AREA}1985{1 + person // 28_000 % 12:02}{1 + person // 1_000 % 28:02}{person % 1_000:03}"
    return body + "10X98765432"[sum(int(d) * w for d, w in zip(body, _WEIGHTS, strict=True)) % 11]
