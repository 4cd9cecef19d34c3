"""`make demo-console` for real: everything is served, six people are ready, and it ends by itself."""

import subprocess
import sys

import pytest

from tests.support.paths import ROOT


@pytest.mark.long
def test_it_serves_and_ends(tmp_path):
    command = (sys.executable, "-m", "testbed.demo_console", "--folder", str(tmp_path / "demo"), "--once")
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    assert "https://127.0.0.1:" in done.stdout
    assert all(f" {account} " in done.stdout for account in ("li", "he", "qin", "wu", "meng", "lu"))
    assert "14 alerts; serving" in done.stdout.splitlines()[-1]
