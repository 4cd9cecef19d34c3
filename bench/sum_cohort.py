"""A sum over a cohort, end to end: a platform and two nodes over mutual TLS on loopback."""

from pathlib import Path
from typing import Any

import numpy as np

from bench import sum_table
from bench.meter import Meter, cpu_seconds, quantile
from synth import bulk
from testbed.homes_bench import REQUESTER, RESPONDER, last_object, serve
from testbed.processes import Children

PEOPLE = 10_000
RUNS = 3
STEP = 20  # people whom one cohort has more in the register than the one before, or it would be held back


def choose(rows: int, people: int, turn: int) -> bulk.People:
    """A cohort of which half, and some more with each turn, are in the register."""
    common = min(min(people, rows) // 2 + STEP * turn, rows)
    inside = np.arange(common, dtype=np.int64) * rows // max(common, 1)
    return np.concatenate((inside, rows + np.arange(people - common, dtype=np.int64)))


def write_cohort(path: Path, chosen: bulk.People) -> None:
    """The cohort as `heqiao sum` reads it."""
    with path.open("w", encoding="ascii") as file:
        file.write("id_no\n")
        for number in bulk.identity_numbers(chosen, RESPONDER):
            file.write(f"{number.tobytes().decode()}\n")


def plain_sum(chosen: bulk.People, rows: int) -> tuple[int, int]:
    """Count and total of those in the register, without any cryptography."""
    found = chosen[chosen < rows]
    return len(found), int(sum_table.amounts(found).sum())


def measure(children: Children, folder: Path, rows: int, people: int = PEOPLE) -> dict[str, Any]:
    """Ask RUNS + 1 times in homes that hold a column of `rows` rows; the first time is reported separately.

    It also verifies the responder's modulus, once per key. The median of the others counts.
    """
    cohorts = [choose(rows, people, turn) for turn in range(RUNS + 1)]
    files = [folder / f"cohort-{turn}.csv" for turn in range(len(cohorts))]
    for file, chosen in zip(files, cohorts, strict=True):
        write_cohort(file, chosen)
    nodes = serve(children, folder)
    before = cpu_seconds(nodes.pids)
    with Meter() as meter:
        command = (
            "-m",
            "bench.sum_query",
            folder / REQUESTER,
            nodes.address,
            sum_table.ITEM,
            RESPONDER,
            *files,
        )
        asked = last_object_list(children.run("sum-ask", ("python", *map(str, command))))
    used = cpu_seconds(nodes.pids) - before
    wrong = sum(
        (one["outcome"], one["count"], one["total"]) != ("RELEASED", *plain_sum(chosen, rows))
        for one, chosen in zip(asked, cohorts, strict=True)
    )
    first, *others = asked
    return {
        "cohort_people": people,
        "cohort_rows": rows,
        "cohort_points": first["points"],
        "cohort_first_s": first["wall_s"],
        "cohort_wall_s": quantile([one["wall_s"] for one in others], 0.5),
        "cohort_part_s": quantile([one["part_s"] for one in others], 0.5),
        "cohort_nodes_cpu_s": used / len(asked),
        "cohort_client_cpu_s": quantile([one["client_cpu_s"] for one in others], 0.5),
        "cohort_peak_mib": meter.peak_mib,
        "bytes_up": first["bytes_up"],
        "bytes_down": first["bytes_down"],
        "wrong": wrong,
    }


def last_object_list(text: str) -> list[dict[str, Any]]:
    """The JSON list in the last line of an output."""
    return list(last_object(f'{{"asked": {text.strip().splitlines()[-1]}}}')["asked"])
