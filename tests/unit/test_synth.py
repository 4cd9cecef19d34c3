"""Federations on disk: same bytes, exact figures, counted faults; the files are read by code of their own."""

import csv
import hashlib
import json
import sqlite3
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pytest

from node.errors import ConfigError, InputError
from node.synth import Scenario, choose_scenario, write_federation

TODAY = date(2026, 7, 15)
NUMBER_COLUMNS = ("证件号码", "身份证号", "公民身份号码", "id_no")
FORMER_COLUMNS = ("曾用证件号码", "former_id_no")
RECORD_COLUMNS = (
    "号牌号码", "不动产单元号", "统一社会信用代码", "账号", "编制编号", "公积金账号", "社保编号",
)  # fmt: skip
MONEY_COLUMNS = ("余额(元)", "缴费基数(元)")


# ---- a reader of its own: decode, normalise, collect


def decode(path: Path) -> str:
    data = path.read_bytes()
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("gb18030")


def rows(path: Path) -> Iterator[dict[str, str]]:
    yield from csv.DictReader(decode(path).splitlines())


def pick(row: dict[str, str], names: tuple[str, ...]) -> str:
    return next((row[name] for name in names if name in row), "")


def canonical(raw: str) -> str:
    """The canonical number, or nothing if its check character is wrong."""
    text = unicodedata.normalize("NFKC", raw).strip().upper()
    if len(text) == 15 and text.isdigit():
        text = text[:6] + "19" + text[6:] + "?"
        text = text[:17] + remainder_digit(text[:17])
    if text[:3].isalpha():
        return text
    date(int(text[6:10]), int(text[10:12]), int(text[12:14]))
    return text if remainder_digit(text[:17]) == text[17] else ""


def remainder_digit(first17: str) -> str:
    weights = [2**power % 11 for power in range(17, 0, -1)]
    total = sum(int(digit) * weight for digit, weight in zip(first17, weights, strict=True))
    return "10X98765432"[total % 11]


def fen(text: str) -> int:
    yuan, cents = text.split(".")
    assert len(cents) == 2
    return int(yuan) * 100 + int(cents)


@dataclass
class Held:
    """What one number has of one item in one province, from the register file."""

    records: dict[str, int] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)


def plain_name(name: str) -> str:
    text = unicodedata.normalize("NFKC", name)
    return "".join(text.split()).replace("·", "").replace("•", "")


def read_registers(folder: Path, province: str) -> dict[str, dict[str, list[tuple[frozenset[str], Held]]]]:
    """item -> number -> groups: rows that share a number are one person."""
    items: dict[str, dict[str, list[tuple[frozenset[str], Held]]]] = {}
    for path in sorted((folder / province / "registers").iterdir()):
        links: dict[str, set[str]] = defaultdict(set)
        held: dict[str, Held] = defaultdict(Held)
        for row in rows(path):
            number = canonical(pick(row, NUMBER_COLUMNS))
            if not number:
                continue
            for other in filter(None, pick(row, FORMER_COLUMNS).split(";")):
                links[number].add(canonical(other))
                links[canonical(other)].add(number)
            amount = pick(row, MONEY_COLUMNS)
            held[number].records[pick(row, RECORD_COLUMNS)] = fen(amount) if amount else 0
            held[number].names.add(plain_name(row["姓名"]))
        items[path.name.split("_")[1]] = group(links, held)
    return items


def group(links: dict[str, set[str]], held: dict[str, Held]) -> dict[str, list[tuple[frozenset[str], Held]]]:
    groups: dict[str, list[tuple[frozenset[str], Held]]] = {}
    for number in list(held):
        if number in groups:
            continue
        numbers = {number} | links.get(number, set())
        numbers |= {more for one in numbers for more in links.get(one, set())}
        together = Held()
        for one in numbers:
            if one in held:
                together.records |= held[one].records
                together.names |= held[one].names
        for one in numbers:
            groups.setdefault(one, []).append((frozenset(numbers), together))
    return groups


def read_subjects(folder: Path, requester: str) -> list[tuple[str, tuple[str, ...], str, bool]]:
    """Reference, numbers, name and whether the mandate covers, of the rows with a valid number."""
    mandates = {row["mandate_no"]: row for row in rows(folder / requester / "mandates.csv")}
    subjects = []
    for row in rows(folder / requester / "households.csv"):
        cells = list(row.values())
        household, member, _, name, _, number, former, mandate = cells
        if canonical(number):
            numbers = dict.fromkeys(filter(None, (canonical(number), canonical(former) if former else "")))
            reference = f"{household}/{member}"
            subjects.append((reference, tuple(numbers), plain_name(name), covers(mandates[mandate])))
    return subjects


def covers(mandate: dict[str, str]) -> bool:
    return (
        mandate["valid_from"] <= TODAY.isoformat() <= mandate["valid_to"]
        and not mandate["revoked_at"]
        and (mandate["scope_items"] == "*" or "C21" in mandate["scope_items"].split(";"))
        and (mandate["scope_regions"] == "*" or "44" in mandate["scope_regions"].split(";"))
    )


def figures_of_files(folder: Path, scenario: Scenario) -> dict[str, int]:
    """The figures again, from the written lists and registers alone."""
    subjects = [s for s in read_subjects(folder, scenario.requester) if s[3]]
    owners: dict[str, Counter[str]] = defaultdict(Counter)
    for province in scenario.providers:
        items = read_registers(folder, province)
        for reference, numbers, name, _ in subjects:
            for item, groups in items.items():
                found = {id(held): held for number in numbers for _, held in groups.get(number, ())}
                same = [held for held in found.values() if name in held.names]
                if item == "C23":
                    owners[item][reference] += sum(sum(held.records.values()) > 5_000_000 for held in same)
                else:
                    owners[item][reference] += sum(len(held.records) for held in same)
    people = {item: {ref for ref, count in counts.items() if count} for item, counts in owners.items()}
    assets = people["Z59b"] | people["C21"] | people["C22"] | people["B12r"]
    assert people["C23"] <= assets
    return {
        "payroll": len(people["Z59b"]),
        "vehicle_owners": len(people["C21"]),
        "vehicles": owners["C21"].total(),
        "dwelling_owners": len(people["C22"]),
        "businesses": len(people["B12r"]),
        "any_asset": len(assets),
        "over_deposit": len(people["C23"]),
    }


def figures_of_truth(folder: Path) -> dict[str, int]:
    """The figures by plain SQL over the truth."""
    base = sqlite3.connect(":memory:")
    base.execute("CREATE TABLE s (ref, number, name)")
    base.execute("CREATE TABLE h (number, province, item, records INTEGER, fen INTEGER, name)")
    for row in rows(folder / "truth" / "subjects.csv"):
        if row["valid"] == row["mandated"] == "1":
            numbers = filter(None, (row["current"], row["former"]))
            base.executemany(
                "INSERT INTO s VALUES (?, ?, ?)", [(row["subject"], n, row["name"]) for n in numbers]
            )
    base.executemany(
        "INSERT INTO h VALUES (?, ?, ?, ?, ?, ?)",
        (list(row.values())[:6] for row in rows(folder / "truth" / "holdings.csv")),
    )
    base.execute("CREATE INDEX n ON h (number)")
    base.execute(
        "CREATE TABLE x AS SELECT ref, item, province, sum(records) AS records, sum(fen) AS fen "
        "FROM s JOIN h USING (number) WHERE s.name = h.name GROUP BY ref, item, province"
    )

    def count(what: str, where: str) -> int:
        return int(base.execute(f"SELECT {what} FROM x WHERE {where}").fetchone()[0])

    people = "count(DISTINCT ref)"
    result = {
        "payroll": count(people, "item = 'Z59b'"),
        "vehicle_owners": count(people, "item = 'C21'"),
        "vehicles": count("sum(records)", "item = 'C21'"),
        "dwelling_owners": count(people, "item = 'C22'"),
        "businesses": count(people, "item = 'B12r'"),
        "any_asset": count(
            people, "item IN ('Z59b', 'C21', 'C22', 'B12r') OR (item = 'C23' AND fen > 5000000)"
        ),
        "over_deposit": count(people, "item = 'C23' AND fen > 5000000"),
    }
    base.close()
    return result


def digests(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def planted_figures(scenario: Scenario) -> dict[str, int]:
    plan = scenario.figures
    return {
        "payroll": plan.payroll,
        "vehicle_owners": plan.vehicle_owners,
        "vehicles": plan.vehicles,
        "dwelling_owners": plan.dwelling_owners,
        "businesses": plan.businesses,
        "any_asset": plan.any_asset,
        "over_deposit": plan.over_deposit,
    }


# ---- the federations


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("synth") / "small"
    write_federation(choose_scenario("small"), folder, 2026, TODAY)
    return folder


@pytest.fixture(scope="module")
def mashan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole list; of the registers only a little beyond it, which changes no figure."""
    folder = tmp_path_factory.mktemp("synth") / "mashan"
    write_federation(choose_scenario("mashan", rows_scale=0.02), folder, 2026, TODAY, 0.02)
    return folder


MASHAN_FIGURES = {
    "payroll": 343,
    "vehicle_owners": 2_454,
    "vehicles": 2_645,
    "dwelling_owners": 43,
    "businesses": 439,
    "any_asset": 3_119,
    "over_deposit": 512,
}


def test_mashan_truth_holds_the_figures(mashan: Path) -> None:
    assert figures_of_truth(mashan) == MASHAN_FIGURES


def test_mashan_files_hold_the_figures(mashan: Path) -> None:
    assert figures_of_files(mashan, choose_scenario("mashan")) == MASHAN_FIGURES


def test_mashan_list_has_20_000_valid_people(mashan: Path) -> None:
    subjects = read_subjects(mashan, "45")
    assert len(subjects) == 20_000
    assert len({reference for reference, *_ in subjects}) == 20_000
    numbers = [number for _, numbers, _, _ in subjects for number in numbers]
    assert len(numbers) == len(set(numbers))
    assert sum(not covered for *_, covered in subjects) == 25
    assert sum(1 for _ in rows(mashan / "45" / "households.csv")) == 20_007


def test_mashan_plants_every_peculiarity(mashan: Path) -> None:
    counts = json.loads((mashan / "synth.json").read_text(encoding="utf-8"))
    assert all(count > 0 for count in counts["planted"].values())
    assert set(counts["planted"]) == {
        "both_numbers", "current_only", "deposits_at_threshold", "former_only", "holdings_without_mandate",
        "joint_dwellings", "linked_numbers", "names_differing", "split_numbers", "vehicles_in_two_provinces",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "options", "seed"),
    [
        ("small", {}, 1),
        ("small", {"people": 900}, 2),
        ("random", {"people": 150, "provinces": ("45", "44")}, 3),
        ("random", {"people": 400, "provinces": ("51", "50", "31", "65"), "requester": "51"}, 4),
        ("random", {"people": 400, "married_in": 0.1, "rows_scale": 2.0}, 5),
    ],
)
def test_figures_hold_in_other_sizes(
    tmp_path: Path, name: str, options: dict[str, object], seed: int
) -> None:
    scenario = choose_scenario(name, **options)  # type: ignore[arg-type]
    write_federation(scenario, tmp_path / "out", seed, TODAY)
    assert figures_of_truth(tmp_path / "out") == planted_figures(scenario)
    assert len(read_subjects(tmp_path / "out", scenario.requester)) == scenario.people


def test_small_files_hold_the_figures(small: Path) -> None:
    scenario = choose_scenario("small")
    assert figures_of_files(small, scenario) == figures_of_truth(small) == planted_figures(scenario)


def test_same_seed_same_bytes(small: Path, tmp_path: Path) -> None:
    write_federation(choose_scenario("small"), tmp_path / "again", 2026, TODAY)
    write_federation(choose_scenario("small"), tmp_path / "other", 2027, TODAY)
    assert digests(tmp_path / "again") == digests(small)
    assert digests(tmp_path / "other") != digests(small)


@pytest.mark.parametrize("which", ["small", "mashan"])
def test_every_number_is_of_county_9999(which: str, request: pytest.FixtureRequest) -> None:
    folder = request.getfixturevalue(which)
    seen = Counter[str]()
    for path in sorted(folder.rglob("*.csv")):
        for row in rows(path):
            for column in (*NUMBER_COLUMNS, *FORMER_COLUMNS, "identity", "current", "former"):
                for raw in filter(None, (row.get(column) or "").split(";")):
                    text = unicodedata.normalize("NFKC", raw).strip()
                    if text[:6] in ("810000", "820000", "830000"):
                        seen["permit"] += 1
                    elif text[0] == "9":
                        assert text.startswith("900999")
                        seen["foreign"] += 1
                    elif text[0] == "X":
                        assert text.startswith("XXX9999")
                        seen["foreign_old"] += 1
                    else:
                        assert text[2:6] == "9999", f"a county code in {path.name}"
                        seen["resident"] += 1
    assert len(seen) == 4


@pytest.mark.parametrize("which", ["small", "mashan"])
def test_faults_and_rows_are_counted(which: str, request: pytest.FixtureRequest) -> None:
    """synth.json tells exactly how many rows of each fault the files hold."""
    folder = request.getfixturevalue(which)
    counts = json.loads((folder / "synth.json").read_text(encoding="utf-8"))
    registers, listed = Counter[str](), Counter[str]()
    for name, count in counts["files"].items():
        table = list(rows(folder / name))
        assert len(table) == count
        if "/registers/" in name:
            count_faults(table, registers)
            count_repeats(table, registers)
        elif name.endswith("households.csv"):
            count_faults(table, listed)
    assert registers == counts["register_faults"]
    expected = Counter(counts["list_faults"])
    del expected["name_written_otherwise"], expected["former_is_same"]
    assert listed == expected
    assert min(*registers.values(), *listed.values()) > 0


def count_faults(table: list[dict[str, str]], counts: Counter[str]) -> None:
    for row in table:
        current, former = pick(row, NUMBER_COLUMNS), pick(row, FORMER_COLUMNS)
        # A list writes its former numbers badly too; a fifteen-digit copy of the same number is no fault.
        same = bool(former) and canonical(former.split(";")[0]) == canonical(current)
        for text in (current, "" if same or ";" in former else former):
            counts["lower_x"] += text.endswith("x")
            counts["fifteen_digits"] += len(text) == 15 and text.isascii() and text.isdigit()
            counts["full_width"] += "０" <= text[:1] <= "９" or text[:1] == "Ｘ"
            counts["blanks"] += text != text.strip()
        counts["wrong_check_digit"] += not canonical(current)


def count_repeats(table: list[dict[str, str]], counts: Counter[str]) -> None:
    """Rows of one person with one record number: exact copies, or the record a second time."""
    seen: dict[tuple[str, str], list[tuple[str, ...]]] = defaultdict(list)
    for row in table:
        seen[canonical(pick(row, NUMBER_COLUMNS)), pick(row, RECORD_COLUMNS)].append(tuple(row.values()))
    repeats = sum(len(group) - 1 for group in seen.values())
    exact = sum(len(group) - len(set(group)) for group in seen.values())
    counts["exact_duplicates"] += exact
    counts["record_twice"] += repeats - exact


def test_encodings_differ(small: Path) -> None:
    registers = {
        path.name.split("_")[0]: path.read_bytes() for path in (small / "44" / "registers").iterdir()
    }
    assert len(registers) == 7
    with pytest.raises(UnicodeDecodeError):
        registers["公安"].decode("utf-8")
    assert registers["银行"].startswith(b"\xef\xbb\xbf")
    assert registers["市场监管"].startswith('"公民身份号码"'.encode())


def test_mandates_carry_a_check_character(small: Path) -> None:
    for row in rows(small / "45" / "mandates.csv"):
        number = row["mandate_no"]
        weights = [2**power % 11 for power in range(21, -1, -1)]
        digits = [10 if digit == "X" else int(digit) for digit in number]
        assert len(number) == 22
        assert number.startswith("459999")
        assert sum(d * w for d, w in zip(digits, weights, strict=True)) % 11 == 1


# ---- what is refused


def test_refuses_a_folder_with_content(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(InputError) as refused:
        write_federation(choose_scenario("small"), tmp_path, 1, TODAY)
    assert "--out" in refused.value.hint
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize("today", [date(1999, 1, 1), date(9999, 12, 31)])
def test_refuses_a_date_out_of_range(tmp_path: Path, today: date) -> None:
    with pytest.raises(InputError):
        write_federation(choose_scenario("small"), tmp_path / "out", 1, today)
    assert list(tmp_path.iterdir()) == []


def test_takes_an_empty_folder_and_leaves_nothing_beside(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    write_federation(choose_scenario("small"), tmp_path / "out", 1, TODAY)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_an_interrupt_leaves_nothing(tmp_path: Path) -> None:
    def interrupt(_what: str, share: float) -> None:
        if share > 0.4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_federation(choose_scenario("small"), tmp_path / "out", 1, TODAY, progress=interrupt)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("nowhere", {}),
        ("mashan", {"people": 5}),
        ("mashan", {"rows_scale": 0}),
        ("mashan", {"rows_scale": float("nan")}),
        ("mashan", {"provinces": ("45", "44")}),
        ("random", {"provinces": ("45", "99")}),
        ("random", {"provinces": ("45",), "requester": "45"}),
        ("random", {"requester": "4"}),
        ("random", {"married_in": 0.9}),
    ],
)
def test_refuses_what_cannot_be_made(name: str, options: dict[str, object]) -> None:
    with pytest.raises(ConfigError) as refused:
        choose_scenario(name, **options)  # type: ignore[arg-type]
    assert refused.value.hint


@pytest.mark.long
def test_mashan_in_full(tmp_path: Path) -> None:
    scenario = choose_scenario("mashan")
    summary = write_federation(scenario, tmp_path / "out", 2026, TODAY)
    assert 350_000 <= summary.register_rows <= 450_000
    assert figures_of_files(tmp_path / "out", scenario) == MASHAN_FIGURES
