"""Our sums as one flat object of figures: what `python -m bench sums --json` prints."""

from typing import Any

from bench import column, encryption
from bench.measure import describe_machine, list_versions, rounded
from bench.psi import workspace
from compose.processes import Children

PARTS = ("encryption", "column")


def run(bits: int, parts: tuple[str, ...] = PARTS, rows: int = 100_000) -> dict[str, Any]:
    """Measure the parts asked for: encryption with a key of `bits` bits, a column of `rows` records."""
    machine = describe_machine()
    figures: dict[str, Any] = {"bits": bits, "wrong": 0}
    if "encryption" in parts:
        figures |= encryption.run(bits)
    if "column" in parts:
        with workspace(None) as folder, Children(folder / "logs") as children:
            found = column.measure(children, folder, rows)
        figures |= {**found, "wrong": figures["wrong"] + found["wrong"]}
    return {**rounded(figures), "machine": machine, "versions": list_versions()}
