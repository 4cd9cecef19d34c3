"""docs/guide-province.md as it stands: every command of it, to the first answered query."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from testbed import homes
from tests.support.guide import steps
from tests.support.paths import ROOT
from tests.support.processes import processes_naming

PORTS = re.compile(r"127\.0\.0\.1:1([78])8(45|51)")
SERVE = re.compile(r"serve --home (\d\d) &")
WAIT = """
for node in 45 51; do
  for _ in $(seq 600); do grep -q 'peers on port' $node.log 2>/dev/null && break; sleep 0.2; done
done
"""


def script(folder):
    """The page as a program for bash: files are written where the page shows them; nodes are waited for."""
    parts = ["set -euo pipefail"]
    for step in steps():
        if step.kind == "toml":
            (folder / step.name).write_text(step.text, encoding="utf-8")
        elif not step.name:
            text = SERVE.sub(r"serve --home \1 2> \1.log & echo $! >> nodes", step.text)
            parts.append(text.replace("../docs/", f"{ROOT}/docs/"))
            parts.append(WAIT if text != step.text else "")
    return "\n".join(parts)


@pytest.mark.long
def test_the_guide_ends_with_an_answered_query(tmp_path):
    found = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": found, "PYTHONPATH": str(ROOT)}
    with homes.free_ports() as shift:
        ports = {"7": 17_800 + shift, "8": 18_800 + shift}
        text = PORTS.sub(lambda one: f"127.0.0.1:{ports[one[1]] + int(one[2])}", script(tmp_path))
        try:
            done = subprocess.run(
                ["bash", "-c", text],
                cwd=tmp_path,
                env=environment,
                capture_output=True,
                text=True,
                timeout=600,
                check=False,
            )
        finally:
            for process in (tmp_path / "nodes").read_text().split() if (tmp_path / "nodes").exists() else ():
                os.kill(int(process), signal.SIGTERM)
    assert done.returncode == 0, done.stderr[-2_000:]
    report = json.loads((tmp_path / "found" / "report.json").read_text(encoding="utf-8"))
    said = {(one["subject"], one["item"]): (one["outcome"], one["value"]) for one in report["findings"]}
    assert said == {
        ("100/1", "C21"): ("FOUND", 3),
        ("100/2", "C21"): ("FOUND", 1),
        ("100/1", "C23"): ("NOT_OVER", None),
        ("100/2", "C23"): ("OVER", 1),
    }
    assert "report.pdf: as signed" in done.stdout
    assert '"query_answered"' in done.stdout
    assert processes_naming(tmp_path) == []
