"""The files of a county's report stay within the memory that a process may have."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.paths import ROOT

_LARGE = """
import resource, sys
from array import array
from dataclasses import replace
from pathlib import Path
import numpy as np
from node.domain.findings import Finding, Findings, Outcome
from node.reports import files, kinds
from node.reports.checking import check_all
from tests.support.reports import CATALOGUE, PEERS, VERIFICATION
from tests.support.signed_reports import SIGNER, TRUSTED

people, items = 60_000, tuple(item.code for item in CATALOGUE.items)[:8]
peers = tuple(replace(PEERS[0], peer=str(at)) for at in range(10, 15))
refs = tuple(f"{at // 3:07}/{at % 3}" for at in range(people))
answers, column = [], []
for item in items:
    for peer in peers:
        column.append(np.where(np.arange(people) % 17 == 0, len(answers) + 1, len(answers)))
        answers += [Finding("", item, peer.peer, Outcome.NOT_FOUND),
                    Finding("", item, peer.peer, Outcome.FOUND, 2)]
places = array("I", np.concatenate(column).astype(np.uintc).tobytes())
subject = array("I", np.tile(np.arange(people), len(column)).astype(np.uintc).tobytes())
report = replace(VERIFICATION, subjects=refs, items=items, peers=peers,
                 findings=Findings(refs, tuple(answers), subject, places))
folder = Path(sys.argv[1])
files.write(report, CATALOGUE, folder, sys.argv[2].split(","), "zh", SIGNER)
if "json" in sys.argv[2]:
    assert len(kinds.load(folder / "report.json").findings) == len(places)
assert all(one.valid for one in check_all(folder, TRUSTED))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


@pytest.mark.long
@pytest.mark.parametrize("formats", ["json", "xlsx", "csv", "text,html"])
def test_a_countys_report_fits_into_400_mib(tmp_path: Path, formats: str) -> None:
    """60,000 people, eight items, five provinces: written, read and verified."""
    done = subprocess.run(
        [sys.executable, "-c", _LARGE, tmp_path, formats],
        check=True, capture_output=True, text=True, cwd=ROOT, env=dict(os.environ),
    )  # fmt: skip
    assert int(done.stdout) < 400
    if formats == "json":
        assert (tmp_path / "report.json").stat().st_size < 10_000_000
