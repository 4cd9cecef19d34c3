"""The column of an item that is summed: `heqiao import` of a register, one encrypted row a record."""

from pathlib import Path
from typing import Any

import numpy as np

from bench.meter import Meter
from synth import bulk
from testbed.homes_bench import RESPONDER, heqiao, last_object, make_homes, size_of
from testbed.processes import Children

ITEM = "B11"  # wages, in fen, with six bands
LEAST, SPAN = 10_000_000, 80_000_000


def amounts(people: bulk.People) -> bulk.People:
    """What the register says: from 100,000 to 900,000 yuan a year, no two neighbours alike."""
    return np.asarray(LEAST + people * 7_919_993 % SPAN)


def write_register(path: Path, rows: int) -> None:
    """A register of wages; all people are of one county, so that the rows are one group."""
    people = bulk.people(rows)
    with path.open("w", encoding="ascii") as file:
        file.write("id_no,record_no,amount_fen\n")
        found = bulk.identity_numbers(people, RESPONDER)
        for row, number, amount in zip(people, found, amounts(people), strict=True):
            file.write(f"{number.tobytes().decode()},V{row:09d},{amount}\n")


def measure(children: Children, folder: Path, rows: int) -> dict[str, Any]:
    """Make homes, and import the register into the responder's: start to end of the command."""
    make_homes(children, folder, 1_024)
    register = folder / "wages.csv"
    write_register(register, rows)
    with Meter() as meter:
        printed = last_object(
            heqiao(children, "wages", "import", "--home", folder / RESPONDER, "--json", ITEM, register)
        )
    database = sum(map(size_of, (folder / RESPONDER).glob("heqiao.db*")))
    return {
        "column_rows": rows,
        "column_wall_s": meter.wall_s,
        "column_cpu_s": meter.cpu_s,
        "column_peak_mib": meter.peak_mib,
        "column_cpu_ms_per_row": 1e3 * meter.cpu_s / rows,
        "column_disk_bytes_per_row": database / rows,
        "wrong": rows - printed["accepted"] + printed["rejected"],
    }
