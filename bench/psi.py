"""Our side as one flat object of figures: what `python -m bench psi --json` prints."""

from pathlib import Path
from typing import Any

from bench import heqiao_import, mirror
from bench.heqiao_import import Sizes
from bench.meter import describe_machine, kernel_us, list_versions, rounded
from bench.workspace import workspace
from matcher.suites import x25519
from testbed.homes_bench import serve
from testbed.processes import Children

PARTS = ("index", "online", "single", "mirror", "more")


def run(sizes: Sizes, parts: tuple[str, ...] = PARTS, keep: Path | None = None) -> dict[str, Any]:
    """Measure the parts asked for. With `keep`, homes and index stay there and are used again."""
    machine, kernel = describe_machine(), kernel_us()
    with workspace(keep) as folder, Children(folder / "logs") as children:
        index = heqiao_import.prepare(children, folder, sizes)
        online, measured = _measure(children, folder, sizes, parts)
    figures: dict[str, Any] = {
        "entries": sizes.entries,
        "k_anonymity": sizes.k_anonymity,
        "mirror_mib": sizes.mirror_mib,
        "backend": x25519.backend().name,
        **index,
        "disk_bytes_per_entry": index["index_disk_bytes_per_entry"],
        "kernel_us_per_point": kernel,
        "index_over_kernel": 1e6 * index["index_wall_s"] / sizes.entries / kernel,
        **measured,
        "peak_rss_mib": max(index["index_peak_mib"], *(row["peak_mib"] for row in online), 0.0),
    }
    return {
        **rounded(figures),
        "online": [rounded(row) for row in online],
        "machine": machine,
        "versions": list_versions(),
    }


def _measure(
    children: Children, folder: Path, sizes: Sizes, parts: tuple[str, ...]
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """What is measured after the index: the rows of the lists, and other figures."""
    online: list[dict[str, Any]] = []
    figures: dict[str, Any] = {}
    if {"online", "single", "mirror"} & set(parts):
        nodes = serve(children, folder)
        if "online" in parts:
            online = heqiao_import.measure_online(children, folder, nodes, sizes)
            figures |= _largest(online)
            figures["cached_bytes_per_entry"] = heqiao_import.mirrored_bytes(folder) / sizes.entries
        if "single" in parts:
            figures |= heqiao_import.measure_single(children, folder, nodes, sizes)
        if "mirror" in parts and sizes.mirror_mib:
            figures |= mirror.measure_delta(children, folder, nodes, sizes)
    if "more" in parts:
        figures |= heqiao_import.measure_more(children, folder, sizes)
    return online, figures


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
