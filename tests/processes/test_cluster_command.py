"""`make cluster` for real, on free ports: certificates, health, import, verify, Ctrl-C, a second start."""

import csv
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from testbed.ports import is_free
from tests.support.paths import ROOT
from tests.support.processes import await_line, processes_naming

HEQIAO = Path(sys.executable).parent / "heqiao"
CODES = ("45", "44", "33")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("made") / "cluster"


@pytest.fixture(scope="module")
def offset() -> int:
    ports = [int(f"{row}{code}") for row in (74, 84) for code in CODES]
    return next(
        offset for offset in range(20_000, 40_000, 100) if all(is_free(port + offset) for port in ports)
    )


@contextmanager
def running(folder: Path, offset: int) -> Iterator[None]:
    """The cluster, from healthy nodes to Ctrl-C."""
    with subprocess.Popen(
        [sys.executable, "-m", "testbed.cluster", "--folder", str(folder), "--port-offset", str(offset)],
        cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        try:
            await_line(process, "3 nodes are healthy")
            yield
        finally:
            process.send_signal(signal.SIGINT)
            code = process.wait(180)
    assert code == 130
    assert processes_naming(folder) == []


@pytest.mark.long
def test_cluster_from_nothing_to_an_answer_and_again(folder: Path, offset: int) -> None:
    with running(folder, offset):
        for code in CODES:
            assert "serving" in heqiao("health", "--home", folder / code / "node.toml")
        heqiao("synth", "--scenario", "small", "--out", folder / "registers")
        register = next((folder / "registers" / "44" / "registers").glob("*_C21_*.csv"))
        heqiao("import", "--home", folder / "44" / "node.toml", "C21", register)
        heqiao(
            "verify", "--home", folder / "45" / "node.toml", "--households",
            folder / "registers" / "45" / "households.csv",
            "--items", "C21", "--peers", "44,33", "--out", folder / "report",
        )  # fmt: skip
        with (folder / "report" / "findings.csv").open(encoding="utf-8-sig", newline="") as file:
            outcomes = {(row["peer"], row["outcome"]) for row in csv.DictReader(file)}
        assert ("44", "FOUND") in outcomes
        assert ("33", "NOT_CONNECTED") in outcomes
    made = keys_and_certificates(folder)
    # The step `certs` makes nothing twice, and the nodes know what they knew.
    with running(folder, offset):
        assert keys_and_certificates(folder) == made
        assert "C21" in heqiao("doctor", "--home", folder / "45" / "node.toml", may_fail=True)
    for code in CODES:
        assert (folder / code / "secret" / "passphrase").stat().st_mode & 0o077 == 0
        assert (folder / code / "data").stat().st_mode & 0o077 == 0


def keys_and_certificates(folder: Path) -> dict[str, bytes]:
    patterns = ("*/data/home/keys/*", "*/data/home/tls/*", "*/secret/*", "authority/ca/keys/*")
    found = {str(path): path.read_bytes() for pattern in patterns for path in folder.glob(pattern)}
    assert len(found) > 20
    return found


def heqiao(*arguments: str | Path, may_fail: bool = False) -> str:
    done = subprocess.run(
        [HEQIAO, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=180, check=False
    )
    assert may_fail or done.returncode == 0, done.stderr
    return done.stdout
