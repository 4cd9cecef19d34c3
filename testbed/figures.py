"""What the demo shows: planted figures against found ones, peers, memory."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from testbed.plain_join import Comparison
from testbed.plain_sums import CAPS, Line

# What is shown, item, key of the report's summary, key of the planted figures
_ROWS = (
    ("on a public payroll 财政供养", "Z59b", "people", "payroll"),
    ("own vehicles 机动车", "C21", "people", "vehicle_owners"),
    ("  vehicles they own", "C21", "total", "vehicles"),
    ("own dwellings 房产", "C22", "people", "dwelling_owners"),
    ("have businesses 市场主体", "B12r", "people", "businesses"),
    ("deposits over 50,000 yuan 存款超限", "C23", "people", "over_deposit"),
)
# A wrong name passes the one-byte check once in 256 (design.md section 3). More than this of the
# few that are planted would mean that the check does not work.
MOST_PASSED = 3


@dataclass(frozen=True)
class Figure:
    """One planted figure and what the report says."""

    text: str
    item: str
    planted: int
    found: int
    passed: int

    @property
    def right(self) -> bool:
        """Equal, but for wrong names that may pass the one-byte check."""
        return 0 <= self.found - self.planted <= self.passed


def read_figures(report: Path, federation: Path, comparison: Comparison) -> list[Figure]:
    """The planted figures of the items that the report is about, and all people together."""
    summary = json.loads(report.read_text(encoding="utf-8"))["summary"]
    planted = json.loads((federation / "truth" / "expected.json").read_text(encoding="utf-8"))["figures"]
    items = {line["item"]: line for line in summary["items"]}
    passed = comparison.names_passed
    rows = [
        Figure(text, item, planted[due], items[item][key], passed)
        for text, item, key, due in _ROWS
        if item in items
    ]
    return [
        *rows,
        Figure("people in all, each counted once 合计", "", planted["any_asset"], summary["people"], passed),
    ]


def show(
    console: Console,
    report: Path,
    figures: list[Figure],
    comparison: Comparison,
    seconds: float,
    fetched: Mapping[str, int],
    memory_kib: Mapping[str, int],
) -> None:
    """Print the tables. Nothing in them names a person. `fetched` are bytes of each peer before the query."""
    plain = json.loads(report.read_text(encoding="utf-8"))
    console.print(_figures_table(figures))
    console.print(_nodes_table(plain, fetched, memory_kib))
    wrong = comparison.names_caught + comparison.names_passed
    summary = plain["summary"]
    console.print(
        f"{summary['subjects']:,} people and {len(plain['items'])} items verified with "
        f"{len(plain['peers'])} provinces in {seconds:.1f} s (the whole of `heqiao verify`)."
    )
    console.print(
        f"Planted people under a wrong name: {wrong}; reported as 'name differs': {comparison.names_caught}; "
        f"passed the one-byte check: {comparison.names_passed}. Without mandate, never asked about: "
        f"{summary['not_mandated']}."
    )


def show_sums(console: Console, report: Path, lines: Sequence[Line], seconds: float) -> None:
    """Print the sums beside the plain ones."""
    plain = json.loads(report.read_text(encoding="utf-8"))
    names = {item["code"]: item for item in plain["item_facts"]}
    table = Table(title="sums", title_justify="left", box=box.HORIZONTALS, pad_edge=False)
    table.add_column("the county's workers", no_wrap=True)
    table.add_column("province")
    for name in ("people", "plain sum", "encrypted sum"):
        table.add_column(name, justify="right")
    table.add_column("")
    for line in lines:
        item = names[line.item]
        found = "-" if line.total is None else _amount(item, line.total)
        table.add_row(
            f"{item['name_en']}{', yuan' if item['value_kind'] == 'money' else ''} {item['name_zh']}",
            line.province,
            f"{line.due.count:,}" if line.count is None else f"{line.count:,}",
            _amount(item, line.due.total),
            found,
            line.verdict if line.right else f"WRONG {line.outcome}",
        )
    console.print(table)
    for code, scale in {line.item: line.noise for line in lines if line.noise}.items():
        console.print(
            f"{names[code]['name_en']}: noise hides each person, for up to "
            f"{_amount(names[code], CAPS[code])}; "
            f"that of a total has the scale {_amount(names[code], round(scale))}."
        )
    received = sum(peer["bytes_down"] for peer in plain["peers"]) / 1e6
    console.print(
        f"{plain['people']:,} workers and {len(plain['items'])} items summed with {len(plain['peers'])} "
        f"provinces in {seconds:.1f} s, {received:.1f} MB received."
    )


def _amount(item: Mapping[str, Any], amount: int) -> str:
    """Yuan to the fen for money, else the number."""
    return f"{amount // 100:,}.{amount % 100:02}" if item["value_kind"] == "money" else f"{amount:,}"


def _figures_table(figures: list[Figure]) -> Table:
    table = Table(title="findings", title_justify="left", box=box.HORIZONTALS, pad_edge=False)
    table.add_column("what the two provinces found")
    table.add_column("item")
    for name in ("planted", "found"):
        table.add_column(name, justify="right")
    table.add_column("")
    for figure in figures:
        verdict = "right" if figure.found == figure.planted else "right but for a wrong name that passed"
        table.add_row(
            figure.text,
            figure.item,
            f"{figure.planted:,}",
            f"{figure.found:,}",
            verdict if figure.right else "WRONG",
        )
    return table


def _nodes_table(report: dict[str, Any], fetched: Mapping[str, int], memory_kib: Mapping[str, int]) -> Table:
    table = Table(title="nodes", title_justify="left", box=box.HORIZONTALS, pad_edge=False)
    table.add_column("node")
    for name in ("answered in", "fetched before", "sent to it", "received", "points", "peak memory"):
        table.add_column(name, justify="right")
    requester = f"{report['requester']} {report['requester_name']} (asks)"
    table.add_row(requester, "", "", "", "", "", _memory(memory_kib.get(report["requester"], 0)))
    for peer in report["peers"]:
        table.add_row(
            f"{peer['peer']} {peer['name']}",
            f"{peer['seconds']:.1f} s" if peer["state"] == "done" else peer["state"],
            f"{fetched.get(peer['peer'], 0) / 1e6:.2f} MB",
            f"{peer['bytes_up'] / 1e6:.2f} MB",
            f"{peer['bytes_down'] / 1e6:.2f} MB",
            f"{peer['points']:,}",
            _memory(memory_kib.get(peer["peer"], 0)),
        )
    return table


def _memory(kib: int) -> str:
    return f"{kib * 1024 / 1e6:.0f} MB" if kib else "unknown"
