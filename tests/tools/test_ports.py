"""Runs that start together choose other ports, and say so where they cannot."""

import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from testbed import homes
from testbed.cluster import Place, held_ports, read_services
from testbed.homes import PROVINCES, free_ports, own_ports
from testbed.ports import BLOCK, PortTakenError, hold_ports
from testbed.processes import ChildError

# A process that holds ports until its input ends, as a run does for its nodes.
RUN = """
import sys
from testbed.homes import free_ports
with free_ports() as shift:
    print(shift, flush=True)
    sys.stdin.read()
"""


def test_runs_that_start_together_have_other_ports() -> None:
    """Each looks for free ports before any other has bound one."""
    command = (sys.executable, "-c", RUN)
    runs = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]
    try:
        shifts = [int(run.stdout.readline()) for run in runs if run.stdout]
        ports = [
            port + shift for shift in shifts for p in PROVINCES for port in (p.peer_port, p.platform_port)
        ]
        assert len(set(shifts)) == 4
        assert len(set(ports)) == len(ports)
    finally:
        for run in runs:
            run.kill()
            run.wait()
    with hold_ports(ports):  # and a run that was killed holds nothing any more
        pass


def test_threads_too() -> None:
    every = threading.Barrier(3, timeout=30)

    def choose(_: int) -> int:
        with free_ports() as shift:
            every.wait()
            return shift

    with ThreadPoolExecutor(3) as pool:
        assert len(set(pool.map(choose, range(3)))) == 3


def test_a_port_that_a_stranger_uses_is_passed_over() -> None:
    with free_ports() as first:
        pass
    with socket.create_server(("127.0.0.1", homes.REQUESTER.platform_port + first)), free_ports() as second:
        assert second > first


def test_homes_of_a_run_that_goes_on(tmp_path: Path) -> None:
    """What `serve` says while another run may start its nodes on these ports."""
    with free_ports() as shift:
        for p in PROVINCES:
            (tmp_path / p.code).mkdir()
            (tmp_path / p.code / "node.toml").write_text(
                f'[peer]\nlisten = "127.0.0.1:{p.peer_port + shift}"\n'
                f'[platform]\nlisten = "127.0.0.1:{p.platform_port + shift}"\n'
            )
        with pytest.raises(PortTakenError, match="another run holds"), own_ports(tmp_path):
            pass
    with own_ports(tmp_path):
        pass


def test_none_left(monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        free_ports() as shift,
        socket.create_server(("127.0.0.1", homes.REQUESTER.peer_port + shift + BLOCK)),
    ):
        monkeypatch.setattr(homes, "PORT_TRIES", shift // BLOCK + 2)
        with pytest.raises(ChildError, match="no free ports"), free_ports():
            pass


def test_the_cluster_takes_none_of_another_run(tmp_path: Path) -> None:
    services = [service for service in read_services() if not service.runs_once]
    with free_ports() as shift:
        place = Place(tmp_path, 10_000 + shift, frozenset(service.name for service in services))
        for service in services:
            place.copy(service)
        with pytest.raises(ChildError, match="another run holds") as caught, held_ports(place, services):
            pass
        assert "--port-offset" in caught.value.hint
