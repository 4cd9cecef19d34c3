"""Plant the exact figures of a scenario, and ordinary holdings around them, in a ledger."""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Final

from synth import ledger as book
from synth.ledger import BOTH, CURRENT, FORMER, Ledger, pick_provider
from synth.names import draw_other_name
from synth.people import SPOUSE, Household, Person, age
from synth.registers import REGISTERS
from synth.scenario import Figures, Scenario

_ADULT: Final = range(18, 76)
_AWAY: Final = 0.56  # share of adults on the list who have worked in one of the providing provinces


@dataclass(frozen=True, slots=True)
class Planted:
    """The people who make up the figures; lists may overlap, `everybody` is their union."""

    payroll: list[Person] = field(repr=False)
    vehicle_owners: list[Person] = field(repr=False)
    dwelling_owners: list[Person] = field(repr=False)
    businesses: list[Person] = field(repr=False)
    over_deposit: list[Person] = field(repr=False)
    everybody: list[Person] = field(repr=False)
    couples: list[tuple[Person, Person]] = field(repr=False)


def plant_list(
    rng: random.Random,
    ledger: Ledger,
    scenario: Scenario,
    households: Sequence[Household],
    spared: Sequence[Household],
) -> Counter[str]:
    """Give the list its holdings; `spared` are the households whose mandate covers nothing.

    Returns how many of each peculiarity were planted. The figures hold exactly over `households`.
    """
    planted = _choose(rng, scenario.figures, households, ledger.today)
    chosen = {person.number for person in planted.everybody}
    adults = _adults(households, ledger.today)
    home = {
        person.number: pick_provider(rng, scenario.providers)
        for person in adults
        if person.number in chosen or rng.random() < _AWAY
    }
    for one, other in planted.couples:
        home[other.number] = home[one.number]
    counts = _Planter(rng, ledger, scenario, home).plant(planted, adults)
    counts["holdings_without_mandate"] = _plant_spared(rng, ledger, scenario, _adults(spared, ledger.today))
    return counts


def _adults(households: Sequence[Household], today: date) -> list[Person]:
    people = (member.person for household in households for member in household.members)
    return [person for person in people if age(person, today) in _ADULT]


def _choose(rng: random.Random, figures: Figures, households: Sequence[Household], today: date) -> Planted:
    """Draw the people of the figures so that unions and overlaps come out exactly.

    Vehicle owners come first; of the three smaller groups as many as the union still needs go to
    people without a vehicle, couples with a joint dwelling among them, the rest to vehicle owners.
    """
    couples = _draw_couples(rng, figures.joint_dwellings, households, today)
    married = [person for couple in couples for person in couple]
    taken = {person.number for person in married}
    adults = [person for person in _adults(households, today) if person.number not in taken]
    drawn = rng.sample(adults, figures.any_asset - len(married))
    owners, without = drawn[: figures.vehicle_owners], drawn[figures.vehicle_owners :]

    labels = (
        ["payroll"] * figures.payroll
        + ["dwelling"] * (figures.dwelling_owners - len(married))
        + ["business"] * figures.businesses
    )
    rng.shuffle(labels)
    groups: dict[str, list[Person]] = {"payroll": [], "dwelling": list(married), "business": []}
    holders = without + rng.sample(owners, len(labels) - len(without))
    for label, person in zip(labels, holders, strict=True):
        groups[label].append(person)
    everybody = married + drawn
    over = rng.sample(everybody, figures.over_deposit)
    return Planted(
        groups["payroll"], owners, groups["dwelling"], groups["business"], over, everybody, couples
    )  # fmt: skip


def _draw_couples(
    rng: random.Random, count: int, households: Sequence[Household], today: date
) -> list[tuple[Person, Person]]:
    couples = [
        (household.members[0].person, household.members[1].person)
        for household in households
        if len(household.members) > 1 and household.members[1].relation == SPOUSE
    ]
    able = [pair for pair in couples if all(age(person, today) in _ADULT for person in pair)]
    return rng.sample(able, count)


def _plant_spared(rng: random.Random, ledger: Ledger, scenario: Scenario, adults: Sequence[Person]) -> int:
    """Holdings that must never be seen, since nobody may ask for these people."""
    for place, person in enumerate(adults):
        province = pick_provider(rng, scenario.providers)
        ledger.add(province, book.VEHICLES, person)
        if place % 2:
            ledger.add(province, book.DEPOSITS, person, fen=2 * book.THRESHOLD_FEN)
            ledger.add(province, book.PAYROLL, person)
    return len(adults)


class _Planter:
    """Writes the planted people into the ledger; keeps the turn of the ways to write two numbers."""

    def __init__(self, rng: random.Random, ledger: Ledger, scenario: Scenario, home: dict[str, str]) -> None:
        self.rng = rng
        self.ledger = ledger
        self.scenario = scenario
        self.home = home
        self.turn = 0
        self.counts: Counter[str] = Counter()

    def plant(self, planted: Planted, adults: Sequence[Person]) -> Counter[str]:
        self.plant_vehicles(planted.vehicle_owners)
        self.plant_dwellings(planted)
        for item, people in ((book.PAYROLL, planted.payroll), (book.BUSINESSES, planted.businesses)):
            for person in people:
                count = 2 if self.rng.random() < 0.06 else 1
                self.hold(self.home[person.number], item, person, [0] * count)
            self.plant_other_names(item, people)
        self.plant_deposits(planted.over_deposit, adults)
        self.plant_insurance(adults)
        return self.counts

    def plant_vehicles(self, owners: list[Person]) -> None:
        """One each, the rest to a few: some have three, some have one in another province too."""
        extra = self.scenario.figures.vehicles - len(owners)
        # People whose number changed come first: their vehicles may be recorded under two numbers.
        order = sorted(owners, key=lambda person: not person.former)[: max(1, round(extra * 0.9))]
        count = Counter(person.number for person in owners)
        count.update(order[place % len(order)].number for place in range(extra))
        for place, person in enumerate(owners):
            here, vehicles = self.home[person.number], count[person.number]
            elsewhere = [code for code in self.scenario.providers if code != here]
            if vehicles > 1 and elsewhere and not person.former and place % 3 == 0:
                vehicles -= 1
                self.hold(self.rng.choice(elsewhere), book.VEHICLES, person, [0])
                self.counts["vehicles_in_two_provinces"] += 1
            self.hold(here, book.VEHICLES, person, [0] * vehicles)

    def plant_dwellings(self, planted: Planted) -> None:
        joint = {person.number for couple in planted.couples for person in couple}
        for one, other in planted.couples:
            province = self.home[one.number]
            record = self.ledger.add(province, book.DWELLINGS, one)
            self.ledger.add(province, book.DWELLINGS, other, record=record)
        for person in planted.dwelling_owners:
            if person.number not in joint:
                self.hold(self.home[person.number], book.DWELLINGS, person, [0])
        self.counts["joint_dwellings"] = len(planted.couples)

    def plant_other_names(self, item: str, people: list[Person]) -> None:
        """A second record elsewhere under a wrong name, for people who have a right one at home.

        The name check is one byte and lets 1 wrong name in 256 pass (design.md section 3); planted
        so, each figure is right in both cases.
        """
        steady = [person for person in people if not person.former][: self.scenario.name_differs]
        for person in steady:
            elsewhere = [code for code in self.scenario.providers if code != self.home[person.number]]
            if elsewhere:
                other = draw_other_name(self.rng, self.scenario.requester, person.name)
                self.ledger.add(elsewhere[0], item, replace(person, name=other))
                self.counts["names_differing"] += 1

    def plant_deposits(self, over: list[Person], adults: Sequence[Person]) -> None:
        """Accounts and housing funds; totals above the threshold for `over` and nobody else."""
        rich = {person.number for person in over}
        threshold = book.THRESHOLD_FEN
        for place, person in enumerate(over):
            # The first is one fen above; many others have no single account above the threshold.
            total = threshold + 1 if place == 0 else threshold + 1 + draw_money(self.rng, 30_000, 1.2)
            self.hold(self.home[person.number], book.DEPOSITS, person, self.split(total))
        modest = [
            p for p in adults if p.number in self.home and p.number not in rich and self.rng.random() < 0.55
        ]
        for place, person in enumerate(modest):
            province = self.home[person.number]
            if place < 5:  # exactly at the threshold is not over it
                self.hold(province, book.DEPOSITS, person, self.split(threshold))
            elif place < 15:  # counted twice, a repeated row would lift these over it
                self.ledger.add(province, book.DEPOSITS, person, fen=threshold - 10_000 * place, copies=2)
            else:
                total = min(
                    draw_money(self.rng, 6_000, 1.1), threshold - 1 - int(self.rng.random() * 3_000_000)
                )
                self.hold(province, book.DEPOSITS, person, self.split(total))
        self.counts["deposits_at_threshold"] = min(5, len(modest))
        for person in adults:
            if person.number in self.home and self.rng.random() < 0.3:
                self.hold(self.home[person.number], book.FUND, person, [draw_money(self.rng, 9_000, 1.5)])

    def plant_insurance(self, adults: Sequence[Person]) -> None:
        for person in adults:
            if (
                person.number in self.home
                and age(person, self.ledger.today) < 60
                and self.rng.random() < 0.22
            ):
                under = self.ways(book.INSURANCE, person, 1)[0]
                insure(self.rng, self.ledger, self.home[person.number], person, under)

    def split(self, total: int) -> list[int]:
        """One to three accounts that hold `total` fen together."""
        parts = min(1 + int(self.rng.random() ** 2 * 3), total)
        cuts = sorted(int(self.rng.random() * total) for _ in range(parts - 1))
        return [high - low for low, high in zip([0, *cuts], [*cuts, total], strict=True)]

    def hold(self, province: str, item: str, person: Person, amounts: list[int]) -> None:
        """One record per amount, under the current number, the former one, or both."""
        for fen, under in zip(amounts, self.ways(item, person, len(amounts)), strict=True):
            self.ledger.add(province, item, person, fen=fen, under=under)

    def ways(self, item: str, person: Person, count: int) -> list[str]:
        """The number of each of `count` rows; for people with two numbers they alternate.

        Separate rows under separate numbers, with nothing that joins them, only where the requester can
        combine the answers (counts add up): a responder cannot know that they are one person.
        """
        if not person.former:
            return [CURRENT] * count
        turns = [("former_only", [FORMER] * count), ("current_only", [CURRENT] * count)]
        if REGISTERS[item].has_former:
            turns.append(("both_numbers", [BOTH] * count))
        if item == book.VEHICLES and count > 1:
            # The pairs of rows that only the requester, and that the responder itself, can join.
            turns.insert(0, ("linked_numbers", [FORMER] + [BOTH] * (count - 1)))
            turns.insert(0, ("split_numbers", [FORMER] + [CURRENT] * (count - 1)))
        name, ways = turns[self.turn % len(turns)]
        self.turn += 1
        self.counts[name] += 1
        return ways


def plant_outsider(rng: random.Random, ledger: Ledger, province: str, person: Person) -> None:
    """What a person on no list holds in `province`, in shares like those of a working population."""
    add, chance = ledger.add, rng.random

    def under(item: str) -> str:
        return BOTH if person.former and REGISTERS[item].has_former else CURRENT

    if chance() < 0.42:
        for _ in range(1 + (chance() < 0.12)):
            add(province, book.VEHICLES, person, under=under(book.VEHICLES))
    if chance() < 0.34:
        for _ in range(1 + (chance() < 0.15)):
            add(province, book.DWELLINGS, person, under=under(book.DWELLINGS))
    if chance() < 0.2:
        add(province, book.BUSINESSES, person)
    if chance() < 0.15:
        add(province, book.PAYROLL, person)
    if chance() < 0.45:
        for _ in range(1 + int(chance() ** 2 * 3)):
            add(province, book.DEPOSITS, person, fen=draw_money(rng, 15_000, 1.5))
    if chance() < 0.38:
        add(province, book.FUND, person, fen=draw_money(rng, 18_000, 1.4), under=under(book.FUND))
    if chance() < 0.09:
        insure(rng, ledger, province, person, under(book.INSURANCE))


def insure(rng: random.Random, ledger: Ledger, province: str, person: Person, under: str) -> None:
    """Up to twelve monthly contribution bases, one record each, the latest months paid."""
    paid = 12 if rng.random() < 0.7 else 1 + int(rng.random() * 11)
    base = 350_000 + draw_money(rng, 1_800, 0.9)
    account = ledger.next_record(province, book.INSURANCE)
    for day in ledger.months()[:paid]:
        record = f"{account}-{day.year}{day.month:02d}"
        ledger.add(province, book.INSURANCE, person, fen=base, under=under, record=record, as_of=day)


def draw_money(rng: random.Random, median_yuan: int, sigma: float) -> int:
    """A log-normal amount in fen, from one yuan to 50 million."""
    return min(max(100, round(rng.lognormvariate(0.0, sigma) * median_yuan * 100)), 5_000_000_000)
