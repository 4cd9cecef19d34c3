"""`make demo-watch`: a quarter later, three changes at two provinces, three alerts, nothing else.

    python -m testbed.demo_watch

Three provinces with real certificates; everything is done with the `heqiao` command. The alerts are held
against the changes of the registers, which are compared here in the clear (not allowed with real data).
"""

import argparse
import csv
import json
import random
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from node.clock import utc_now
from node.domain.days import china_day
from synth.numbers import NumberBook
from testbed import homes
from testbed.folder import exit_code, own_folder, step
from testbed.processes import Children

NAME = "demo-watch"
LIST = "county-459999"
PEOPLE = 60
STRANGERS = 40  # people of the registers who are on no list
SHOWN = ("Z59b", "C21", "C23")
QUARTER = timedelta(days=92)
_YUAN_OVER = "60000"  # C23 is a threshold of 50,000 yuan
_THRESHOLDS = """\
version = "2026-1"
set_by = "广西民政厅 低收入人口动态监测专家组"
valid_from = {today}

[[rule]]
item = "C21"
when = "appears"
zh = "名下出现机动车"
en = "a vehicle where there was none"

[[rule]]
item = "C21"
when = "count_rises"
by = 2
zh = "名下机动车增加两辆以上"
en = "two vehicles more, or more than that"

[[rule]]
item = "Z59b"
when = "disappears"
zh = "不再由财政供养"
en = "no longer on the public payroll"

[[rule]]
item = "C23"
when = "threshold_passes"
zh = "存款超限"
en = "deposits over the limit"
"""


@dataclass(frozen=True)
class Registers:
    """What the two provinces hold at one time: cars of 44, payroll and deposits over the limit of 33."""

    day: date
    cars: Mapping[str, int]
    payroll: frozenset[str]
    over: frozenset[str]


def main() -> int:
    """Run the demo; the exit code: 0, 1 for a failure, 130 for Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m testbed.demo_watch", description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=Path(NAME), help=f"default: {NAME}")
    options = parser.parse_args()
    return exit_code(NAME, lambda: run(options.folder))


def run(folder: Path) -> int:
    """Make everything in `folder`, watch, compare, print; 0 only if the alerts are the plain changes."""
    numbers = NumberBook(random.Random(2026))
    born = date(1980, 1, 1)
    people = [numbers.draw_resident("45", born + timedelta(days=at), at % 2 == 0) for at in range(PEOPLE)]
    others = [numbers.draw_resident("45", born - timedelta(days=at), True) for at in range(1, STRANGERS)]
    before, after = make_registers(people, others, china_day(utc_now()))
    with (
        own_folder(folder, NAME, fresh=True),
        homes.free_ports() as shift,
        Children(folder / homes.LOGS) as children,
    ):
        with step(NAME, "making three homes, the registers and the list"):
            homes.make_federation(children, folder, shift)
            homes.configure(folder / homes.REQUESTER.code, {"mirror_sync_hours": "0"})
            write_list(folder, people, before.day)
        with step(NAME, "importing the registers of 44 and 33"):
            bring(children, folder, before)
        homes.serve(children, folder)
        with step(NAME, f"45 watches {PEOPLE} people: the first look asks, and keeps their tokens"):
            first = watch(children, folder)
        asked = count_queries(children, folder)
        with step(NAME, "a quarter later: new registers, mirrors brought up to date, looked at at home"):
            bring(children, folder, after)
            own = ("--home", folder / homes.REQUESTER.code, "--json")
            homes.heqiao(children, "sync", "mirror", "sync", *own)
            homes.heqiao(children, "run", "watch", "run", LIST, *own)
            homes.heqiao(children, "again", "watch", "run", LIST, *own)
        told = json.loads(homes.heqiao(children, "alerts", "watch", "alerts", "list", *own))
        quiet = count_queries(children, folder) == asked
    alerts = told["alerts"]
    show(alerts)
    return judge(alerts, expected(people, before, after), quiet=quiet, first=first)


def make_registers(people: Sequence[str], others: Sequence[str], today: date) -> tuple[Registers, Registers]:
    """The registers of a quarter ago and of now: of what changed, three changes meet a threshold."""
    cars = {**{one: 1 + at % 2 for at, one in enumerate(people[:12])}, **dict.fromkeys(others[:20], 1)}
    payroll, over = frozenset((*people[12:18], *others[20:30])), frozenset((*people[18:22], *others[:5]))
    before = Registers(today - QUARTER, cars, payroll, over)
    later = dict(cars)
    later[people[30]] = 1  # a vehicle where there was none: an alert
    later[people[0]] = 3  # two more: an alert
    later[people[2]] = 2  # one more
    later[people[3]] = 1  # one less
    del later[people[4]]  # sold
    later[others[25]] = 4  # of somebody who is on no list
    gone = payroll - {people[12]} | {people[40]}  # one who leaves: an alert; one who comes
    after = Registers(today - timedelta(days=2), later, gone, over - {others[0]} | {others[9]})
    return before, after


def expected(people: Sequence[str], before: Registers, after: Registers) -> set[tuple[str, str, str, str]]:
    """(person, item, province, change) that meet the thresholds, in the clear."""
    found = set()
    for place, one in enumerate(people):
        ref, had, has = f"{place:03}/1", before.cars.get(one, 0), after.cars.get(one, 0)
        if has and not had:
            found.add((ref, "C21", "44", "appears"))
        elif had and has - had >= 2:
            found.add((ref, "C21", "44", "count_rises"))
        if one in before.payroll and one not in after.payroll:
            found.add((ref, "Z59b", "33", "disappears"))
        if one in after.over and one not in before.over:
            found.add((ref, "C23", "33", "threshold_passes"))
    return found


def bring(children: Children, folder: Path, registers: Registers) -> None:
    """Both provinces import their registers of one time."""
    day, source = registers.day.isoformat(), folder / "registers"
    source.mkdir(exist_ok=True)
    cars = [(one, str(number), "c", day) for one, number in registers.cars.items()]
    write(source / "C21.csv", ("id_no", "value", "record_no", "as_of"), cars)
    payroll = [(one, "1", "p", day) for one in sorted(registers.payroll)]
    write(source / "Z59b.csv", ("id_no", "value", "record_no", "as_of"), payroll)
    over = [(one, _YUAN_OVER, "d", day) for one in sorted(registers.over)]
    write(source / "C23.csv", ("id_no", "amount_yuan", "record_no", "as_of"), over)
    places = {"C21": "44", "Z59b": "33", "C23": "33"}

    def of(code: str) -> None:
        for item in (item for item, place in places.items() if place == code):
            command = ("import", item, source / f"{item}.csv", "--home", folder / code, "--wait")
            homes.heqiao(children, f"{code}-{item}", *command)

    children.together(lambda: of("44"), lambda: of("33"))


def write_list(folder: Path, people: Sequence[str], day: date) -> None:
    """The list of 45, a household for each person, and a mandate for each that covers monitoring."""
    rows = [(f"{at:03}", "1", one, f"M{at:03}") for at, one in enumerate(people)]
    write(folder / "households.csv", ("household_no", "member_no", "id_no", "mandate_no"), rows)
    header = (
        "mandate_no", "office", "people", "programme", "scope_items", "scope_regions", "valid_from",
        "valid_to", "signers", "doc_hash",
    )  # fmt: skip
    until = (day + timedelta(days=730)).isoformat()
    mandates = [
        (f"M{at:03}", "459999000000", one, "monitoring", "*", "*", day.isoformat(), until, "张三", "ab" * 32)
        for at, one in enumerate(people)
    ]
    write(folder / "mandates.csv", header, mandates)


def write(path: Path, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """One CSV file."""
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])


def watch(children: Children, folder: Path) -> bool:
    """Set the thresholds and add the list; whether the first look ended well."""
    home, rules = folder / homes.REQUESTER.code, folder / "thresholds.toml"
    rules.write_text(_THRESHOLDS.format(today=china_day(utc_now())), encoding="utf-8")
    homes.heqiao(children, "thresholds", "watch", "thresholds", "set", rules, "--home", home)
    told = homes.heqiao(
        children, "add", "watch", "add", LIST, "--home", home, "--households", folder / "households.csv",
        "--items", ",".join(SHOWN), "--peers", "44,33", "--legal-basis", "SA-2026-46", "--json",
    )  # fmt: skip
    return bool(json.loads(told)["state"] == "done")


def count_queries(children: Children, folder: Path) -> int:
    """How many queries about people the two provinces were asked, by their audit chains."""
    found = 0
    for province in homes.PROVIDERS:
        home = folder / province.code
        lines = homes.heqiao(children, f"{province.code}-audit", "audit", "list", "--home", home).splitlines()
        found += sum(json.loads(line)["event"] == "query_answered" for line in lines)
    return found


def show(alerts: Sequence[Mapping[str, Any]]) -> None:
    """The alerts as a table."""
    table = Table(
        "person", "item", "province", "before", "now", "cause 原因",
        title="alerts 监测预警", title_justify="left", box=box.HORIZONTALS, pad_edge=False,
    )  # fmt: skip
    for one in alerts:
        said = [
            f"{each['outcome']} {each['value'] or ''}\n{each['as_of'] or ''}".rstrip()
            for each in (one["before"], one["now"])
        ]
        texts = [str(one[name]) for name in ("person", "item", "peer")]
        table.add_row(*texts, *said, f"{one['cause']['zh']}\n{one['cause']['en']}")
    Console().print(table)


def judge(
    alerts: Sequence[Mapping[str, Any]],
    right: set[tuple[str, str, str, str]],
    *,
    quiet: bool,
    first: bool,
) -> int:
    """0 if the alerts are the changes of the registers, each once, and the later looks asked nothing."""
    found = [tuple(str(one[name]) for name in ("person", "item", "peer", "change")) for one in alerts]
    good = first and quiet and len(found) == len(set(found)) == 3 and set(found) == right
    if not quiet:
        print(f"{NAME}: error: a later look asked the provinces", file=sys.stderr)
    if set(found) != right or len(found) != len(set(found)):
        print(f"{NAME}: error: due were {sorted(right)}", file=sys.stderr)
    print(
        f"{NAME}: {len(found)} alerts at {len({one[2] for one in found})} provinces, "
        f"{len(right)} changes that meet a threshold; the later looks asked nothing: {quiet}",
        flush=True,
    )
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
