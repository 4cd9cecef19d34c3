"""The requester's platform of a sum, a separate process: submits a cohort and waits for the report.

    python -m bench.sum_query HOME ADDRESS ITEM PEER COHORT...

One job for each cohort file, one after the other; prints one JSON object in its last line.
"""

import json
import sys
import time
from pathlib import Path

from node.client.platform import Platform
from node.domain.sum_findings import SumReport
from node.domain.summation import Summation, in_cohort
from node.tabular.person_lists import read_cohort

LAW = "SA-2026-41"


def main() -> None:
    """Ask about each cohort."""
    home, address, item, peer, *files = sys.argv[1:]
    found = []
    with Platform.open(Path(home), address) as platform:
        for file in files:
            people, bad = read_cohort(Path(file))
            if bad:
                raise SystemExit(f"{len(bad)} rows of the benchmark's own cohort are refused")
            summation = Summation((item,), (peer,), LAW, in_cohort(people))
            began, cpu = time.perf_counter(), time.process_time()
            report = platform.sum(summation)
            took = {"wall_s": time.perf_counter() - began, "client_cpu_s": time.process_time() - cpu}
            found.append({**took, **describe(report)})
    print(json.dumps(found), flush=True)


def describe(report: SumReport) -> dict[str, object]:
    """What one job took, and what it found."""
    part, finding = report.peers[0], report.findings[0]
    return {
        "part_s": part.seconds,
        "points": part.points,
        "bytes_up": part.bytes_up,
        "bytes_down": part.bytes_down,
        "outcome": finding.outcome.value,
        "reason": finding.reason,
        "count": finding.count,
        "total": finding.total,
    }


if __name__ == "__main__":
    main()
