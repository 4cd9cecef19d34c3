"""A process beside this one: messages in order, its end, and one that reads nothing."""

import os
import signal
import time
from pathlib import Path

import pytest

from node.compute import child_process
from node.compute.child_process import ChildProcess, Messages
from tests.support.cluster import wait_for

SOON_S = 120


def note(folder: Path, messages: Messages) -> None:
    """Write down what comes, and that it ended in order."""
    with (folder / "heard").open("a", encoding="utf-8", buffering=1) as file:
        for message in messages:
            file.write(f"{message}\n")
        file.write("end\n")


def read_nothing(folder: Path, _messages: Messages) -> None:
    (folder / "there").touch()
    time.sleep(600)


def heard(folder: Path) -> list[str]:
    found = folder / "heard"
    return found.read_text(encoding="utf-8").splitlines() if found.exists() else []


@pytest.mark.parametrize("way", ["close", "SIGTERM"])
def test_messages_come_in_order_and_it_ends_in_order(tmp_path, way):
    child = ChildProcess(note, tmp_path, "note")
    assert all(child.send(f"job {number}") for number in range(100))
    wait_for(lambda: "None" in heard(tmp_path), SOON_S, "it is not told that nothing comes")
    if way == "SIGTERM":
        os.kill(child.pid, signal.SIGINT)  # left to its parent
        os.kill(child.pid, signal.SIGTERM)
        wait_for(lambda: not child.is_running, SOON_S, "it does not end")
    child.close()
    assert child.exit_code == 0
    said = [line for line in heard(tmp_path) if line != "None"]
    assert said == [*(f"job {number}" for number in range(100)), "end"]
    assert not child.send("late")


def test_one_that_reads_nothing_holds_nobody_up_and_is_ended_by_force(tmp_path, monkeypatch):
    monkeypatch.setattr(child_process, "END_S", 0.5)
    child = ChildProcess(read_nothing, tmp_path, "deaf")
    wait_for((tmp_path / "there").exists, SOON_S, "it did not start")
    assert not all(child.send(f"job {number}" * 20) for number in range(10_000))
    child.close()
    assert child.exit_code == -signal.SIGKILL
