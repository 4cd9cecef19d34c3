"""Figures as tables for people and as JSON files."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from keys.store.atomic_files import replace

WIDTH = 150


def print_figures(console: Console, figures: Mapping[str, Any]) -> None:
    """Our side alone: one line a figure, then one line for each list."""
    table = Table("figure", "value", title="Heqiao")
    for key, value in figures.items():
        if key not in ("online", "machine", "versions"):
            table.add_row(key, str(value))
    for key, value in figures["machine"].items():
        table.add_row(f"machine: {key}", str(value))
    console.print(table)
    if figures.get("online"):
        columns = ("subjects", "wall_s", "cpu_s", "bytes_up", "bytes_down", "plan", "matches", "wrong")
        lists = Table(*columns, title="Lists")
        for row in figures["online"]:
            lists.add_row(*(str(row[column]) for column in columns))
        console.print(lists)


def print_rows(console: Console, found: Mapping[str, Any]) -> None:
    """Ours beside the peers, one line for each figure and peer, with the targets that are met and missed."""
    machine = found["machine"]
    columns = ("figure", "unit", "ours", "peer", "theirs", "ours/theirs", "target")
    table = Table(*columns, title="Heqiao and its peers")
    for row in found["rows"]:
        ours, theirs, ratio = (_number(row[key]) for key in ("ours", "theirs", "ratio"))
        table.add_row(row["what"], row["unit"], ours, row["peer"], theirs, ratio, _target(row))
    console.print(table)
    ifma = "with" if machine.get("ifma") else "without"
    backend = found.get("ours", {}).get("backend", "unknown")
    console.print(
        f"{found['sizes']['entries']:,} entries; backend {backend}; {machine['cores']} cores of "
        f"{machine['cpu']} {ifma} AVX-512 IFMA; load before {machine['load_1m']}, after "
        f"{machine['load_1m_after']}"
    )


def wide_console() -> Console:
    """Standard output, wide enough for the table where it is no terminal."""
    console = Console()
    return console if console.is_terminal else Console(width=WIDTH)


def _target(row: Mapping[str, Any]) -> str:
    if row["target"] is None:
        return ""
    verdict = {True: "met", False: "missed", None: "not measured"}[row["met"]]
    return f"{row['target']:g}{' of it' if row['peer'] else ''}: {verdict}"


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def write_json(path: Path, figures: Mapping[str, Any]) -> None:
    """Write figures in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(figures, ensure_ascii=False, indent=1) + "\n"
    replace(path, text.encode())
