"""Signals to a served node: SIGHUP reads again, at any moment, SIGTERM ends it; real processes and TLS."""

import ctypes
import json
import os
import platform
import re
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from keys import target_name
from keys.pki.revocation import make_lists
from node.transport.certificate_probe import server_certificate
from tests.support.certificates import renew
from tests.support.cluster import channel, processes, wait_for
from tests.support.federation import Federation, set_config

HEQIAO = Path(sys.executable).with_name("heqiao")
SOON_S = 120  # of a machine with other work
LIBC = ctypes.CDLL(None)
TGKILL = {"x86_64": 234, "aarch64": 131}[platform.machine()]


@pytest.fixture
def federation():
    return Federation.create()


@pytest.fixture
def home(tmp_path, federation):
    made = federation.make_home(tmp_path / "44", "44")
    set_config(made, "log", file="node.log")
    return made


def shown(node, federation):
    return server_certificate(f"127.0.0.1:{node.port}", target_name("44"), federation.authority.pem, 5)


def lines(path):
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    return [json.loads(line) for line in text.splitlines()]


def events(path):
    return [(line["event"], line.get("status")) for line in lines(path)]


def hang_up(node):
    node._process.send_signal(signal.SIGHUP)


def pad(path, like=None):
    """Fill a PEM file to one length, and give it the times of another: nothing shows that it is another."""
    content = path.read_bytes()
    path.write_bytes(content + b"\n" * (4096 - len(content)))
    if like is not None:
        os.utime(path, ns=like)


def test_sighup_shows_a_new_certificate_and_streams_go_on(home, federation):
    file = home / "tls/node.pem"
    pad(file)
    before = file.stat()
    with processes(home) as (node,):
        node.start()
        old = shown(node, federation)
        with channel(node.platform_port, target_name("44"), federation.client("44", "office")) as kept:
            stream = health_pb2_grpc.HealthStub(kept).Watch(health_pb2.HealthCheckRequest())
            assert next(stream).status == health_pb2.HealthCheckResponse.SERVING
            os.link(file, home / "same.pem")
            renew(home, federation.authority, federation.salt)
            (home / "same.pem").write_bytes(file.read_bytes())
            (home / "same.pem").replace(file)
            pad(file, (before.st_atime_ns, before.st_mtime_ns))
            after = file.stat()
            assert (after.st_ino, after.st_size, after.st_mtime_ns) == (
                before.st_ino, before.st_size, before.st_mtime_ns
            )  # fmt: skip
            assert shown(node, federation) == old  # nothing but the signal says that it is another
            hang_up(node)
            wait_for(
                lambda: shown(node, federation) != old, SOON_S, "the old certificate is still shown", 0.1
            )
            assert ("reload", "done") in events(home / "node.log")
            (home / "heqiao.db").rename(home / "away.db")
            assert next(stream).status == health_pb2.HealthCheckResponse.NOT_SERVING  # the same stream
            (home / "away.db").rename(home / "heqiao.db")
            assert next(stream).status == health_pb2.HealthCheckResponse.SERVING
        assert node.stop() == 0


def test_sighup_with_files_that_cannot_be_used_changes_nothing(home, federation):
    with processes(home) as (node,):
        node.start()
        old = shown(node, federation)
        (home / "tls/node.pem").write_bytes(b"nothing")
        hang_up(node)
        wait_for(lambda: ("reload", "failed") in events(home / "node.log"), SOON_S, "no line in the log")
        assert shown(node, federation) == old
        assert node.stop() == 0


def test_sighup_takes_a_revocation_list(home, federation):
    with processes(home) as (node,):
        node.start()
        asker = federation.client("45")
        made = make_lists([federation.authority], None, (asker.certificate,), datetime.now(UTC))
        (home / "tls/revoked.pem").write_bytes(made)
        hang_up(node)
        wait_for(lambda: ("reload", "done") in events(home / "node.log"), SOON_S, "no line in the log")
        assert node.stop() == 0


def test_signals_reach_a_node_in_any_of_its_threads(home):
    """The system chooses the thread: often one of gRPC."""
    with processes(home) as (node,):
        node.start()
        process = node._process.pid
        others = [int(task.name) for task in Path(f"/proc/{process}/task").iterdir()]
        others.remove(process)
        for at, number in enumerate([signal.SIGHUP, signal.SIGHUP, signal.SIGTERM], 1):
            assert LIBC.syscall(TGKILL, process, others[-at], number) == 0
            if number == signal.SIGHUP:
                wait_for(
                    lambda count=at: events(home / "node.log").count(("reload", "done")) == count,
                    SOON_S,
                    "no line in the log",
                )
        assert node._process.wait(SOON_S) == 0


@pytest.mark.parametrize("how", ["create", "copytruncate", "deleted"])
def test_a_log_that_logrotate_takes_away(home, how):
    log, kept = home / "node.log", home / "node.log.1"
    with processes(home) as (node,):
        node.start()
        wait_for(lambda: ("serving", None) in events(log), SOON_S, "no log")
        if how == "create":
            log.rename(kept)
            log.touch()
        elif how == "copytruncate":
            kept.write_bytes(log.read_bytes())
            with log.open("r+b") as file:
                file.truncate(0)
        else:
            log.rename(kept)
        hang_up(node)
        wait_for(lambda: events(log) == [("reload", "done")], SOON_S, "the log was not made anew")
        assert ("serving", None) in events(kept)
        assert ("reload", "done") not in events(kept)
        assert node.stop() == 0
    assert [event for event, _ in events(log)] == ["reload", "stopping", "stopped"]


def ignores_hangup(process):
    """Whether a process handles or ignores SIGHUP by now (proc(5))."""
    status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
    masks = [int(found, 16) for found in re.findall(r"^Sig(?:Ign|Cgt):\s*([0-9a-f]+)", status, re.M)]
    return any(mask & 1 for mask in masks)


def test_sighup_while_it_starts_and_while_it_stops(home):
    with processes(home) as (node,):
        node.launch()
        wait_for(lambda: ignores_hangup(node._process), SOON_S, "it never handled SIGHUP")
        while not node.ready.exists():
            hang_up(node)
            time.sleep(0.01)
        assert node.running
        ended = threading.Event()

        def hang_up_often():
            while not ended.is_set() and node.running:
                hang_up(node)
                time.sleep(0.005)

        often = threading.Thread(target=hang_up_often)
        often.start()
        assert node.stop() == 0
        ended.set()
        often.join()


EARLY = """
import os, signal
from node.services.signals import received_signals
signal.signal(signal.SIGHUP, signal.SIG_IGN)
with received_signals() as signals:
    for number in (signal.SIGHUP, signal.SIGHUP, signal.SIGTERM):
        os.kill(os.getpid(), number)
    assert [next(signals) for _ in range(3)] == [signal.SIGHUP, signal.SIGHUP, signal.SIGTERM]
os.kill(os.getpid(), signal.SIGHUP)
"""


def test_signals_that_arrive_before_the_node_waits_for_them_are_kept():
    """A node writes its ready file before it waits: a SIGHUP in between was lost."""
    subprocess.run([sys.executable, "-c", EARLY], check=True, timeout=60)


def test_under_nohup(home, tmp_path):
    command = ["nohup", str(HEQIAO), "serve", "--home", str(home), "--ready-file", str(home / "ready")]
    with (tmp_path / "out").open("wb") as out, subprocess.Popen(command, stdout=out, stderr=out) as process:
        try:
            wait_for((home / "ready").exists, 60, "it did not start")
            process.send_signal(signal.SIGHUP)
            wait_for(lambda: ("reload", "done") in events(home / "node.log"), SOON_S, "no reload")
            process.terminate()
            assert process.wait(60) == 0
        finally:
            process.kill()
