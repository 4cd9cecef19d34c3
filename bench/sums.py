"""Our sums as one flat object of figures: what `python -m bench sums --json` prints."""

from typing import Any

from bench import encryption
from bench.measure import describe_machine, list_versions, rounded

PARTS = ("encryption",)


def run(bits: int, parts: tuple[str, ...] = PARTS) -> dict[str, Any]:
    """Measure the parts asked for, with a key of `bits` bits."""
    machine = describe_machine()
    figures = {"bits": bits, "wrong": 0}
    if "encryption" in parts:
        figures |= encryption.run(bits)
    return {**rounded(figures), "machine": machine, "versions": list_versions()}
