"""docs/guide-province.md as it stands: every command of it, to the first answered query."""

import json
import os
import re
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from testbed import homes
from tests.support.guide import steps
from tests.support.paths import ROOT
from tests.support.processes import processes_naming

BOTH = (homes.Province("45", "广西", holds=False), homes.Province("51", "四川", holds=True))
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
            text = SERVE.sub(r"serve --home \1 > \1.log 2>&1 & echo $! >> nodes", step.text)
            parts.append(text.replace("../docs/", f"{ROOT}/docs/"))
            parts.append(WAIT if text != step.text else "")
    return "\n".join(parts)


def port_of(kind, code):
    """The port that this run holds for a node of the page: 7 for its peers, 8 for its platforms."""
    one = next(province for province in BOTH if province.code == code)
    return one.peer_port if kind == "7" else one.platform_port


def stop_nodes(listed):
    """End what the page started: the processes of this file, one a line."""
    for process in listed.read_text().split() if listed.exists() else ():
        with suppress(ProcessLookupError):
            os.kill(int(process), signal.SIGTERM)


@pytest.mark.long
def test_the_guide_ends_with_an_answered_query(tmp_path):
    found = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": found, "PYTHONPATH": str(ROOT)}
    with homes.free_ports(BOTH) as shift:
        text = PORTS.sub(lambda one: f"127.0.0.1:{port_of(one[1], one[2]) + shift}", script(tmp_path))
        try:
            done = subprocess.run(
                ["bash", "-c", text],
                cwd=tmp_path,
                env=environment,
                capture_output=True,
                text=True,
                timeout=1_200,
                check=False,
            )
        finally:
            stop_nodes(tmp_path / "nodes")
    logs = "".join(path.read_text(encoding="utf-8")[-500:] for path in tmp_path.glob("*.log"))
    assert done.returncode == 0, done.stderr[-2_000:] + logs
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
