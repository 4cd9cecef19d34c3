"""The table of `bench all`: figures side by side, and how far they are from the targets (README.md)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bench.peers import paillier

MILLION = 1_000_000
# Syncs of `bench mirror`: what, our key.
SYNCS = (
    ("whole fetch", "whole"),
    ("sync, nothing new", "unchanged"),
    ("sync of 1 %, one date", "one_date"),
    ("sync of 1 %, a date a row", "date_a_row"),
    ("sync of 0.1 %", "upsert"),
)
# Figures of a list: what, unit, our key, the peers' key.
_ONLINE = (
    ("wall, client library", "s", "library_wall_s", "wall_s"),
    ("CPU", "s", "cpu_s", "cpu_s"),
    ("up", "bytes", "wire_up", "bytes_up"),
    ("down", "bytes", "wire_down", "bytes_down"),
    ("peak memory", "MiB", "peak_mib", "peak_mib"),
    ("matches", "people", "matches", "matches"),
)


@dataclass(frozen=True)
class Row:
    """One figure: ours, a peer's, their ratio, and the most that the ratio or our figure may be."""

    what: str
    unit: str
    ours: float | None
    peer: str = ""
    theirs: float | None = None
    target: float | None = None

    @property
    def ratio(self) -> float | None:
        """Ours to theirs."""
        return self.ours / self.theirs if self.ours is not None and self.theirs else None

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None where there is none, or nothing to hold against it."""
        figure = self.ratio if self.peer else self.ours
        return figure <= self.target if figure is not None and self.target is not None else None


@dataclass(frozen=True)
class Targets:
    """What is to be reached with the eight-lane kernel (AVX-512 IFMA), and without."""

    ifma: bool
    entries: int

    def of(self, fast: float, slow: float) -> float:
        """The one for this processor."""
        return fast if self.ifma else slow

    @property
    def index(self) -> float:
        """Of the first item's wall time to that of spu."""
        return self.of(0.75 if self.entries >= 10 * MILLION else 0.8, 1.2)

    def listed(self, subjects: int) -> float | None:
        """Of a list's wall time to that of spu."""
        return {10_000: self.of(0.3, 0.5), 100_000: self.of(0.65, 1.1)}.get(subjects)

    def in_hand(self, subjects: int) -> float | None:
        """The same from `submit` to the report."""
        return self.of(0.9, 1.4) if subjects == 100_000 else None

    def each(self, most: float) -> float | None:
        """Of bytes an entry, which say nothing of small registers: an empty database has its size too."""
        return most if self.entries >= MILLION else None

    def seconds(self, entries: int, fast: float, slow: float) -> float | None:
        """Of what is said for a million people."""
        return self.of(fast, slow) if entries == MILLION else None


def rows_of(found: Mapping[str, Any]) -> list[Row]:
    """The table: the items, each list, single checks, rotations, mirrors and sums."""
    ours = found["ours"]
    ifma, entries = (
        found.get("machine", {}).get("ifma", False),
        found.get("sizes", {}).get("entries", MILLION),
    )
    targets = Targets(ifma, entries)
    rows = _index_rows(found, targets)
    measured = [peer for peer in ("spu", "openmined") if peer in found]
    for mine in sorted(ours["online"], key=lambda row: int(row["subjects"])):
        rows += _online_rows(mine, {peer: found[peer]["online"] for peer in measured}, targets)
    kept = Row("kept by the requester", "bytes an entry", ours["cached_bytes_per_entry"])
    rows += [replace(kept, peer=peer, theirs=found[peer]["cached_bytes_per_entry"]) for peer in measured] or [
        kept
    ]
    rows += [
        Row("one person, median", "ms", ours["single_median_ms"], target=targets.of(10.0, 12.0)),
        Row("one person, 95 of 100", "ms", ours["single_p95_ms"]),
        Row("one person beside a large list, median", "ms", ours["single_busy_median_ms"], target=30.0),
        Row("one person beside a large list, 95 of 100", "ms", ours["single_busy_p95_ms"]),
        Row("wrong answers", "", float(ours["wrong"] + ours["single_wrong"]), target=0.0),
    ]
    return rows + rotation_rows(found, targets) + mirror_rows(found, targets) + sum_rows(found)


def _index_rows(found: Mapping[str, Any], targets: Targets) -> list[Row]:
    ours = found["ours"]
    rows = [
        Row("first item, peak memory", "MiB", ours["index_peak_mib"], target=1024.0),
        Row(
            "first item, database",
            "bytes an entry",
            ours.get("disk_bytes_per_entry"),
            target=targets.each(105.0),
        ),
    ]
    for peer, target in (("spu", targets.index), ("openmined", 0.1)):
        if peer in found:
            theirs = found[peer]["index"]
            rows += [
                Row("first item, wall", "s", ours["index_wall_s"], peer, theirs["wall_s"], target),
                Row("first item, CPU", "s", ours["index_cpu_s"], peer, theirs["cpu_s"]),
                Row("first item, peak memory", "MiB", ours["index_peak_mib"], peer, theirs["peak_mib"]),
            ]
    if not {"spu", "openmined"} & set(found):
        rows += [
            Row("first item, wall", "s", ours["index_wall_s"]),
            Row("first item, CPU", "s", ours["index_cpu_s"]),
        ]
    return rows + _further_items(found, targets)


def _further_items(found: Mapping[str, Any], targets: Targets) -> list[Row]:
    """A second item, the same register again, ten items: beside what spu takes for its one."""
    rows, spu = [], found.get("spu", {}).get("index")
    for name, key, target in (("second item", "second_item", 0.4), ("again", "again", 0.3)):
        if f"{key}_wall_s" not in found["ours"]:
            continue
        for what, of in (("wall", "wall_s"), ("CPU", "cpu_s")):
            mine, most = found["ours"][f"{key}_{of}"], target if what == "wall" else None
            row = Row(f"{name}, {what}", "s", mine)
            rows.append(row if spu is None else Row(row.what, "s", mine, "spu", spu[of], most))
    items = found.get("items")
    if items is None:
        return rows
    count, share = items["items"], items["entries"] / targets.entries
    for what, of in (("wall", "wall_s"), ("CPU", "cpu_s")):
        name, mine = f"{count} items over {items['entries']:,} people, {what}", items[f"items_{of}"]
        most = targets.of(0.45, 0.5) if what == "CPU" else None
        rows.append(
            Row(name, "s", mine)
            if spu is None
            else Row(name, "s", mine, f"{count} x spu", count * share * spu[of], most)
        )
    disk = items["items_disk_bytes_per_entry"]
    return [
        *rows,
        Row(f"{count} items, peak memory", "MiB", items["items_peak_mib"], target=1024.0),
        Row(f"{count} items, database", "bytes an entry", disk, target=targets.each(60.0)),
    ]


def rotation_rows(found: Mapping[str, Any], targets: Targets) -> list[Row]:
    """Rotation of the OPRF key over one item, and over those of `bench items`."""
    rows = []
    for key, fast, slow in (("rotation", 10.0, 16.0), ("items", 45.0, 55.0)):
        if key not in found:
            continue
        run = found[key]
        name = f"rotation of {run.get('items', 1)} x {run['entries']:,}"
        most = targets.seconds(run["entries"], fast, slow)
        rows += [
            Row(f"{name}, wall", "s", run["rotate_wall_s"], target=most),
            Row(f"{name}, CPU", "s", run["rotate_cpu_s"]),
            Row(f"{name}, peak memory", "MiB", run["rotate_peak_mib"], target=1024.0),
        ]
    return rows


def mirror_rows(found: Mapping[str, Any], targets: Targets) -> list[Row]:
    """What a sync fetches, and how long it takes."""
    if "mirrors" not in found:
        return []
    run = found["mirrors"]
    # An entry of a count has 38 bytes; leaves, pads, messages and manifest add less than a hundredth.
    served = Row(
        "served to a mirror", "bytes an entry", run["served_bytes_per_entry"], target=targets.each(38.38)
    )
    rows = [
        served,
        Row("delta of 1 %, one date", "of the partition", run["one_date_share"], target=0.03),
        Row("delta of 1 %, a date a row", "of the partition", run["date_a_row_share"], target=0.03),
    ]
    # At most 1 MB for ten million; of a small register most of it is the manifest.
    most = run["entries"] / 10 if run["entries"] >= MILLION else None
    rows.append(Row("upsert of 0.1 %", "bytes", run["upsert_bytes"], target=most))
    for name, key in SYNCS:
        rows += [
            Row(f"{name}, wall", "s", run[f"{key}_wall_s"]),
            Row(f"{name}, CPU", "s", run[f"{key}_cpu_s"]),
            Row(f"{name}, received", "bytes", run[f"{key}_bytes"]),
            Row(f"{name}, peak memory, requester", "MiB", run[f"{key}_requester_peak_mib"], target=1024.0),
            Row(f"{name}, peak memory, responder", "MiB", run[f"{key}_responder_peak_mib"], target=1024.0),
        ]
    return [*rows, Row("wrong answers from mirrors", "", float(run["wrong"]), target=0.0)]


def sum_rows(found: Mapping[str, Any]) -> list[Row]:
    """Encryption beside that of others, with targets."""
    ours = found.get("sums", {})
    rows = _table_rows(ours) if "column_wall_s" in ours else []
    for peer in paillier.ENVIRONMENTS:
        if peer in found:
            rows += _encryption_rows(ours, peer, found[peer])
            if found[peer]["batch_us"]:
                rows += _all_core_rows(ours, peer, found[peer])
    return rows


def _table_rows(ours: Mapping[str, Any]) -> list[Row]:
    return [
        Row(f"column of {ours['column_rows']:,} rows", "s", ours["column_wall_s"], target=70.0),
        Row("column, CPU", "ms a row", ours["column_cpu_ms_per_row"]),
        Row("column, peak memory", "MiB", ours["column_peak_mib"], target=2048.0),
    ]


def _encryption_rows(ours: Mapping[str, Any], peer: str, theirs: Mapping[str, Any]) -> list[Row]:
    full, short = (0.05, 0.01) if peer == "phe" else (None, None)
    fast, slow = ours["encrypt_us_short"], ours["encrypt_us_full"]
    return [
        Row("encrypt, one core", "us", slow, peer, theirs["encrypt_us"], full),
        Row("encrypt, short exponents", "us", fast, peer, theirs["encrypt_us"], short),
        Row("add", "us", ours["add_us"], peer, theirs["add_us"]),
        Row("decrypt", "ms", ours["decrypt_ms"], peer, theirs["decrypt_ms"]),
        Row("wrong sums", "", float(ours["wrong"]), peer, float(theirs["wrong"])),
    ]


def _all_core_rows(ours: Mapping[str, Any], peer: str, theirs: Mapping[str, Any]) -> list[Row]:
    full, short = (0.8, 0.2) if peer == "heu" else (None, None)
    fast, slow = ours["encrypt_us_short_all_cores"], ours["encrypt_us_full_all_cores"]
    batch, cpu = theirs["batch_us"], theirs["batch_cpu_us"]
    return [
        Row("encrypt, all cores", "us", slow, peer, batch, full),
        Row("encrypt, short exponents, all cores", "us", fast, peer, batch, short),
        Row("encrypt, all cores, CPU", "us", ours["encrypt_us_full"], peer, cpu),
    ]


def _online_rows(
    mine: Mapping[str, Any], peers: Mapping[str, Sequence[Mapping[str, Any]]], targets: Targets
) -> list[Row]:
    count = mine["subjects"]
    if not peers:
        return [
            Row(f"{count:,} subjects, wall", "s", mine["wall_s"]),
            Row(f"{count:,} subjects, submit to report", "s", mine.get("whole_s")),
            *(Row(f"{count:,} subjects, {what}", unit, mine[key]) for what, unit, key, _ in _ONLINE),
        ]
    rows = []
    for peer, online in peers.items():
        for theirs in online:
            if theirs["subjects"] != count:
                continue
            is_spu, wall = peer == "spu", theirs["wall_s"]
            most = (targets.listed(count), targets.in_hand(count)) if is_spu else (None, None)
            rows += [
                Row(f"{count:,} subjects, wall", "s", mine["wall_s"], peer, wall, most[0]),
                Row(f"{count:,} subjects, submit to report", "s", mine.get("whole_s"), peer, wall, most[1]),
                *(
                    Row(f"{count:,} subjects, {what}", unit, mine[key], peer, theirs[their_key])
                    for what, unit, key, their_key in _ONLINE
                ),
            ]
    return rows
