"""Figures as tables for people and as JSON files."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

MIB = 1 << 20


def print_figures(console: Console, figures: Mapping[str, Any]) -> None:
    """Our side alone: one line a figure, then one line for each list."""
    table = Table("figure", "value", title="Heqiao")
    for key, value in figures.items():
        if key not in ("online", "machine", "versions"):
            table.add_row(key, str(value))
    for key, value in figures["machine"].items():
        table.add_row(f"machine: {key}", str(value))
    console.print(table)
    if figures["online"]:
        columns = ("subjects", "wall_s", "cpu_s", "bytes_up", "bytes_down", "plan", "matches", "wrong")
        lists = Table(*columns, title="Lists")
        for row in figures["online"]:
            lists.add_row(*(str(row[column]) for column in columns))
        console.print(lists)


def write_json(path: Path, figures: Mapping[str, Any]) -> None:
    """Write figures in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.part")
    partial.write_text(json.dumps(figures, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    os.replace(partial, path)  # noqa: PTH105 - replaces atomically
