"""Our side as one flat object of figures: what `python -m bench psi --json` prints."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench import heqiao_import
from bench.heqiao_import import Sizes
from bench.meter import describe_machine, kernel_us, list_versions, rounded
from matcher.suites import x25519
from testbed.homes_bench import serve
from testbed.processes import Children

PARTS = ("index", "online", "single")


def run(sizes: Sizes, parts: tuple[str, ...] = PARTS, keep: Path | None = None) -> dict[str, Any]:
    """Measure the parts asked for. With `keep`, homes and index stay there and are used again."""
    machine, kernel = describe_machine(), kernel_us()
    with workspace(keep) as folder, Children(folder / "logs") as children:
        index = heqiao_import.prepare(children, folder, sizes)
        figures: dict[str, Any] = {
            "entries": sizes.entries,
            "k_anonymity": sizes.k_anonymity,
            "mirror_mib": sizes.mirror_mib,
            "backend": x25519.backend().name,
            **index,
            "kernel_us_per_point": kernel,
            "index_over_kernel": 1e6 * index["index_wall_s"] / sizes.entries / kernel,
        }
        online: list[dict[str, Any]] = []
        if {"online", "single"} & set(parts):
            nodes = serve(children, folder)
            if "online" in parts:
                online = heqiao_import.measure_online(children, folder, nodes, sizes)
                figures |= _largest(online)
                figures["cached_bytes_per_entry"] = heqiao_import.mirrored_bytes(folder) / sizes.entries
            if "single" in parts:
                figures |= heqiao_import.measure_single(children, folder, nodes, sizes)
        figures["peak_rss_mib"] = max(index["index_peak_mib"], *(row["peak_mib"] for row in online), 0.0)
    return {
        **rounded(figures),
        "online": [rounded(row) for row in online],
        "machine": machine,
        "versions": list_versions(),
    }


@contextmanager
def workspace(keep: Path | None) -> Iterator[Path]:
    """A folder that is kept, or one that vanishes."""
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        yield keep
        return
    with tempfile.TemporaryDirectory(prefix="heqiao-bench-") as folder:
        yield Path(folder)


def _largest(online: list[dict[str, Any]]) -> dict[str, Any]:
    """The figures of the largest list, under the names at the top of the report."""
    row = online[0]
    return {
        "subjects": row["subjects"],
        "online_wall_s": row["wall_s"],
        "online_cpu_s": row["cpu_s"],
        "online_peak_mib": row["peak_mib"],
        "library_wall_s": row["library_wall_s"],
        **{
            key: row[key]
            for key in (
                "wire_up",
                "wire_down",
                "bytes_up",
                "bytes_down",
                "plan",
                "plan_reason",
                "matches",
                "wrong",
            )
        },
    }
