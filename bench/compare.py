"""Ours and the peers in one run: the figures side by side, and how far they are from the targets."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from bench import items, mirror, psi, rotation, sums
from bench.heqiao_import import Sizes
from bench.meter import describe_machine, list_versions, rounded
from bench.peers import openmined, paillier, spu
from bench.peers.environment import OPENMINED, SPU
from bench.rows import MILLION, rows_of
from bench.workspace import workspace
from testbed.processes import Children

PEERS = {"spu": SPU, "openmined": OPENMINED, **paillier.ENVIRONMENTS}
SUM_BITS = 3072
OPENMINED_SUBJECTS = 10_000  # its set-up message is made anew for each size of list
ITEMS = 10


def run(
    sizes: Sizes, peers: Sequence[str], say: Callable[[str], object] = lambda _text: None
) -> dict[str, Any]:
    """Measure ours, then each peer, one after the other; everything there is to know of the run.

    `say` gets the name of each step before it runs.
    """
    machine = describe_machine()
    found: dict[str, Any] = {"machine": machine, "versions": list_versions(), "sizes": asdict(sizes)}
    with workspace() as folder, Children(folder / "logs") as children:
        for name in peers:
            say(f"environment of {name}")
            PEERS[name].prepare(children)
        for name, measure in _steps(children, folder, sizes, peers).items():
            say(name)
            found[name] = measure()
    found["machine"]["load_1m_after"] = describe_machine()["load_1m"]
    found["rows"] = [rounded({**asdict(row), "ratio": row.ratio, "met": row.met}) for row in rows_of(found)]
    return found


def _steps(
    children: Children, folder: Path, sizes: Sizes, peers: Sequence[str]
) -> dict[str, Callable[[], dict[str, Any]]]:
    """What is measured, in order: what is compared with each other close together."""
    entries, subjects, k = sizes.entries, sizes.subjects, sizes.k_anonymity
    few = min(entries, MILLION)  # rotations and items grow in step with their size
    fitting = openmined_subjects(subjects)
    libraries = [name for name in peers if name in paillier.ENVIRONMENTS]
    steps: dict[str, Callable[[], dict[str, Any]]] = {
        "ours": lambda: psi.run(sizes),
        "spu": lambda: spu.run(children, folder / "spu", entries, subjects, sizes.repeat),
        "openmined": lambda: openmined.run(children, folder / "openmined", entries, fitting),
        "items": lambda: items.run(few, k, ITEMS),
        "rotation": lambda: rotation.run(few, k),
        "mirrors": lambda: mirror.run(entries, k),
        "sums": lambda: sums.run(SUM_BITS),
        **{name: partial(paillier.run, children, name, SUM_BITS) for name in libraries},
    }
    left_out = {"spu", "openmined"} - set(peers) | (set() if libraries else {"sums"})
    return {name: step for name, step in steps.items() if name not in left_out}


def openmined_subjects(subjects: Sequence[int]) -> int:
    """The one size of list that openmined-psi is run with."""
    return max((count for count in subjects if count <= OPENMINED_SUBJECTS), default=min(subjects))


def results_file(folder: Path, day: str, entries: int) -> Path:
    """Where the figures of a day go: bench/results/<date>.json, with the size where it is not a million."""
    size = "" if entries == 1_000_000 else f"-{entries}"
    return folder / f"{day}{size}.json"
