"""Ten items over the same people, and their rotation: what `python -m bench items --json` prints."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench import heqiao_import, rotation
from bench.heqiao_import import REGISTER
from bench.meter import describe_machine, kernel_us, list_versions, rounded
from bench.peers import spu
from bench.peers.environment import SPU
from bench.workspace import workspace
from matcher.suites import x25519
from node.domain.catalogue import BUILT_IN
from synth import bulk
from testbed.homes_bench import RESPONDER, make_homes
from testbed.processes import Children

TEMPLATES = ("C21", "C22")  # by turns: counts, both of the ordinary class
_BLOCK = "[[items]]\n"


def run(entries: int, k_anonymity: int, count: int, peer: str | None = None) -> dict[str, Any]:
    """`heqiao import` of one register as each of `count` items, then a rotation of the OPRF key over all."""
    machine, kernel = describe_machine(), kernel_us()
    with workspace() as folder, Children(folder / "logs") as children:
        figures = measure(children, folder, entries, k_anonymity, count)
        if peer is not None:
            SPU.prepare(children)
            theirs = spu.run(children, folder / peer, entries, (min(entries, 1_000),), 1)["index"]
            figures |= {f"{peer}_index_{key}": theirs[key] for key in ("wall_s", "cpu_s", "peak_mib")}
            figures |= {
                f"items_{key}_over_{peer}": figures[f"items_{key}"] / (count * theirs[key])
                for key in ("wall_s", "cpu_s")
            }
    head = {
        "entries": entries,
        "items": count,
        "k_anonymity": k_anonymity,
        "backend": x25519.backend().name,
        "kernel_us_per_point": kernel,
    }
    return {**rounded(head | figures), "machine": machine, "versions": list_versions()}


def measure(children: Children, folder: Path, entries: int, k_anonymity: int, count: int) -> dict[str, Any]:
    """The figures of imports and rotation. `wrong` are entries that are missing or too many."""
    catalogue, register = folder / "catalogue.toml", folder / REGISTER
    codes = write_catalogue(catalogue, count)
    make_homes(children, folder, k_anonymity, catalogue)
    bulk.write_register(register, entries, RESPONDER)
    runs, disk = [], []
    for code in codes:
        runs.append(heqiao_import.run_import(children, folder, register, entries, code))
        disk.append(heqiao_import.database_bytes(folder))
    held = rotation.count_entries(children, folder)
    rotated = rotation.rotate(children, folder)
    return {
        "items_wall_s": sum(run["wall_s"] for run in runs),
        "items_cpu_s": sum(run["cpu_s"] for run in runs),
        "items_peak_mib": max(run["peak_mib"] for run in runs),
        "items_walls_s": [round(run["wall_s"], 3) for run in runs],
        "items_cpus_s": [round(run["cpu_s"], 3) for run in runs],
        "items_cpu_us_per_entry": 1e6 * sum(run["cpu_s"] for run in runs) / entries / count,
        "first_disk_bytes_per_entry": disk[0] / entries,
        "items_disk_bytes_per_entry": disk[-1] / entries / count,
        **{f"rotate_{name}": value for name, value in rotated.items()},
        "wrong": abs(held - rotated["entries"]),
    }


def write_catalogue(target: Path, count: int) -> Sequence[str]:
    """The catalogue that comes with Heqiao and `count` items more, like published ones; their codes."""
    text = BUILT_IN.read_text(encoding="utf-8")
    blocks = {block.split('"')[1]: block for block in text.split(_BLOCK)[1:]}
    codes = [f"Y{number:02}" for number in range(count)]
    for number, code in enumerate(codes):
        template = TEMPLATES[number % len(TEMPLATES)]
        text += f"\n{_BLOCK}" + blocks[template].replace(f'"{template}"', f'"{code}"', 1)
    target.write_text(text, encoding="utf-8")
    return codes
