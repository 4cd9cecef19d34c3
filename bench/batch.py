"""A county's batch: a list of households, eight items, five provinces over mirrors, to JSON and XLSX.

What `python -m bench batch --json` prints. The clock runs from the submission to the files on the disk;
imports and mirrors come before it.
"""

import csv
import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.batch_client import CLIENT_LOG, Ask
from bench.items import write_catalogue
from bench.meter import cpu_seconds, descendants, describe_machine, kernel_us, list_versions, rounded
from bench.workspace import workspace
from matcher.suites import x25519
from node.domain.findings import Report
from node.reports import kinds
from testbed import homes, plain_join
from testbed.homes import Province
from testbed.processes import Child, Children, peak_kib_of, wait_until

ASKER = Province("45", "广西", holds=False)
HOLDERS = tuple(
    Province(code, name, holds=True)
    for code, name in (("44", "广东"), ("33", "浙江"), ("32", "江苏"), ("51", "四川"), ("35", "福建"))
)
EVERY = (ASKER, *HOLDERS)
ITEMS = ("Z59b", "C21", "C22", "B12r", "C23", "D34", "D32")  # those of a synthetic federation
COPIED = {"Y00": "C21"}  # the eighth: the same register under another code
MEMBERS = 3  # people of a household, on average
ROWS_SCALE = 0.2  # people in the registers who are on no list, as a share of what synth makes by default
LONGEST_S = 3_600.0
FEWEST = 40  # households that a synthetic federation can be made for
_MADE = "households"  # a file that says how many there are, in a folder that is complete
_FRESH_PEAK = "5"  # proc(5), clear_refs: VmHWM begins anew
_SETTINGS = {
    "mirror_sync_hours": "0",
    "max_subjects_per_job": "10000000",
    "max_points_per_query": "20000000",
    **homes.WIDE_QUOTAS,
}


def run(households: int, pdfs: int, keep: Path | None = None) -> dict[str, Any]:
    """The figures of one batch of about `households` households, and of PDFs of `pdfs` of them.

    `wrong` counts answers that differ from the plain join. A folder that is kept is used again.
    """
    machine = describe_machine()
    with workspace(keep) as folder, Children(folder / "logs") as children:
        prepare(children, folder, households)
        with homes.own_ports(folder, EVERY):
            nodes = homes.serve(children, folder, EVERY)
            homes.heqiao(children, "mirror", "mirror", "sync", "--home", folder / ASKER.code)
            measured = _measure(children, folder, nodes, pdfs)
            children.stop()
        wrong = _compare(folder / "out" / kinds.JSON_FILE, folder / homes.FEDERATION)
    figures = {
        "households": households,
        "items": len(ITEMS) + len(COPIED),
        "peers": len(HOLDERS),
        "backend": x25519.backend().name,
        "kernel_us_per_point": kernel_us(),
        **measured,
        "wrong": wrong,
    }
    return {**rounded(figures), "machine": machine, "versions": list_versions()}


def prepare(children: Children, folder: Path, households: int) -> None:
    """Homes and their registers, unless the folder has them. Raises SystemExit for those of another size."""
    made = folder / _MADE
    if not made.exists():
        with homes.free_ports(EVERY) as shift:
            _make(children, folder, households, shift)
        made.write_text(f"{households}\n", encoding="ascii")
    elif made.read_text(encoding="ascii").strip() != str(households):
        raise SystemExit(f"{folder} holds a batch of another size; name another folder")


def begin_peak(child: Child) -> None:
    """From now on its peak memory is counted anew."""
    Path(f"/proc/{child.process.pid}/clear_refs").write_text(_FRESH_PEAK, encoding="ascii")


def peaks_mib(child: Child) -> list[float]:
    """The peak of each of its processes, that for large jobs among them; their sum is an upper bound."""
    return [peak_kib_of(pid) / 1024 for pid in (child.process.pid, *descendants(child.process.pid))]


def _make(children: Children, folder: Path, households: int, shift: int) -> None:
    """Registers, a list, six homes that know each other, and what five of them hold."""
    catalogue = folder / "catalogue.toml"
    write_catalogue(catalogue, len(COPIED))
    codes = ",".join(one.code for one in EVERY)
    homes.heqiao(
        children, "synth", "synth", "--scenario", "random", "--provinces", codes, "--people",
        str(MEMBERS * households), "--rows-scale", str(ROWS_SCALE), "--seed", "1", "--out",
        folder / homes.FEDERATION,
    )  # fmt: skip
    _cover_copies(folder / homes.FEDERATION / ASKER.code / "mandates.csv")
    settings = {**_SETTINGS, "catalogue.path": json.dumps(str(catalogue))}
    homes.make_federation(children, folder, shift, settings, EVERY)
    for province in HOLDERS:
        registers = folder / homes.FEDERATION / province.code / "registers"
        for new, old in COPIED.items():
            for register in registers.glob(f"*_{old}_*.csv"):
                shutil.copyfile(register, register.with_name(register.name.replace(old, new)))
        homes.import_registers(children, folder, province)


def _cover_copies(path: Path) -> None:
    """Mandates that name the items that they cover also cover the copies of those."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    for row in rows[1:]:
        for at, cell in enumerate(row):
            items = cell.split(";")
            copies = [new for new, old in COPIED.items() if old in items]
            row[at] = ";".join([*items, *copies])
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)


def _measure(children: Children, folder: Path, nodes: dict[str, Child], pdfs: int) -> dict[str, Any]:
    """Submission to files, by a process of its own; CPU and memory of each process meanwhile."""
    ask = Ask(
        home=str(folder / ASKER.code),
        list_folder=str(folder / homes.FEDERATION / ASKER.code),
        out=str(folder / "out"),
        items=(*ITEMS, *COPIED),
        peers=tuple(one.code for one in HOLDERS),
        pdfs=pdfs,
    )
    for node in nodes.values():
        begin_peak(node)
    before = {code: _cpu(node) for code, node in nodes.items()}
    command = (sys.executable, "-m", "bench.batch_client", json.dumps(ask.plain()))
    client = children.start(CLIENT_LOG, command)
    wait_until("the batch", list(nodes.values()), lambda: client.process.poll() is not None, LONGEST_S)
    if client.process.returncode:
        client.check()
    found: dict[str, Any] = json.loads(client.log.read_text(encoding="utf-8").splitlines()[-1])
    cpu = {code: _cpu(node) - before[code] for code, node in nodes.items()}
    peaks = {code: peaks_mib(node) for code, node in nodes.items()}
    answering = [one.code for one in HOLDERS]
    return {
        **found,
        "requester_cpu_s": cpu[ASKER.code],
        "responders_cpu_s": sum(cpu[code] for code in answering),
        "requester_peak_mib": sum(peaks[ASKER.code]),
        "requester_process_peak_mib": max(peaks[ASKER.code]),
        "responder_peak_mib": max(sum(peaks[code]) for code in answering),
    }


def _cpu(node: Child) -> float:
    return cpu_seconds([node.process.pid])


def _compare(report: Path, federation: Path) -> int:
    """How many answers differ from the plain join, those that are missing among them."""
    found = kinds.load(report)
    if not isinstance(found, Report):
        raise SystemExit(f"{report} is not of a verification")
    right = plain_join.expected_columns(federation, (*ITEMS, *COPIED), COPIED)
    given: dict[tuple[str, str], dict[str, plain_join.Answer]] = {key: {} for key in right}
    for one in found.findings:
        if (one.outcome.value, one.value) != right[one.item, one.peer].usual(one.subject):
            given[one.item, one.peer][one.subject] = (one.outcome.value, one.value)
    asked = len(found.subjects) * len(found.items) * len(found.peers)
    wrong = abs(asked - len(found.findings))
    for key, column in right.items():
        wrong += _differences(column, given[key], found.subjects)
    return wrong


def _differences(
    column: plain_join.Column, given: dict[str, plain_join.Answer], subjects: Sequence[str]
) -> int:
    return sum(
        plain_join.judge(column.due(subject), given.get(subject, column.usual(subject))) == "differ"
        for subject in subjects
    )
