"""`heqiao sources`: kept, checked against a floor, imported whole or by changes; secrets stay secret."""

import json
import sqlite3
from contextlib import closing

import pytest

from tests.support.cli_runner import heqiao, ok
from tests.support.import_runs import opened, stored
from tests.support.sheets import write_xlsx
from tests.support.single_node import number

SECRET = "hunter2-secret"
FILES = """
[source]
item = "C21"
title = "车管所"
[files]
names = "cars.xlsx"
sheet = "登记"
header_row = 2
[columns]
id_no = "车主证件"
value = "状态"
[codes.value]
"正常" = "1"
"注销" = "0"
"""
QUERY = """
[source]
item = "C21"
[database]
url_file = "cars.url"
table = "cars"
watermark = "changed_at"
full_days = 30
[columns]
id_no = "owner"
record_no = "plate"
"""


@pytest.fixture
def home(place):
    return place / "44"


def run(home, *words, code=0, text=""):
    ended, out, err = heqiao("sources", words[0], "--home", home, "--json", *words[1:])
    assert ended == code, err
    assert "Traceback" not in err
    for shown in (out, err):
        assert SECRET not in shown
        assert not any(number(at) in shown for at in range(40))
    assert text in err
    return json.loads(out) if out else None


def add(home, text, *options, code=0, said=""):
    path = home.parent / "source.toml"
    path.write_text(text, encoding="utf-8")
    return run(home, "add", path, *options, code=code, text=said)


def cars(home, rows):
    def change(_book, page):
        page.insert_rows(1)
        page["A1"] = "机动车登记表"
        page.merge_cells("A1:C1")

    head = ("车主证件", "号牌号码", "状态")
    write_xlsx(home / "cars.xlsx", [head, *rows], sheet="登记", change=change)


def held(home):
    """What of C21 was imported, and how often."""
    with opened(home.parent) as tx:
        found = tx.exec_driver_sql("SELECT mode, tally FROM imports WHERE item = 'C21' ORDER BY id").all()
    return [(mode, json.loads(tally)["accepted"]) for mode, tally in found]


def test_from_a_spreadsheet_of_ones_own_to_an_item(home):
    cars(home, [(number(at), f"粤A{at}", "正常" if at % 2 else "注销") for at in range(40)])
    assert add(home, FILES) == {"item": "C21", "replaced": False}
    kept = home / "sources" / "C21.toml"
    assert (kept.stat().st_mode & 0o777, kept.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert kept.read_text(encoding="utf-8") == FILES
    page = home.parent / "quality.html"
    found = run(home, "check", "C21", "--html", page)
    assert (found["ok"], found["rows"], found["usable"], found["below_floor"]) == (True, 40, 40, [])
    assert (found["unknown_county"], found["unknown_area"], found["county_not_then"]) == (40, 0, 0)
    shown = page.read_text(encoding="utf-8")
    assert ("<script" in shown, "http" in shown.replace("http-equiv", ""), "机动车" in shown) == (
        False,
        False,
        True,
    )
    assert number(1) not in shown
    assert found["report"] == 1
    done = run(home, "import", "C21")
    assert (done["state"], done["accepted"], done["records"], done["withheld"]) == ("imported", 40, 40, 20)
    kept = run(home, "reports", "C21")
    assert kept["total"] == 2
    assert [(one["report"], one["run"], one["result"]) for one in kept["reports"]] == [
        (2, "import", "good"),
        (1, "check", "good"),
    ]
    (listed,) = run(home, "list")["sources"]
    assert (listed["item"], listed["title"], listed["kind"]) == ("C21", "车管所", "files")
    assert (listed["last"]["state"], listed["last"]["rows"], listed["watermark"]) == ("imported", 40, None)
    assert run(home, "remove", "C21") == {"removed": "C21"}
    assert (run(home, "list"), list((home / "sources").iterdir())) == ({"sources": []}, [])
    run(home, "import", "C21", code=1, text="no source of C21")


def test_a_code_list_needs_its_column(home):
    cars(home, [(number(1), "粤A1", "正常")])
    add(home, FILES.replace('value = "状态"\n', ""))
    run(home, "check", "C21", code=1, text="no column for value")


def test_below_the_floor_nothing_is_published(home):
    cars(home, [(number(at), f"粤A{at}", "正常" if at else "报废") for at in range(10)])
    add(home, FILES)
    before = stored(home.parent)
    found = run(home, "check", "C21", code=1, text="below its floor")
    assert found["reasons"] == {"unknown_code": 1}
    assert [one["rule"] for one in found["below_floor"]] == ["rejected_share"]
    run(home, "import", "C21", code=1, text="rejected_share: 0.1000, allowed 0.0500 or less")
    assert stored(home.parent) == before
    kept = run(home, "reports")["reports"]
    assert [(one["run"], one["result"], one["reasons"]) for one in kept] == [
        (name, "below_floor", {"unknown_code": 1}) for name in ("import", "check")
    ]
    (listed,) = run(home, "list")["sources"]
    assert (listed["last"]["state"], listed["last"]["code"]) == ("failed", "bad_input")
    add(home, FILES + "[floor]\nrejected_share = 0.1\n", code=1, said="there is a source of C21 already")
    add(home, FILES + "[floor]\nrejected_share = 0.1\n", "--replace")
    assert run(home, "import", "C21")["accepted"] == 9


def test_what_is_kept_of_a_file_without_headers_names_nobody(home):
    """The message says which headers there are; here they are a person's."""
    write_xlsx(home / "cars.xlsx", [("", "", ""), (number(1), "粤A1", "正常")], sheet="登记")
    add(home, FILES)
    heqiao("sources", "check", "--home", home, "C21")
    kept = run(home, "reports", "C21")
    (only,) = kept["reports"]
    assert (only["result"], only["rows"], "problems" in only) == ("unreadable", 0, False)
    shown = ok("sources", "reports", "--home", home, "--number", only["report"])
    assert number(1) not in shown + (home / "heqiao.db").read_bytes().decode("latin-1")
    assert run(home, "reports", "D32") == {"reports": [], "total": 0}
    run(home, "reports", "--number", "9", code=1, text="no quality report 9")
    run(home, "reports", "C99", code=1, text="no item C99")


def test_a_kept_report_reads_as_it_did(home):
    cars(home, [(number(at), f"粤A{at}", "正常" if at else "报废") for at in range(10)])
    add(home, FILES)
    _, out, _ = heqiao("sources", "check", "--home", home, "C21")
    shown = ok("sources", "reports", "--home", home, "--number", "1")
    assert "Below the floor" in shown
    first = out.splitlines()
    assert [line for line in first if not line.startswith("kept as")] == shown.splitlines()
    assert "floor" in ok("sources", "reports", "--home", home)


FAULTS = [
    (FILES.replace("C21", "C99", 1), "no item C99"),
    (FILES.replace("cars.xlsx", "none.xlsx"), "no file matches none.xlsx"),
    (FILES.replace('value = "状态"', 'amount_yuan = "余额"'), "amount_yuan: is not read of C21"),
    (FILES.replace("[codes.value]", "[codes.name]"), "only id_type and value can have a code list"),
    (FILES + "[floor]\nvalid_share = 2\n", "[floor] valid_share"),
    (FILES + '[schedule]\nat = "3:30"\n', "[schedule] at: a time of day"),
    (FILES + f'[database]\nurl = "postgresql://a:{SECRET}@h/d"\n', "[database] url: unknown key"),
    (QUERY.replace('"cars.url"', f'"postgresql://a:{SECRET}@h/d"'), "never the URL itself"),
    (
        QUERY.replace('url_file = "cars.url"', f'url_variable = "postgresql://a:{SECRET}@h/d"'),
        "environment variable",
    ),
    (QUERY.replace('id_no = "owner"\n', ""), "watermark needs id_no"),
    (QUERY.replace('"cars"', '"cars; DROP TABLE x"'), "[database] table"),
    ("x = 1", "[source]: missing"),
    ("= 1", "not TOML"),
]


@pytest.mark.parametrize(("text", "said"), FAULTS, ids=[said for _, said in FAULTS])
def test_what_is_no_source_is_not_kept(home, text, said):
    cars(home, [(number(1), "粤A1", "正常")])
    add(home, text, code=1, said=said)
    assert not (home / "sources").exists()


def fill(home, rows):
    with closing(sqlite3.connect(home / "cars.db")) as base:
        base.execute("CREATE TABLE IF NOT EXISTS cars (owner TEXT, plate TEXT PRIMARY KEY, changed_at TEXT)")
        base.executemany("INSERT OR REPLACE INTO cars VALUES (?, ?, ?)", rows)
        base.commit()


@pytest.fixture
def database(home):
    url = home / "cars.url"
    url.touch(0o600)
    url.write_text(f"sqlite:///file:{home}/cars.db?uri=true&{SECRET}=1", encoding="utf-8")
    fill(home, [(number(at // 2), f"A{at}", f"2026-06-{1 + at // 2:02} 08:00:00") for at in range(40)])
    return home


def test_only_people_with_changed_rows_are_imported_again(database):
    home = database
    add(home, QUERY)
    assert run(home, "import", "C21")["mode"] == "full"
    assert run(home, "import", "C21") == {"item": "C21", "state": "unchanged"}
    # One row of a person with two, and a new person; those at the watermark are read again.
    fill(home, [(number(3), "A6", "2026-06-25 08:00:00"), (number(30), "B1", "2026-06-26 08:00:00")])
    done = run(home, "import", "C21")
    assert (done["mode"], done["read"], done["records"]) == ("upsert", 2 + 1 + 2, 3)
    assert done["changes"]["added"] == 1
    (listed,) = run(home, "list")["sources"]
    assert (listed["kind"], listed["watermark"]) == ("changes", "2026-06-26 08:00:00")
    assert run(home, "import", "C21", "--full")["mode"] == "full"
    assert held(home) == [("full", 40), ("upsert", 5), ("full", 41)]


def test_a_deleted_row_with_the_greatest_watermark_is_no_fault(database):
    home = database
    add(home, QUERY)
    run(home, "import", "C21")
    with closing(sqlite3.connect(home / "cars.db")) as base:
        base.execute("DELETE FROM cars WHERE changed_at > '2026-06-19'")
        base.commit()
    assert run(home, "import", "C21") == {"item": "C21", "state": "unchanged"}
    fill(home, [(number(1), "A2", "2026-06-27 08:00:00"), ("1", "X", "2026-06-27 08:00:00")])
    done = run(home, "import", "C21")
    assert (done["read"], done["rejected"], done["changes"]["removed"]) == (3, 1, 0)


def test_another_import_in_between_or_another_file_makes_the_next_a_full_one(database):
    home = database
    add(home, QUERY)
    run(home, "import", "C21")
    other = home.parent / "C21.csv"
    other.write_text(f"id_no,record_no\n{number(1)},X\n", encoding="utf-8")
    assert heqiao("import", "--home", home, "C21", other)[0] == 0
    assert run(home, "import", "C21")["mode"] == "full"
    add(home, QUERY + "[rows]\nkeep_zeros = true\n", "--replace")
    assert run(home, "import", "C21")["mode"] == "full"
    (home / "sources" / "C21.state.json").write_text("broken", encoding="utf-8")
    assert run(home, "import", "C21")["mode"] == "full"


def test_a_watermark_is_no_text_and_former_numbers_need_a_full_import(database):
    home = database
    add(home, QUERY.replace('"changed_at"', '"plate"'))
    run(home, "import", "C21", code=1, text="neither a number, a date nor a time")
    add(home, QUERY.replace('"changed_at"', '"changed"'), "--replace")
    run(home, "import", "C21", code=1, text="no column changed")
    former = "query = \"SELECT owner, plate, changed_at, '' AS 曾用证件号码 FROM cars\""
    add(home, QUERY.replace('table = "cars"', former), "--replace")
    assert run(home, "import", "C21")["mode"] == "full"
    fill(home, [(number(30), "B1", "2026-06-26 08:00:00")])
    run(home, "import", "C21", code=1, text="by its changes alone")


def test_the_url_may_be_in_an_environment_variable(database, monkeypatch):
    home = database
    add(home, QUERY.replace('url_file = "cars.url"', 'url_variable = "CARS_URL"'))
    run(home, "check", "C21", code=1, text="CARS_URL is not set")
    monkeypatch.setenv("CARS_URL", (home / "cars.url").read_text(encoding="utf-8"))
    assert run(home, "check", "C21")["rows"] == 40


def test_a_source_that_others_may_read_is_not_used(home):
    cars(home, [(number(1), "粤A1", "正常")])
    add(home, FILES)
    (home / "sources" / "C21.toml").chmod(0o644)
    run(home, "check", "C21", code=1, text="open to other accounts")
    (listed,) = run(home, "list")["sources"]
    assert "open to other accounts" in listed["error"]
