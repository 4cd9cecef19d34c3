"""The examples for systemd and logrotate in docs/operator.md are what those programs read."""

import configparser
import re
import shutil
import subprocess

import pytest

from tests.support.paths import ROOT

TEXT = (ROOT / "docs" / "operator.md").read_text(encoding="utf-8")
# Directives without and with an argument, of logrotate(8).
ALONE = {"weekly", "compress", "delaycompress", "missingok", "notifempty", "copytruncate"}
WITH = {"rotate": 1, "su": 2, "create": 3}


def block(title):
    """The first example under a heading."""
    return re.search(rf"## {title}\n.*?```[a-z]*\n(.*?)```", TEXT, re.DOTALL)[1]


@pytest.fixture
def unit():
    parser = configparser.ConfigParser(interpolation=None, delimiters=("=",), strict=True)
    parser.optionxform = str
    parser.read_string(block("systemd"))
    return parser


def test_the_unit_reloads_by_sighup_under_an_account_of_its_own(unit):
    service = unit["Service"]
    assert set(unit) == {"DEFAULT", "Unit", "Service", "Install"}
    assert service["ExecStart"].endswith("heqiao serve")
    assert service["ExecReload"] == "/bin/kill -HUP $MAINPID"
    assert (service["Type"], service["User"], service["Restart"]) == ("exec", "heqiao", "always")
    assert "/run/credentials/heqiao.service/passphrase" in block("systemd")


def test_systemd_reads_the_unit(tmp_path):
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    path = tmp_path / "heqiao.service"
    text = re.sub(r"(?m)^(User|Group)=heqiao$", r"\1=root", block("systemd"))
    path.write_text(text.replace("/opt/heqiao/bin/heqiao", "/bin/true"), encoding="utf-8")
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", path], capture_output=True, text=True, check=False
    )
    said = [line for line in done.stderr.splitlines() if path.name in line]
    assert said == []


def test_logrotate_knows_every_directive():
    lines = [line.strip() for line in block("logrotate").strip().splitlines()]
    assert (lines[0], lines[-1]) == ("/var/log/heqiao/heqiao.log {", "}")
    at, end = lines.index("postrotate"), lines.index("endscript")
    assert end == at + 2
    assert "--signal=HUP heqiao.service" in lines[at + 1]
    for line in lines[1:at]:
        name, *given = line.split()
        assert (name in ALONE and not given) or len(given) == WITH[name], line


def test_logrotate_keeps_the_log_for_six_months():
    """Network logs: six months (docs/operator.md, Retention)."""
    lines = [line.split() for line in block("logrotate").splitlines()]
    assert ["weekly"] in lines
    (weeks,) = (int(line[1]) for line in lines if line[:1] == ["rotate"])
    assert weeks * 7 >= 184
