"""What the requests of a drill came to, by step and by kind."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import median

from rich import box
from rich.console import Console
from rich.table import Table

from testbed.drill.clients import Request

KINDS = {
    "job": "persisted jobs",
    "check": "single checks",
    "sum": "sums",
    "sum job": "persisted sums",
    "sync": "syncs of mirrors",
}
MOST_EXAMPLES = 10


@dataclass(frozen=True)
class Period:
    """A step: its commands ran for `seconds`; requests count until `until`, when the next step began."""

    name: str
    began: float
    seconds: float
    until: float


@dataclass(frozen=True)
class Ban:
    """When a province had to be refused: from `known` on, certainly; not at all before `began`, after `over`.

    In between (`began` to `known`, `ends` to `over`) nodes take the list, or the new certificate, one by one.
    """

    code: str
    began: float
    known: float
    ends: float
    over: float

    def judge(self, request: Request) -> str:
        """The verdict on a request, with refusals where none was due, and answers where none was."""
        if request.verdict == "refused":
            due = request.code == self.code and request.ended >= self.began and request.began <= self.over
            return "refused" if due else "lost"
        banned = request.code == self.code and request.began >= self.known and request.ended <= self.ends
        return "wrong" if banned and request.verdict == "right" else request.verdict


@dataclass
class Count:
    """Requests of a step or a kind."""

    verdicts: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)

    def add(self, verdict: str, seconds: float) -> None:
        """One more; only the time of answers is counted."""
        self.verdicts[verdict] += 1
        if verdict in ("right", "wrong"):
            self.seconds.append(seconds)

    @property
    def requests(self) -> int:
        """All of them."""
        return self.verdicts.total()


@dataclass(frozen=True)
class Tally:
    """All requests of a drill. `examples` says of some what was wrong with them."""

    all: Count
    steps: Sequence[Count]
    checks: Sequence[Count]  # single checks by step: what a clerk waits for
    kinds: dict[tuple[str, str], Count]
    examples: Sequence[str]

    @property
    def good(self) -> bool:
        """Nothing wrong, nothing lost, and each kind of request was made."""
        verdicts = self.all.verdicts
        every = {kind for kind, _ in self.kinds} == set(KINDS)
        return every and not verdicts["wrong"] and not verdicts["lost"]

    @property
    def last_line(self) -> str:
        """The sum of it."""
        verdicts = self.all.verdicts
        return f"drill: {self.all.requests} requests, {verdicts['wrong']} wrong, {verdicts['lost']} lost"


def count(requests: Iterable[Request], periods: Sequence[Period], ban: Ban) -> Tally:
    """Each request counts in the period in which it ended."""
    steps, checks = [Count() for _ in periods], [Count() for _ in periods]
    tally = Tally(Count(), steps, checks, {}, [])
    examples: list[str] = []
    for request in sorted(requests, key=lambda one: one.ended):
        at = next((n for n, one in enumerate(periods) if request.ended < one.until), len(periods) - 1)
        verdict = ban.judge(request)
        counts = [tally.all, steps[at], tally.kinds.setdefault((request.kind, request.code), Count())]
        counts += [checks[at]] if request.kind == "check" and request.code != ban.code else []
        for each in counts:
            each.add(verdict, request.seconds)
        if verdict in ("wrong", "lost") and len(examples) < MOST_EXAMPLES:
            why = request.why or "answered, though its certificate was revoked"
            examples.append(f"{periods[at].name}: {request.kind} of {request.code} {verdict}: {why}")
    return Tally(tally.all, steps, checks, tally.kinds, examples)


def show(console: Console, tally: Tally, periods: Sequence[Period]) -> None:
    """Print the two tables, and what was wrong."""
    table = _table("step", "seconds", "requests", "wrong", "lost", "refused", "check ms", "95 of 100")
    for period, every, checks in zip(periods, tally.steps, tally.checks, strict=True):
        table.add_row(period.name, f"{period.seconds:.1f}", *_cells(every), *_times(checks))
    console.print(table)
    kinds = _table("requests", "of", "requests", "wrong", "lost", "refused", "median ms", "95 of 100")
    for (kind, code), found in sorted(tally.kinds.items()):
        kinds.add_row(KINDS.get(kind, kind), code, *_cells(found), *_times(found))
    console.print(kinds)
    for example in tally.examples:
        console.print(f"drill: {example}", markup=False, highlight=False, soft_wrap=True)


def _table(*columns: str) -> Table:
    table = Table(box=box.HORIZONTALS, pad_edge=False)
    for number, name in enumerate(columns):
        table.add_column(name, justify="right" if number > 0 else "left")
    return table


def _cells(found: Count) -> list[str]:
    return [f"{found.requests:,}", *(str(found.verdicts[one]) for one in ("wrong", "lost", "refused"))]


def _times(found: Count) -> list[str]:
    if not found.seconds:
        return ["", ""]
    ordered = sorted(found.seconds)
    high = ordered[min(int(0.95 * len(ordered)), len(ordered) - 1)]
    return [f"{1e3 * median(ordered):,.0f}", f"{1e3 * high:,.0f}"]
