"""The requester's platform, a separate process: submits a list, or checks one person after another.

    python -m bench.match '{"mode": "job", ...}'

Prints one JSON object in its last line.
"""

import csv
import json
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import cycle
from pathlib import Path
from typing import Any

from bench.sockets import wire_bytes
from node.client.peer import Peer
from node.client.platform import Platform
from node.domain.mandate import Mandate
from node.domain.subjects import Subject
from node.domain.verification import Verification
from node.tabular.person_lists import read_households, read_mandates
from testbed.homes_bench import ITEM, REQUESTER, RESPONDER

PURPOSE = "new_application"
WARM_UP = 5


@dataclass(frozen=True)
class Ask:
    """What the benchmark asks of this process.

    `mode` is `job` (the list as one job of the requester's node, over and over while the file `again`
    exists, after leaving a mark beside it), `library` (the list in one call of the client library) or
    `single` (one check after another with it, with `again` for as long as that exists). `out` takes the
    findings of a list, or is empty.
    """

    mode: str
    homes: str
    list_folder: str
    address: str = ""
    out: str = ""
    again: str = ""
    checks: int = 100


def main() -> None:
    """Do what the first argument says."""
    ask = Ask(**json.loads(sys.argv[1]))
    verification = read_list(Path(ask.list_folder))
    run = {"job": run_jobs, "library": call_library, "single": check_singles}[ask.mode]
    print(json.dumps(run(ask, verification)), flush=True)


def running_mark(again: Path) -> Path:
    """The file that says that the first job is running."""
    return again.with_suffix(".running")


def read_list(folder: Path) -> Verification:
    """The verification that the two files of a list ask for."""
    subjects, bad, mandates = read_people(folder)
    if bad:
        raise SystemExit(f"{bad} rows of the benchmark's own list are refused")
    return Verification((ITEM,), (RESPONDER,), PURPOSE, "SA-2026-41", subjects, mandates)


def read_people(folder: Path) -> tuple[tuple[Subject, ...], int, dict[str, Mandate]]:
    """The people of a list, how many of its rows are refused, and the mandates."""
    subjects, bad = read_households(folder / "households.csv")
    mandates, bad_mandates = read_mandates(folder / "mandates.csv")
    if bad_mandates:
        raise SystemExit(f"{len(bad_mandates)} mandates of the benchmark's own list are refused")
    return tuple(subjects), len(bad), dict(mandates)


def run_jobs(ask: Ask, verification: Verification) -> dict[str, object]:
    """Submit, watch, fetch the report; the figures of the last job, and when each one ran (epoch seconds)."""
    ran: list[tuple[float, float]] = []
    with Platform.open(Path(ask.homes) / REQUESTER, ask.address) as platform:
        while True:
            result = _run_job(platform, verification, ask)
            ran.append((result["created"], result["finished"]))
            if not ask.again or not Path(ask.again).exists():
                return {**result, "ran": ran}


def _run_job(platform: Platform, verification: Verification, ask: Ask) -> dict[str, Any]:
    began, cpu = time.perf_counter(), time.process_time()
    job = platform.submit(verification)
    submitted = time.perf_counter()
    if ask.again:
        running_mark(Path(ask.again)).touch()
    for _ in platform.watch(job):
        pass
    ended = time.perf_counter()
    report = platform.report(job)
    done = time.perf_counter()
    part = report.peers[0]
    if report.state != "done" or part.state != "done" or report.finished_at is None:
        raise SystemExit(f"the job ended as {report.state}: {part.state} {part.reason}")
    if ask.out:
        write_findings(Path(ask.out), ((f.subject, f.outcome, f.value) for f in report.findings))
    created, finished = report.created_at.timestamp(), report.finished_at.timestamp()
    return {
        "wall_s": finished - created,
        "part_s": part.seconds,
        "submit_s": submitted - began,
        "report_s": done - ended,
        "whole_s": done - began,
        "client_cpu_s": time.process_time() - cpu,
        "created": created,
        "finished": finished,
        "points": part.points,
        "bytes_up": part.bytes_up,
        "bytes_down": part.bytes_down,
        "plan": part.plan,
        "plan_reason": part.plan_reason,
    }


def call_library(ask: Ask, verification: Verification) -> dict[str, object]:
    """The whole list in one call, on a connection that one check has made warm; the kernel's bytes."""
    with Peer.open(Path(ask.homes) / REQUESTER, RESPONDER) as peer:
        peer.verify(_only(verification, verification.subjects[0]))
        sent, received = wire_bytes()
        began, cpu = time.perf_counter(), time.process_time()
        answers = peer.verify(verification)[ITEM]
        wall, used = time.perf_counter() - began, time.process_time() - cpu
        sent_after, received_after = wire_bytes()
    pairs = zip(verification.subjects, answers, strict=True)
    write_findings(Path(ask.out), ((s.ref, a.outcome.value, a.value) for s, a in pairs))
    return {
        "wall_s": wall,
        "client_cpu_s": used,
        "wire_up": sent_after - sent,
        "wire_down": received_after - received,
    }


def write_findings(path: Path, findings: Iterable[tuple[str, str, int | None]]) -> None:
    """One line for each finding: reference, outcome, value."""
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(findings)


def _only(verification: Verification, subject: Subject) -> Verification:
    mandate = verification.mandates[subject.mandate]
    return replace(verification, subjects=(subject,), mandates={mandate.number: mandate})


def check_singles(ask: Ask, verification: Verification) -> dict[str, object]:
    """One person at a time on one connection: (when, seconds) of each check after a few to warm up."""
    found: list[tuple[float, float]] = []
    outcomes: list[tuple[str, str, int | None]] = []
    with Peer.open(Path(ask.homes) / REQUESTER, RESPONDER) as peer:
        for number, subject in enumerate(cycle(verification.subjects)):
            if number >= ask.checks + WARM_UP and not (ask.again and Path(ask.again).exists()):
                break
            if number == WARM_UP and ask.again:
                running_mark(Path(ask.again)).touch()
            one = _only(verification, subject)
            at, began = time.time(), time.perf_counter()
            answer = peer.verify(one)[ITEM][0]
            took = time.perf_counter() - began
            if number >= WARM_UP:
                found.append((at, took))
            outcomes.append((subject.ref, answer.outcome.value, answer.value))
    return {"checks": found, "outcomes": outcomes}


if __name__ == "__main__":
    main()
