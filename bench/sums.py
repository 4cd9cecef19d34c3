"""Our sums as one flat object of figures: what `python -m bench sums --json` prints."""

from typing import Any

from bench import paillier, sum_cohort, sum_table
from bench.meter import describe_machine, list_versions, rounded
from bench.workspace import workspace
from testbed.processes import Children

PARTS = ("encryption", "column", "cohort")


def run(bits: int, parts: tuple[str, ...] = PARTS, rows: int = 100_000) -> dict[str, Any]:
    """Measure the parts asked for: encryption with a key of `bits` bits, a column of `rows` records,
    a cohort asked of it.
    """
    machine = describe_machine()
    figures: dict[str, Any] = {"bits": bits, "wrong": 0}
    if "encryption" in parts:
        figures |= paillier.run(bits)
    if {"column", "cohort"} & set(parts):
        # A cohort needs a column, so that one is always made and reported.
        with workspace() as folder, Children(folder / "logs") as children:
            measured = [figures, sum_table.measure(children, folder, rows)]
            if "cohort" in parts:
                measured.append(sum_cohort.measure(children, folder, rows, min(sum_cohort.PEOPLE, 2 * rows)))
        wrong = sum(one["wrong"] for one in measured)
        figures = {key: value for one in measured for key, value in one.items()} | {"wrong": wrong}
    return {**rounded(figures), "machine": machine, "versions": list_versions()}
