"""What households declare beside what provinces disclosed (domain.md sections 4, 7; S6, S28). Pure.

Nothing here judges. Where an item discloses a band, a threshold or the existence of a record only, no amount
is known, so there is no difference: only a range, or that.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from matcher.types import Level
from node.domain.catalogue import Catalogue, Item
from node.domain.declared import TOTALS, DeclaredHousehold
from node.domain.findings import Finding, Findings, Outcome, Report
from node.reports.common import known_items
from node.reports.coverage import ANSWERED, HAS
from node.reports.households import household_of

# Rigid spending: illness, its band, schooling, rehabilitation. The built-in catalogue tells D35 and D39b of
# no single person, so that D35d and D36 are what a household's report has.
SPENDING_ITEMS: Final = ("D35", "D35d", "D36", "D39b")
_SAME_MONEY: Final = {"D35d": "D35"}  # the band of an amount: not counted beside the amount
EXACT, BANDS, THRESHOLD, EXISTENCE, NOTHING, NOT_ASKED = (
    "exact", "bands", "threshold", "existence", "nothing", "not_asked"
)  # fmt: skip
# A name that differs leaves open whose record it is, as no answer does.
_NOTHING_LEFT: Final = ANSWERED - {Outcome.NAME_MISMATCH}
_PERMILLE: Final = 1000


@dataclass(frozen=True, slots=True)
class Amount:
    """What was disclosed of one item or total, in its unit: `low` where it is known; of BANDS more than `low`
    (at least 0), and at most `high` (None: open).

    `known` is one of EXACT, BANDS, THRESHOLD, EXISTENCE (then there is no amount), NOTHING (no record at
    all), NOT_ASKED. `complete`: every province that was asked answered about every member.
    """

    known: str
    complete: bool
    low: int | None = None
    high: int | None = None

    @property
    def exact(self) -> int | None:
        """The amount where it is known."""
        return self.low if self.known == EXACT else None


@dataclass(frozen=True, slots=True)
class Comparison:
    """One line of a household: `what` is of TOTALS, or an item. `by_peer` are answers that have a value."""

    household: str
    what: str
    declared: int | None
    amount: Amount
    by_peer: Mapping[str, tuple[Finding, ...]] = field(default_factory=dict)

    @property
    def difference(self) -> int | None:
        """Disclosed less declared, where both are amounts and all provinces answered."""
        exact = self.amount.exact
        if self.declared is None or exact is None or not self.amount.complete:
            return None
        return exact - self.declared


@dataclass(frozen=True, slots=True)
class Spending:
    """Rigid spending of a household by one item: what each province disclosed, and its share of the income.

    `share` are the least and the most in thousandths of the declared income, None where it is not given, or
    the amount is not known.
    """

    household: str
    item: str
    by_peer: Mapping[str, Amount]
    amount: Amount
    share: tuple[int, int | None] | None


def group_of(item: Item) -> str | None:
    """The total that an item of money belongs to: income B1x, assets C2x, rigid spending."""
    if item.value_kind != "money":
        return None
    if item.code in SPENDING_ITEMS:
        return "spending"
    return {"B1": "income", "C2": "assets"}.get(item.code[:2])


def compare(report: Report, catalogue: Catalogue) -> Iterator[Comparison]:
    """The lines of each household that declares something: totals, then items, of those declared."""
    known, answers = known_items(catalogue), _Answers(report)
    for one in report.declared:
        relatives = frozenset(one.relatives)
        for name, declared in one.totals.items():
            if declared is not None:
                yield Comparison(one.household, name, declared, _total(report, answers, one, name, known))
        for code, declared in sorted(one.items.items()):
            item = known.get(code)
            if item is None or code not in report.items:
                yield Comparison(one.household, code, declared, Amount(NOT_ASKED, complete=False))
                continue
            said = answers.of(one.household, code, relatives)
            by_peer = _by_peer(said)
            amount = amount_of(item, said, answers.is_complete(one.household, code))
            yield Comparison(one.household, code, declared, amount, by_peer)


def _total(
    report: Report, answers: "_Answers", one: DeclaredHousehold, name: str, known: Mapping[str, Item]
) -> Amount:
    asked = [known[code] for code in _apart(report.items) if code in known and group_of(known[code]) == name]
    parts = [
        amount_of(
            item,
            answers.of(one.household, item.code, frozenset(one.relatives)),
            answers.is_complete(one.household, item.code),
        )
        for item in asked
    ]
    return join(parts) if parts else Amount(NOT_ASKED, complete=False)


def _apart(items: Sequence[str]) -> list[str]:
    """The items without those that tell the same money as another one of them."""
    return [code for code in items if _SAME_MONEY.get(code) not in items]


def join(parts: Sequence[Amount]) -> Amount:
    """Several amounts together; one of which no amount is known leaves the sum without one."""
    complete = all(one.complete for one in parts)
    said = [one for one in parts if one.known != NOTHING]
    if not said:
        return Amount(NOTHING, complete)
    unknown = next((one.known for one in said if one.known not in (EXACT, BANDS)), None)
    if unknown is not None:
        return Amount(unknown, complete)
    known = EXACT if all(one.known == EXACT for one in said) else BANDS
    highs = [one.high for one in said]
    low = sum(one.low or 0 for one in said)
    high = None if None in highs else sum(one or 0 for one in highs)
    return Amount(known, complete, low, high)


def spending(report: Report, catalogue: Catalogue) -> Iterator[Spending]:
    """Rigid spending of each household with a record of it, items and provinces beside each other."""
    known = known_items(catalogue)
    codes = [code for code in SPENDING_ITEMS if code in _apart(report.items) and code in known]
    if not codes:
        return
    answers, declared = _Answers(report), {one.household: one for one in report.declared}
    for household in answers.households:
        income = declared[household].income if household in declared else None
        relatives = frozenset(declared[household].relatives) if household in declared else frozenset()
        for code in codes:
            said = answers.of(household, code, relatives)
            if not said:
                continue
            complete = answers.is_complete(household, code)
            by_peer = {
                peer: amount_of(known[code], found, complete=True) for peer, found in _by_peer(said).items()
            }
            amount = amount_of(known[code], said, complete)
            yield Spending(household, code, by_peer, amount, share_of(amount, income))


def share_of(amount: Amount, income: int | None) -> tuple[int, int | None] | None:
    """The share of an income in thousandths: the least rounded down, the most rounded up."""
    if not income or amount.low is None:
        return None
    high = None if amount.high is None else -(-amount.high * _PERMILLE // income)
    return amount.low * _PERMILLE // income, high


def causes(report: Report) -> dict[str, int]:
    """How many households name each cause, the commonest first."""
    found: dict[str, int] = {}
    for one in report.declared:
        for cause in one.causes:
            found[cause] = found.get(cause, 0) + 1
    return dict(sorted(found.items(), key=lambda entry: (-entry[1], entry[0])))


def declared_sums(report: Report) -> dict[str, int]:
    """How many households declare each total."""
    return {name: sum(one.totals[name] is not None for one in report.declared) for name in TOTALS}


def _by_peer(said: Sequence[Finding]) -> dict[str, tuple[Finding, ...]]:
    found: dict[str, tuple[Finding, ...]] = {}
    for one in said:
        found[one.peer] = (*found.get(one.peer, ()), one)
    return found


def amount_of(item: Item, said: Sequence[Finding], complete: bool) -> Amount:
    """What answers with a value say together. `said` are of one item."""
    if item.level in (Level.COUNT, Level.VALUE):
        total = sum(one.value or 0 for one in said)
        return Amount(EXACT, complete, total, total)
    if not said:
        return Amount(NOTHING, complete)
    if item.level is Level.BAND:
        bounds = item.bands
        bands = [min(one.value or 0, len(bounds)) for one in said]
        lows = [bounds[band - 1] if band else 0 for band in bands]
        highs = [bounds[band] if band < len(bounds) else None for band in bands]
        high = None if None in highs else sum(one or 0 for one in highs)
        return Amount(BANDS, complete, sum(lows), high)
    return Amount(THRESHOLD if item.level is Level.THRESHOLD else EXISTENCE, complete)


class _Answers:
    """Answers with a value, and gaps, by household and item: of a million findings few have one."""

    def __init__(self, report: Report) -> None:
        found = Findings.of(report.findings)
        self._said: dict[tuple[str, str], list[Finding]] = {}
        self._gaps: set[tuple[str, str]] = set()
        relatives = {ref for one in report.declared for ref in one.relatives}
        self.households = list(dict.fromkeys(household_of(ref) for ref in report.subjects))
        kinds = np.array(
            [1 if one.outcome in HAS else 0 if one.outcome in _NOTHING_LEFT else 2 for one in found.answers],
            dtype=np.int8,
        )
        if not len(found):
            return
        kept = kinds[np.frombuffer(found.answer, dtype=np.uintc)]
        for at in np.flatnonzero(kept).tolist():
            one = found[at]
            key = (household_of(one.subject), one.item)
            if kept[at] == 1:
                self._said.setdefault(key, []).append(one)
            elif one.subject not in relatives:
                self._gaps.add(key)

    def of(self, household: str, item: str, without: frozenset[str]) -> list[Finding]:
        """Answers with a value about the members of a household, `without` its relatives."""
        return [one for one in self._said.get((household, item), ()) if one.subject not in without]

    def is_complete(self, household: str, item: str) -> bool:
        """Whether no province left a member of the household, its relatives apart, without an answer."""
        return (household, item) not in self._gaps
