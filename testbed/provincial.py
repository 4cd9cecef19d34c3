"""What the demo's provinces have of their own: 33 its catalogue and its sources, 45 registers.

33 does without one item and counts another one by other bands. It keeps vehicles in a database with codes
of its own, and its payroll in a spreadsheet; `heqiao sources` maps both. 45 asks itself as it asks others.
"""

import csv
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from importlib import resources
from pathlib import Path

import xlsxwriter

from testbed import homes
from testbed.fingerprints import of_card
from testbed.plain_join import Answer
from testbed.processes import Children

LACKS, DIFFERS = "D34", "D32"  # in the catalogue of 33
SOURCES = ("C21", "Z59b")  # of 33: a database, a spreadsheet
_OVER_FEN = 5_000_000  # the published threshold of C23
_URL_FILE = "vehicles.url"
_BANDS = ("bounds_fen = [3_600_000, 7_200_000, 12_000_000]", "bounds_fen = [4_800_000, 9_600_000]")
_VEHICLES = """\
[source]
item = "C21"
title = "浙江省机动车登记库"

[database]
url_file = "vehicles.url"
table = "vehicles"

[columns]
id_no = "owner_id"
former_id_no = "owner_former_id"
name = "owner_name"
record_no = "plate"
value = "state"
as_of = "changed_on"

[codes.value]
"A" = "1"
"B" = "1"
"*" = "0"

[floor]
valid_share = 0.8
rejected_share = 0.2
least_rows = 10
missing = { name = 0.1 }

[schedule]
at = "03:30"
"""
_PAYROLL = """\
[source]
item = "Z59b"
title = "浙江省财政供养人员名册"

[files]
names = "payroll.xlsx"
sheet = "在编人员"
header_row = 2

[columns]
id_no = "人员证件号码"
record_no = "编制编号"

[floor]
valid_share = 0.8
rejected_share = 0.2
least_rows = 10
"""


def give_catalogue(children: Children, folder: Path) -> None:
    """33 gets a catalogue of its own, signed by the CA: without one item, with other bands for another."""
    built_in = resources.files("node.domain.catalogues").joinpath("federation-2026.toml")
    head, *blocks = built_in.read_text(encoding="utf-8").split("\n[[")
    kept = [one for one in blocks if f'code = "{LACKS}"' not in one and f'"B-{LACKS}-2026"' not in one]
    text = "\n[[".join([head, *kept])
    if text.count(_BANDS[0]) != 1:
        raise ValueError("the bands of the built-in catalogue have changed: change them here too")
    path = folder / "33" / "catalogue.toml"
    path.write_text(text.replace(*_BANDS), encoding="utf-8")
    homes.heqiao(
        children, "33-catalogue", "catalogue", "publish", path, "--dir", folder / homes.CA, "--province", "33"
    )
    config = folder / "33" / "node.toml"
    settings = config.read_text(encoding="utf-8")
    config.write_text(
        settings.replace('#path = "catalogue.toml"', 'path = "catalogue.toml"'), encoding="utf-8"
    )


def import_sources(children: Children, folder: Path) -> None:
    """Vehicles and payroll of 33 from its own tables: mapped, judged, imported."""
    home = folder / "33"
    vehicles, payroll = (list(_register(folder, item)) for item in SOURCES)
    _write_database(home, vehicles)
    _write_workbook(home / "payroll.xlsx", payroll)
    for item, text in zip(SOURCES, (_VEHICLES, _PAYROLL), strict=True):
        source = folder / f"33-{item}.toml"
        source.write_text(text, encoding="utf-8")
        homes.heqiao(children, f"33-add-{item}", "sources", "add", source, "--home", home)
    page = folder / "33-Z59b-quality.html"
    homes.heqiao(children, "33-check", "sources", "check", "Z59b", "--home", home, "--html", page)
    for item in SOURCES:
        homes.heqiao(children, f"33-{item}", "sources", "import", item, "--home", home, "--wait")


def _register(folder: Path, item: str) -> Iterator[Mapping[str, str]]:
    """The rows of a register of 33 as its department exports it."""
    (path,) = (folder / homes.FEDERATION / "33" / "registers").glob(f"*_{item}_*.csv")
    encoding = "gb18030" if item == "C21" else "utf-8-sig"
    with path.open(encoding=encoding, newline="") as file:
        yield from csv.DictReader(file)


def _write_database(home: Path, rows: Sequence[Mapping[str, str]]) -> None:
    """A table of vehicles, two in three of which have one state and the others another one, and its URL."""
    path = home / "vehicles.db"
    with closing(sqlite3.connect(path)) as base, base:
        base.execute(
            "CREATE TABLE vehicles "
            "(owner_id TEXT, owner_former_id TEXT, owner_name TEXT, plate TEXT, state TEXT, changed_on TEXT)"
        )
        names = ("身份证号", "曾用证件号码", "姓名", "号牌号码", "数据时点")
        cells = [[row[name] for name in names] for row in rows]
        table = ((*one[:4], "B" if at % 3 == 0 else "A", one[4]) for at, one in enumerate(cells))
        base.executemany("INSERT INTO vehicles VALUES (?, ?, ?, ?, ?, ?)", table)
    url = home / _URL_FILE
    url.touch(mode=0o600)
    url.write_text(f"sqlite:///{path.resolve()}\n", encoding="utf-8")


def _write_workbook(path: Path, rows: Sequence[Mapping[str, str]]) -> None:
    """A spreadsheet with a title above its headers, one of which the node does not know."""
    headers = ("证件号码", "姓名", "编制编号", "数据时点")
    shown = ["人员证件号码" if name == "证件号码" else name for name in headers]
    with xlsxwriter.Workbook(path, {"constant_memory": True, "strings_to_numbers": False}) as book:
        sheet = book.add_worksheet("在编人员")
        sheet.write_row(0, 0, ["财政供养人员名册（合成数据）"])
        sheet.write_row(1, 0, shown)
        for place, row in enumerate(rows, 2):
            sheet.write_row(place, 0, [row[name] for name in headers])


def give_own_registers(children: Children, folder: Path, people: Mapping[str, tuple[str, str]]) -> None:
    """45 imports vehicles and deposits of its own people, and asks itself like any other province.

    `people` are (identity number, name) by reference.
    """
    home, source = folder / homes.REQUESTER.code, folder / "45-registers"
    source.mkdir(exist_ok=True)
    cars, deposits = own_records(list(people))
    day = _newest_day(folder)
    rows = [(*people[ref], f"桂A{at:05}", "1", day) for at, ref in enumerate(cars)]
    _write(source / "C21.csv", ("id_no", "name", "record_no", "value", "as_of"), rows)
    rows = [(*people[ref], f"d{at}", str(fen // 100), day) for at, (ref, fen) in enumerate(deposits.items())]
    _write(source / "C23.csv", ("id_no", "name", "record_no", "amount_yuan", "as_of"), rows)
    homes.heqiao(children, "45-import", "import", "--home", home, "--all", source)
    card = folder / f"{homes.REQUESTER.code}.card"
    grants = homes.all_items(homes.REQUESTER.code)
    homes.heqiao(
        children, "45-own", "peers", "add", "--home", home, "--own", "--grant", grants, card, *of_card(card)
    )


def own_records(refs: Sequence[str]) -> tuple[list[str], dict[str, int]]:
    """Who has a vehicle in 45, and whose deposits there are how many fen; by the places of people."""
    cars = [ref for at, ref in enumerate(refs) if at % 4 == 0]
    return cars, {ref: 6_100_000 if at % 9 == 1 else 1_860_000 for at, ref in enumerate(refs) if at % 3 == 1}


def own_answer(item: str, ref: str, refs: Sequence[str]) -> Answer:
    """What 45 must answer about one of its own people."""
    cars, deposits = own_records(refs)
    if item == "C21":
        return ("FOUND", 1) if ref in cars else ("NOT_FOUND", None)
    if item == "C23":
        return ("OVER", 1) if deposits.get(ref, 0) > _OVER_FEN else ("NOT_OVER", None)
    return ("NOT_CONNECTED", None)


def _newest_day(folder: Path) -> str:
    return max(row["数据时点"] for row in _register(folder, "Z59b"))


def _write(path: Path, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
