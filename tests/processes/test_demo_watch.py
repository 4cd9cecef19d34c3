"""`make demo-watch` for real: three alerts, nothing else, and it ends by itself."""

import subprocess
import sys

import pytest

from tests.support.paths import ROOT


@pytest.mark.long
def test_it_ends_by_itself_with_three_alerts(tmp_path):
    command = (sys.executable, "-m", "testbed.demo_watch", "--folder", str(tmp_path / "demo"))
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    said = "3 alerts at 2 provinces, 3 changes that meet a threshold; the later looks asked nothing: True"
    assert done.stdout.splitlines()[-1] == f"demo-watch: {said}"
