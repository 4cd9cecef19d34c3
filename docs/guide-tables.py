"""Write what guide-province.md begins with: two tables of 51 and a household's list and mandates of 45.

usage: guide-tables.py HOME_OF_51     (the lists of 45 are written into the current folder)

All people are synthetic: their county code ends in 9999, which no county has.
"""

import csv
import hashlib
import random
import sqlite3
import sys
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path

import xlsxwriter

from node.clock import utc_now
from node.domain.days import china_day
from synth.numbers import NumberBook, check_character

PEOPLE, DEPOSITORS = 400, 300
BORN, YEAR = date(1971, 1, 1), timedelta(days=365)
SURNAMES, GIVEN = "韦陆覃黄莫", "安平宁和清远明德"


def main() -> None:
    """Write all of it."""
    home, today = Path(sys.argv[1]), china_day(utc_now())
    people = list(draw_people())
    write_vehicles(home, people, today)
    write_deposits(home / "deposits.xlsx", people)
    write_lists(people[:2], today)


def draw_people() -> Iterator[tuple[str, str]]:
    """(identity number, name): men and women of 45 who may own something in 51."""
    numbers = NumberBook(random.Random(51))  # noqa: S311 - the same people each time
    for at in range(PEOPLE):
        born = BORN + YEAR * (at % 40) + timedelta(days=at)
        yield (
            numbers.draw_resident("45", born, male=at % 2 == 0),
            f"{SURNAMES[at % 5]}{GIVEN[at % 8]}{GIVEN[at % 7]}",
        )


def write_vehicles(home: Path, people: Sequence[tuple[str, str]], today: date) -> None:
    """The traffic police's table: three cars of the first person, one of each other, every tenth scrapped."""
    rows = [
        (number, name, f"川A{at:05}", "C" if at % 10 == 9 else "A", (today - timedelta(days=9)).isoformat())
        for at, (number, name) in enumerate([people[0]] * 2 + list(people))
    ]
    with sqlite3.connect(home / "traffic.db") as table:
        table.execute("DROP TABLE IF EXISTS vehicles")
        table.execute("CREATE TABLE vehicles (owner_id, owner, plate, state, changed_on)")
        table.executemany("INSERT INTO vehicles VALUES (?, ?, ?, ?, ?)", rows)
    table.close()
    address = home / "vehicles.url"
    address.touch(mode=0o600)
    address.write_text(f"sqlite:///{(home / 'traffic.db').resolve()}\n", encoding="utf-8")


def write_deposits(path: Path, people: Sequence[tuple[str, str]]) -> None:
    """The bank's sheet, in 万元, with a title above its headers; the second person is over the limit."""
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("余额")
        sheet.write_row(0, 0, ("省农信联社存款余额",))
        sheet.write_row(1, 0, ("存款人证件", "户名", "账号", "期末余额"))
        for at, (number, name) in enumerate(people[:DEPOSITORS]):
            sheet.write_row(at + 2, 0, (number, name, f"6217{at:08}", 8.5 if at == 1 else 0.25 * (at % 20)))


def write_lists(people: Sequence[tuple[str, str]], today: date) -> None:
    """The household of the first two people, what it declares, and the form that both signed."""
    shared = ("100", "SQ2026000", "459999000000")
    rows = [
        (shared[0], member, shared[1], shared[2], name, number, *declared)
        for member, ((number, name), declared) in enumerate(
            zip(people, (("1800000", "0"), ("", "")), strict=True), 1
        )
    ]
    header = (
        "household_no", "member_no", "application_no", "office", "name", "id_no", "declared_income_fen",
        "declared_C21",
    )  # fmt: skip
    write(Path("households.csv"), header, rows)
    form = f"459999{today:%Y%m%d}0100001"
    mandate = {
        "mandate_no": form + check_character(form),
        "office": shared[2],
        "people": ";".join(number for number, _ in people),
        "programme": "new_application",
        "scope_items": "*",
        "scope_regions": "*",
        "valid_from": today.isoformat(),
        "valid_to": (today + YEAR).isoformat(),
        "signers": ";".join(name for _, name in people),
        "doc_hash": hashlib.sha256(form.encode()).hexdigest(),
        "household_no": shared[0],
        "application_no": shared[1],
        "matter": "01",
    }
    write(Path("mandates.csv"), tuple(mandate), [tuple(mandate.values())])


def write(path: Path, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """One CSV file."""
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])


if __name__ == "__main__":
    main()
