"""The requester's platform of `bench batch`: submits the list, watches, fetches, writes the files.

    python -m bench.batch_client '{"home": ...}'

Prints one JSON object in its last line.
"""

import json
import resource
import sys
import time
from dataclasses import asdict, dataclass
from itertools import islice, pairwise
from pathlib import Path
from statistics import median
from typing import Any

from bench.match import read_people
from node.cli.options import read_config
from node.cli.report_keys import own_signer
from node.client.platform import Platform
from node.client.report_files import ReportFiles
from node.domain import catalogue as catalogues
from node.domain.findings import Report
from node.domain.verification import Verification
from node.reports import files
from node.reports.files import write_household
from node.reports.households import each_household

PURPOSE = "new_application"
CLIENT_LOG = "batch-client"
FORMATS = ("json", "xlsx")
MOST_FETCHED = 10


@dataclass(frozen=True)
class Ask:
    """What the benchmark asks of this process; `pdfs` is how many households are printed afterwards."""

    home: str
    list_folder: str
    out: str
    items: tuple[str, ...]
    peers: tuple[str, ...]
    pdfs: int = 0

    def plain(self) -> dict[str, Any]:
        """As JSON takes it."""
        return asdict(self)


def main() -> None:
    """Do what the first argument says."""
    ask = Ask(**json.loads(sys.argv[1]))
    subjects, _, mandates = read_people(Path(ask.list_folder))  # some rows are planted as faulty
    asked = Verification(tuple(ask.items), tuple(ask.peers), PURPOSE, "SA-2026-41", subjects, mandates)
    print(json.dumps(_run(ask, asked)), flush=True)


def _run(ask: Ask, asked: Verification) -> dict[str, Any]:
    home, out = Path(ask.home), Path(ask.out)
    config = read_config(home)
    catalogue, signer = catalogues.load(config.catalogue.path), own_signer(config)
    marks = [time.perf_counter()]
    cpu = time.process_time()
    with Platform.open(home) as platform:
        job = platform.submit(asked)
        marks.append(time.perf_counter())
        for _ in platform.watch(job):
            pass
        marks.append(time.perf_counter())
        report = platform.report(job)
    marks.append(time.perf_counter())
    _require_done(report)
    out.mkdir(parents=True, exist_ok=True)
    for one in FORMATS:
        files.write(report, catalogue, out, [one], "zh", signer)
        marks.append(time.perf_counter())
    used, peak = time.process_time() - cpu, _peak_mib()
    submit, work, fetch, *written = (after - before for before, after in pairwise(marks))
    return {
        "people": len(report.subjects),
        "findings": len(report.findings),
        "wall_s": marks[-1] - marks[0],
        "submit_s": submit,
        "job_s": work,
        "fetch_s": fetch,
        **{f"{name}_s": took for name, took in zip(FORMATS, written, strict=True)},
        "client_cpu_s": used,
        "client_peak_mib": peak,
        "bytes_up": sum(one.bytes_up for one in report.peers),
        "bytes_down": sum(one.bytes_down for one in report.peers),
        "plans": sorted({one.plan for one in report.peers}),
        **{f"{path.suffix[1:]}_bytes": path.stat().st_size for path in sorted(out.glob("report.*")) if
           path.name.count(".") == 1},
        **(_print(report, ask, catalogue, signer) if ask.pdfs else {}),
        **(_fetch_pdfs(report, ask) if ask.pdfs else {}),
    }  # fmt: skip


def _print(report: Report, ask: Ask, catalogue: Any, signer: Any) -> dict[str, Any]:
    """A household's PDF, one after another in this process: seconds of each without the first."""
    households = islice(each_household(report), ask.pdfs + 1)
    written = (
        write_household(name, part, catalogue, Path(ask.out) / "each", ["pdf"], "zh", signer)
        for name, part in households
    )
    next(written)
    began, cpu = time.perf_counter(), time.process_time()
    made = sum(1 for _ in written)
    return {
        "pdf_wall_s": (time.perf_counter() - began) / made,
        "pdf_cpu_s": (time.process_time() - cpu) / made,
        "pdf_peak_mib": _peak_mib(),
    }


def _fetch_pdfs(report: Report, ask: Ask) -> dict[str, Any]:
    """The same, each made and signed by the node and fetched from it, a few of them without the first."""
    names = [name for name, _ in islice(each_household(report), min(ask.pdfs, MOST_FETCHED) + 1)]
    walls = []
    with Platform.open(Path(ask.home)) as platform:
        made = ReportFiles(platform)
        for name in names:
            began = time.perf_counter()
            made.save(report.job, "pdf", Path(ask.out) / "fetched", household=name)
            walls.append(time.perf_counter() - began)
    return {"port_pdf_first_s": walls[0], "port_pdf_wall_s": median(walls[1:])}


def _require_done(report: Report) -> None:
    """Raises SystemExit where the job or a part of it did not end well."""
    for part in report.peers:
        if report.state != "done" or part.state != "done":
            raise SystemExit(f"the job ended as {report.state}: {part.peer} {part.state} {part.reason}")


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
