"""What sums are about: the county's workers, and registers of wages, months insured and medical spending.

Written beside everything else and after it, so that a federation with them has the same other files as one
without. Registers go to `<province>/sums`, the cohort to `<requester>/workers.csv`, the truth to
`truth/workers.csv` and `truth/earnings.csv`.
"""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Final

from synth.ledger import pick_provider
from synth.lists import write_csv
from synth.numbers import NumberBook, spoil_check
from synth.people import Household, Person, age, draw_origins, draw_outsider
from synth.planting import draw_money
from synth.scenario import Scenario

WAGES: Final = "B11"
MONTHS: Final = "D32m"
MEDICAL: Final = "D35"
SUM_ITEMS: Final = (WAGES, MONTHS, MEDICAL)
FILES: Final = {
    WAGES: ("税务_B11_工资薪金.csv", "金额(元)"),
    MONTHS: ("人社_D32m_参保月数.csv", "数量"),
    MEDICAL: ("医保_D35_个人自付.csv", "金额(元)"),
}
_WORKING: Final = range(18, 60)
# Share of them who work in one of the providing provinces; of a short list most, so that sums are of enough.
_AWAY: Final = 0.3
_AWAY_OF_FEW: Final = 0.9
_FEW: Final = 2_000
# Workers on no list, for each ten on it; beside a short list so many, and half of them of the same province,
# that a sum is of a small share of the rows that could be in it.
_OTHERS: Final = 3
_OTHERS_OF_FEW: Final = 64
_SPOILED: Final = 3  # rows of the cohort with a wrong check character


@dataclass(frozen=True, slots=True)
class Earning:
    """One row of a register: fen for money, months for months."""

    number: str = field(repr=False)
    item: str
    amount: int = field(repr=False)


def write_earnings(
    folder: Path,
    rng: random.Random,
    book: NumberBook,
    scenario: Scenario,
    households: Sequence[Household],
    today: date,
) -> dict[str, int]:
    """Write workers, registers and truth; returns rows by file."""
    adults = [
        member.person
        for household in households
        for member in household.members
        if age(member.person, today) in _WORKING
    ]
    away, others = (_AWAY, _OTHERS) if scenario.people > _FEW else (_AWAY_OF_FEW, _OTHERS_OF_FEW)
    workers = [person for person in adults if rng.random() < away]
    earned: dict[str, list[Earning]] = {province: [] for province in scenario.providers}
    for person in workers:
        # Some work in two provinces within the year, and are in both registers.
        places = [pick_provider(rng, scenario.providers) for _ in range(1 + (rng.random() < 0.1))]
        for province in dict.fromkeys(places):
            earned[province] += draw_earnings(rng, _number(rng, person))
    truth = [
        (one.number, province, one.item, one.amount)
        for province in scenario.providers
        for one in earned[province]
    ]
    files = {f"{scenario.requester}/workers.csv": _write_workers(folder, rng, scenario, workers)}
    write_csv(
        folder / "truth" / "workers.csv",
        ("worker", "current", "former"),
        ((f"W{at:06}", person.number, person.former) for at, person in enumerate(workers)),
    )
    write_csv(folder / "truth" / "earnings.csv", ("identity", "province", "item", "amount"), truth)
    for province in scenario.providers:
        origins, weights = draw_origins(province, scenario.requester)
        count = len(workers) * others // 10 // len(scenario.providers)
        drawn = rng.choices(origins, cum_weights=weights, k=count)
        if others == _OTHERS_OF_FEW:
            drawn[::2] = [scenario.requester] * len(drawn[::2])
        for origin in drawn:
            earned[province] += draw_earnings(rng, draw_outsider(rng, book, origin, today).number)
        files |= _write_registers(folder, rng, province, earned[province], today)
    return files


def draw_earnings(rng: random.Random, number: str) -> list[Earning]:
    """What one person's year left in the registers of one province, under one number."""
    rows = [Earning(number, WAGES, draw_money(rng, 58_000, 0.55)) for _ in range(1 + (rng.random() < 0.08))]
    rows.append(Earning(number, MONTHS, 12 if rng.random() < 0.6 else 1 + int(rng.random() * 11)))
    if rng.random() < 0.55:
        rows += [
            Earning(number, MEDICAL, draw_money(rng, 900, 1.0)) for _ in range(1 + int(rng.random() ** 2 * 3))
        ]
    return rows


def _number(rng: random.Random, person: Person) -> str:
    """Under which number an employer knows somebody: now and then still the former one."""
    return person.former if person.former and rng.random() < 0.4 else person.number


def _write_workers(folder: Path, rng: random.Random, scenario: Scenario, workers: Sequence[Person]) -> int:
    """The cohort as the county exports it, with a few rows that cannot be used."""
    rows = [(person.name, person.number, person.former) for person in workers]
    for person in rng.sample(list(workers), min(_SPOILED, len(workers))):
        rows.insert(int(rng.random() * len(rows)), (person.name, spoil_check(person.number), ""))
    header = (
        ("姓名", "证件号码", "曾用证件号码")
        if scenario.chinese_headers
        else ("name", "id_no", "former_id_no")
    )
    write_csv(folder / scenario.requester / "workers.csv", header, rows)
    return len(rows)


def _write_registers(
    folder: Path, rng: random.Random, province: str, earned: Iterable[Earning], today: date
) -> dict[str, int]:
    target = folder / province / "sums"
    target.mkdir(parents=True)
    month_end = date.fromordinal(today.replace(day=1).toordinal() - 1)
    files = {}
    for item, (name, header) in FILES.items():
        rows = [one for one in earned if one.item == item]
        rng.shuffle(rows)
        write_csv(
            target / name,
            ("证件号码", "记录编号", header, "数据时点"),
            (
                (one.number, f"{province}9999-{at:07}", _cell(one), month_end.isoformat())
                for at, one in enumerate(rows)
            ),
        )
        files[(target / name).relative_to(folder).as_posix()] = len(rows)
    return files


def _cell(one: Earning) -> str:
    return str(one.amount) if one.item == MONTHS else f"{one.amount // 100}.{one.amount % 100:02d}"
