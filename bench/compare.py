"""Ours and the peers in one run: the figures side by side, and how far they are from the targets."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench import psi, sums
from bench.heqiao_import import Sizes
from bench.meter import describe_machine, list_versions, rounded
from bench.peers import openmined, paillier, spu
from bench.peers.environment import OPENMINED, SPU
from bench.workspace import workspace
from testbed.processes import Children

PEERS = {"spu": SPU, "openmined": OPENMINED, **paillier.ENVIRONMENTS}
SUM_BITS = 3072
OPENMINED_SUBJECTS = 10_000  # its set-up message is made anew for each size of list
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
        say("ours")
        found["ours"] = psi.run(sizes)
        if "spu" in peers:
            say("spu")
            found["spu"] = spu.run(children, folder / "spu", sizes.entries, sizes.subjects, sizes.repeat)
        if "openmined" in peers:
            say("openmined")
            found["openmined"] = openmined.run(
                children, folder / "openmined", sizes.entries, openmined_subjects(sizes.subjects)
            )
        libraries = [name for name in peers if name in paillier.ENVIRONMENTS]
        if libraries:
            say("ours: encrypted sums")
            found["sums"] = sums.run(SUM_BITS)
        for name in libraries:
            say(name)
            found[name] = paillier.run(children, name, SUM_BITS)
    found["machine"]["load_1m_after"] = describe_machine()["load_1m"]
    found["rows"] = [rounded({**asdict(row), "ratio": row.ratio, "met": row.met}) for row in rows_of(found)]
    return found


def openmined_subjects(subjects: Sequence[int]) -> int:
    """The one size of list that openmined-psi is run with."""
    return max((count for count in subjects if count <= OPENMINED_SUBJECTS), default=min(subjects))


def rows_of(found: Mapping[str, Any]) -> list[Row]:
    """The table: the index, each list, what is cached, single checks; the targets are those of issue 3."""
    ours = found["ours"]
    rows = _index_rows(found)
    measured = [peer for peer in ("spu", "openmined") if peer in found]
    for mine in sorted(ours["online"], key=lambda row: int(row["subjects"])):
        rows += _online_rows(mine, {peer: found[peer]["online"] for peer in measured})
    rows += [
        Row(
            "cached by the requester", "bytes an entry", ours["cached_bytes_per_entry"],
            peer, found[peer]["cached_bytes_per_entry"],
        )
        for peer in measured
    ]  # fmt: skip
    rows += [
        Row("cached by the requester", "bytes an entry", ours["cached_bytes_per_entry"], target=5.0),
        Row("one person, alone, median", "ms", ours["single_median_ms"], target=25.0),
        Row("one person, alone, 95 of 100", "ms", ours["single_p95_ms"]),
        Row("one person beside a large list, median", "ms", ours["single_busy_median_ms"], target=100.0),
        Row("one person beside a large list, 95 of 100", "ms", ours["single_busy_p95_ms"]),
        Row("wrong answers", "", float(ours["wrong"] + ours["single_wrong"]), target=0.0),
    ]
    return rows + sum_rows(found)


def _index_rows(found: Mapping[str, Any]) -> list[Row]:
    ours = found["ours"]
    rows = [Row("index, peak memory", "MiB", ours["index_peak_mib"], target=2048.0)]
    for peer, target in (("spu", 0.7), ("openmined", 0.1)):
        if peer in found:
            theirs = found[peer]["index"]
            rows += [
                Row("index, wall", "s", ours["index_wall_s"], peer, theirs["wall_s"], target),
                Row("index, CPU", "s", ours["index_cpu_s"], peer, theirs["cpu_s"]),
                Row("index, peak memory", "MiB", ours["index_peak_mib"], peer, theirs["peak_mib"]),
            ]
    return rows


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


def _online_rows(mine: Mapping[str, Any], peers: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[Row]:
    count = mine["subjects"]
    rows = []
    for peer, online in peers.items():
        for theirs in online:
            if theirs["subjects"] != count:
                continue
            target = 1.0 if peer == "spu" and count in (10_000, 100_000) else None
            rows += [
                Row(f"{count:,} subjects, wall", "s", mine["wall_s"], peer, theirs["wall_s"], target),
                *(
                    Row(f"{count:,} subjects, {what}", unit, mine[key], peer, theirs[their_key])
                    for what, unit, key, their_key in _ONLINE
                ),
            ]
    return rows


def results_file(folder: Path, day: str, entries: int) -> Path:
    """Where the figures of a day go: bench/results/<date>.json, with the size where it is not a million."""
    size = "" if entries == 1_000_000 else f"-{entries}"
    return folder / f"{day}{size}.json"
