"""The registers of a province as its departments would export them, faults and all."""

import csv
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from synth.ledger import (
    BOTH,
    BUSINESSES,
    CURRENT,
    DEPOSITS,
    DWELLINGS,
    FORMER,
    FUND,
    INSURANCE,
    PAYROLL,
    VEHICLES,
    Fact,
    Ledger,
)
from synth.numbers import (
    FOREIGN,
    FOREIGN_OLD,
    PERMIT,
    RESIDENT,
    NumberBook,
    fifteen,
    has_fifteen,
    spoil_check,
    write_number,
)
from synth.people import Person, draw_outsider

# Names of the documents as registers write them.
DOCUMENTS: Final = {
    RESIDENT: "居民身份证",
    PERMIT: "港澳台居民居住证",
    FOREIGN: "外国人永久居留身份证",
    FOREIGN_OLD: "外国人永久居留身份证",
}


@dataclass(frozen=True, slots=True)
class Register:
    """How one department exports one item: file name parts, headers, encoding, quoting."""

    item: str
    department: str
    title: str
    number_header: str
    record_header: str
    money_header: str = ""
    has_type: bool = False
    has_former: bool = False
    encoding: str = "utf-8"
    newline: str = "\n"
    quote_all: bool = False

    @property
    def file_name(self) -> str:
        """`<department>_<item>_<title>.csv`."""
        return f"{self.department}_{self.item}_{self.title}.csv"

    def header(self) -> list[str]:
        """The column titles, in order."""
        columns = [
            "证件类型" if self.has_type else "",
            self.number_header,
            "曾用证件号码" if self.has_former else "",
            "姓名",
            self.record_header,
            self.money_header,
            "数据时点",
        ]
        return [column for column in columns if column]


REGISTERS: Final = {
    register.item: register
    for register in (
        Register(PAYROLL, "财政", "财政供养人员", "证件号码", "编制编号"),
        Register(
            VEHICLES, "公安", "机动车登记", "身份证号", "号牌号码",
            has_former=True, encoding="gb18030", newline="\r\n",
        ),
        Register(
            DWELLINGS, "自然资源", "不动产登记", "证件号码", "不动产单元号",
            has_type=True, has_former=True,
        ),
        Register(BUSINESSES, "市场监管", "市场主体登记", "公民身份号码", "统一社会信用代码", quote_all=True),
        Register(
            DEPOSITS, "银行", "存款账户", "证件号码", "账号", "余额(元)",
            has_type=True, encoding="utf-8-sig", newline="\r\n",
        ),
        Register(FUND, "公积金中心", "公积金账户", "证件号码", "公积金账号", "余额(元)", has_former=True),
        Register(INSURANCE, "人社", "社保缴费", "公民身份号码", "社保编号", "缴费基数(元)", has_former=True),
    )
}  # fmt: skip


Row = tuple[list[str], str]  # the cells, and the name of a fault in them


@dataclass(frozen=True, slots=True)
class Written:
    """Rows of a file, and how many of each fault are in it."""

    rows: int
    faults: Counter[str]


class RegisterWriter:
    """Turns facts into the rows of one register."""

    def __init__(
        self, rng: random.Random, book: NumberBook, ledger: Ledger, province: str, rate: float
    ) -> None:
        self._rng = rng
        self._book = book
        self._ledger = ledger
        self._province = province
        self._rate = rate

    def write(self, path: Path, register: Register) -> Written:
        """Write the register's facts in random order, with repeated and unusable rows among them."""
        faults: Counter[str] = Counter()
        facts = self._ledger.facts(self._province, register.item)
        rows = [self._write_row(register, fact, fact.as_of) for fact in facts]
        rows += self._repeat(register, facts, rows, faults)
        rows += self._spoil(register, len(facts), faults)
        faults.update(fault for _, fault in rows if fault)
        self._rng.shuffle(rows)
        with path.open("w", encoding=register.encoding, newline="") as file:
            writer = csv.writer(
                file,
                quoting=csv.QUOTE_ALL if register.quote_all else csv.QUOTE_MINIMAL,
                lineterminator=register.newline,
            )
            writer.writerow(register.header())
            writer.writerows(cells for cells, _ in rows)
        return Written(len(rows), faults)

    def _write_row(self, register: Register, fact: Fact, as_of: date) -> Row:
        person = fact.person
        number = person.former if fact.under == FORMER else person.number
        text, fault = write_number(self._rng, number, self._rate)
        cells = [DOCUMENTS[person.id_type]] if register.has_type else []
        cells.append(text)
        if register.has_former:
            cells.append(self._write_former(person) if fact.under == BOTH else "")
        cells += [person.name, fact.record]
        if register.money_header:
            cells.append(f"{fact.fen // 100}.{fact.fen % 100:02d}")
        cells.append(as_of.isoformat())
        return cells, fault

    def _write_former(self, person: Person) -> str:
        """The former number; now and then its 15-digit form too, which is no third number."""
        if has_fifteen(person.former) and self._rng.random() < 0.2:
            return f"{person.former};{fifteen(person.former)}"
        return person.former

    def _repeat(
        self, register: Register, facts: Sequence[Fact], rows: Sequence[Row], faults: Counter[str]
    ) -> list[Row]:
        """Rows entered twice: exact copies, and one record exported again from an older state."""
        repeated = [row for fact, row in zip(facts, rows, strict=True) if fact.copies > 1]
        faults["exact_duplicates"] += len(repeated)
        count = min(len(facts), max(2, round(len(facts) * self._rate / 2)))
        for turn, place in enumerate(self._rng.sample(range(len(facts)), count)):
            # A contribution belongs to its month; anything else may come from last month's export too.
            if turn % 2 or register.item == INSURANCE:
                faults["exact_duplicates"] += 1
                repeated.append(rows[place])
                continue
            older = date.fromordinal(facts[place].as_of.toordinal() - 31)
            faults["record_twice"] += 1
            repeated.append(self._write_row(register, facts[place], older))
        return repeated

    def _spoil(self, register: Register, count: int, faults: Counter[str]) -> list[Row]:
        """Extra rows of people on no list whose number has a wrong check character."""
        as_of = self._ledger.extracted(self._province, register.item)
        spoiled: list[Row] = []
        for _ in range(max(1, round(count * self._rate / 6))):
            person = draw_outsider(self._rng, self._book, self._province, self._ledger.today)
            record = self._ledger.next_record(self._province, register.item)
            cells, _ = self._write_row(register, Fact(person, CURRENT, record, 1_234_500, as_of), as_of)
            cells[register.has_type] = spoil_check(person.number)
            spoiled.append((cells, ""))
        faults["wrong_check_digit"] += len(spoiled)
        return spoiled
