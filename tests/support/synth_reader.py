"""A reader of synthetic federations that shares no code with the node: decode, normalise, collect, count."""

import csv
import hashlib
import sqlite3
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from synth import Scenario

TODAY = date(2026, 7, 15)
NUMBER_COLUMNS = ("证件号码", "身份证号", "公民身份号码", "id_no")
FORMER_COLUMNS = ("曾用证件号码", "former_id_no")
RECORD_COLUMNS = (
    "号牌号码", "不动产单元号", "统一社会信用代码", "账号", "编制编号", "公积金账号", "社保编号",
)  # fmt: skip
MONEY_COLUMNS = ("余额(元)", "缴费基数(元)")


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
    """The rows of one number for one item in one province, from the register file."""

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
            subjects.append((reference, tuple(numbers), plain_name(name), covers(mandates[mandate], numbers)))
    return subjects


def covers(mandate: dict[str, str], numbers: Iterable[str]) -> bool:
    return (
        set(numbers) <= set(mandate["people"].split(";"))
        and bool(mandate["office"] and mandate["signers"] and len(mandate["doc_hash"]) == 64)
        and mandate["valid_from"] <= TODAY.isoformat() <= mandate["valid_to"]
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
