"""Mirrors: what a sync fetches, whole and of what changed: what `python -m bench mirror --json` prints."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bench import heqiao_import
from bench.heqiao_import import LONGEST_S, REGISTER, SECOND_ITEM, Sizes, run_import
from bench.meter import Meter, describe_machine, kernel_us, list_versions, rounded
from bench.workspace import workspace
from matcher.suites import x25519
from node.domain.days import china_day
from synth import bulk
from testbed.homes_bench import (
    ITEM,
    REQUESTER,
    RESPONDER,
    Nodes,
    heqiao,
    last_object,
    make_homes,
    serve,
    sync_command,
)
from testbed.processes import Children, wait_until

MOST_ASKED = 1_000
FIRST, LATER, CHANGES, DATED = "first.csv", "later.csv", "changes.csv", "dated.csv"


def run(entries: int, k_anonymity: int) -> dict[str, Any]:
    """Whole fetches and deltas of a register of some size, with one as-of date and with one a row."""
    machine = describe_machine()
    sizes = Sizes(entries, (min(MOST_ASKED, entries),), k_anonymity)
    with workspace() as folder, Children(folder / "logs") as children:
        make_homes(children, folder, k_anonymity)
        nodes = serve(children, folder)
        found = _with_one_date(children, folder, nodes, entries) | _with_dates(
            children, folder, nodes, entries
        )
        heqiao(children, "verify", "mirror", "verify", "--home", folder / REQUESTER)
        bulk.write_after(folder / REGISTER, entries, RESPONDER)
        listed = heqiao_import.write_subjects(folder, entries, sizes.subjects[0])
        asked = heqiao_import.run_list(children, folder, nodes, listed)
    figures = {
        "entries": entries,
        "k_anonymity": k_anonymity,
        "backend": x25519.backend().name,
        "kernel_us_per_point": kernel_us(),
        "served_bytes_per_entry": found["whole"]["bytes"] / entries,
        **{f"{name}_{key}": value for name, run in found.items() for key, value in run.items()},
        "one_date_share": _share(found, "one_date", "whole"),
        "date_a_row_share": _share(found, "date_a_row", "dated_whole"),
        "plan": asked["plan"],
        "wrong": asked["wrong"],
    }
    return {**rounded(figures, 5), "machine": machine, "versions": list_versions()}


def _with_one_date(
    children: Children, folder: Path, nodes: Nodes, entries: int
) -> dict[str, dict[str, float]]:
    """A first export, the next one a month later, and a day's changes; a sync after each."""
    today = china_day(datetime.now(UTC))
    before, now = ("--as-of", str(today - timedelta(days=30))), ("--as-of", str(today))
    bulk.write_register(folder / FIRST, entries, RESPONDER)
    bulk.write_register(folder / LATER, entries, RESPONDER, later=True)
    bulk.write_changes(folder / CHANGES, entries, RESPONDER)
    run_import(children, folder, folder / FIRST, entries, ITEM, *before)
    found = {"whole": sync(children, folder, nodes), "unchanged": sync(children, folder, nodes)}
    later = run_import(children, folder, folder / LATER, entries, ITEM, *now)
    found["one_date"] = _import_of(later) | sync(children, folder, nodes)
    changed = len(bulk.changed_rows(entries)[0])
    upserted = run_import(children, folder, folder / CHANGES, changed, ITEM, "--upsert", *now)
    found["upsert"] = _import_of(upserted) | sync(children, folder, nodes)
    return found


def _with_dates(children: Children, folder: Path, nodes: Nodes, entries: int) -> dict[str, dict[str, float]]:
    """The same of an item whose rows have their own dates, without a day's changes."""
    found = {}
    for name, later in (("dated_whole", False), ("date_a_row", True)):
        bulk.write_register(folder / DATED, entries, RESPONDER, later=later, dated=True)
        imported = run_import(children, folder, folder / DATED, entries, SECOND_ITEM)
        found[name] = _import_of(imported) | sync(children, folder, nodes)
    return found


def _import_of(run: Mapping[str, Any]) -> dict[str, float]:
    """Figures of an import before a sync."""
    return {f"import_{key}": run[key] for key in ("wall_s", "cpu_s")}


def sync(children: Children, folder: Path, nodes: Nodes) -> dict[str, float]:
    """`heqiao mirror sync` from start to end of the command; memory is of each role.

    `sync_s` is what it says itself, without its start. Raises SystemExit where something is not mirrored.
    """
    command = children.start("sync", sync_command(folder))
    with Meter(command.process.pid) as asks, Meter(nodes.responder.process.pid) as answers:
        wait_until("the sync", [nodes.responder], lambda: command.process.poll() is not None, LONGEST_S)
    if command.process.returncode:
        command.check()
    (done,) = last_object(command.log.read_text(encoding="utf-8"))["synced"]
    if done["left"]:
        raise SystemExit(f"not mirrored: {done['left']}")
    return {
        "wall_s": asks.wall_s,
        "sync_s": done["seconds"],
        "cpu_s": asks.cpu_s,
        "bytes": done["bytes_down"],
        "partitions": done["partitions"],
        "requester_peak_mib": asks.peak_mib,
        "responder_peak_mib": answers.peak_mib,
    }


def measure_delta(children: Children, folder: Path, nodes: Nodes, sizes: Sizes) -> dict[str, Any]:
    """A whole fetch into an empty mirror, and the delta of the next full export.

    Afterwards register and mirror are as they were.
    """
    heqiao(children, "drop", "mirror", "drop", "--home", folder / REQUESTER, RESPONDER)
    whole = sync(children, folder, nodes)
    bulk.write_register(folder / LATER, sizes.entries, RESPONDER, later=True)
    run_import(children, folder, folder / LATER, sizes.entries)
    delta = sync(children, folder, nodes)
    run_import(children, folder, folder / REGISTER, sizes.entries)
    sync(children, folder, nodes)
    return {
        "served_bytes_per_entry": whole["bytes"] / sizes.entries / whole["partitions"],
        "mirror_wall_s": whole["wall_s"],
        "mirror_cpu_s": whole["cpu_s"],
        "mirror_peak_mib": max(whole["requester_peak_mib"], whole["responder_peak_mib"]),
        "delta_bytes": delta["bytes"],
        "delta_wall_s": delta["wall_s"],
    }


def _share(found: Mapping[str, Mapping[str, float]], delta: str, whole: str) -> float:
    """Bytes of a delta to those of its partition, both without the manifest of an unchanged one."""
    manifest = found["unchanged"]["bytes"]
    return (found[delta]["bytes"] - manifest) / (found[whole]["bytes"] - manifest)
