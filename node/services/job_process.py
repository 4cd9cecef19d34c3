"""Large jobs in a process of their own, so that pages and peers do not wait for what they compute (ADR 0049).

The serving process starts it for its first large job. Leases in the database already keep two processes from
running one job, and resume the jobs of one that was killed: all that is said here is which job to look at.
"""

import gc
import os
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from keys import KeyringError, KeyStore
from node.compute.child_process import ChildProcess, Messages
from node.config import Config
from node.context import Node, open_node
from node.errors import NodeError
from node.jobs.leases import Leases
from node.jobs.runner import Runner
from node.services.memory import return_freed_memory
from node.services.reload import reload_keys
from node.telemetry import log

NICENESS: Final = 10  # a tenth of the CPU time of a process that has none, where both want it
START_AGAIN_S: Final = 10.0  # between two starts: one that ended by itself may do so again
_RELOAD: Final = "reload"
_JOB: Final = "job "


@dataclass(frozen=True)
class _Given:
    """What the process is given through a pipe: the configuration as it was read, what opens the keys."""

    config: Config
    data_keys: tuple[bytes, ...] = field(repr=False)


class JobProcess:
    """The process for large jobs of a serving one, started when it is first needed, and again where it ended.

    It has the same database, log and keys, a lower priority, and ends with this one, also with a killed one.
    """

    def __init__(self, config: Config, keys: KeyStore) -> None:
        self._given = _Given(config, keys.hand_over())
        self._lock = threading.Lock()
        self._child: ChildProcess | None = None
        self._started_at, self._stopping = float("-inf"), False

    @property
    def pid(self) -> int | None:
        """Its id in the system; None where it is not running."""
        child = self._child
        return child.pid if child is not None and child.is_running else None

    def run(self, job: str) -> None:
        """Let it run a job soon, where no process holds it. A job that it does not learn of is found again by
        polling.
        """
        with self._lock:
            if self._stopping or not self._is_there():
                return
            self._send(f"{_JOB}{job}")

    def reload(self) -> None:
        """Let it read keys, certificates and revocations again."""
        with self._lock:
            self._send(_RELOAD)

    def finish(self) -> None:
        """Let its running steps end and its leases be given back, without waiting; nothing is started."""
        with self._lock:
            self._stopping = True
            if self._child is not None:
                self._child.finish()

    def close(self) -> None:
        """The same, and wait for its end."""
        self.finish()
        if self._child is not None:
            self._child.close()
            self._child = None

    def _send(self, message: str) -> None:
        if self._child is not None:
            self._child.send(message)

    def _is_there(self) -> bool:
        """Whether there is one; starts it where it may."""
        child = self._child
        if child is not None and not child.is_running:
            log.get_logger().error("job_process_ended", code=str(child.exit_code))
            child.close()
            child = self._child = None
        if child is None and time.monotonic() - self._started_at >= START_AGAIN_S:
            self._started_at = time.monotonic()
            try:
                self._child = ChildProcess(serve_jobs, self._given, "jobs")
            except OSError as error:  # no memory or no process left
                log.get_logger().error("job_process_ended", reason=error.strerror)
        return self._child is not None


# ---- in the process


def serve_jobs(given: _Given, messages: Messages) -> None:
    """Run the jobs that the messages name, each under its lease, until they end."""
    os.nice(NICENESS)
    return_freed_memory()
    gc.set_threshold(50_000, 20, 100)  # as in every command (node/cli): lists have no cycles
    log.configure(given.config.log, given.config.node.code)
    try:
        node = open_node(given.config, keys=KeyStore.take_over(given.config.keys.store, given.data_keys))
    except (NodeError, KeyringError) as error:
        log.get_logger().error("job_process_failed", reason=str(error))
        raise SystemExit(1) from None
    leases = Leases(node.store, given.config.jobs.lease_s)
    runner = Runner(node, leases, given.config.jobs.poll_s)
    leases.start()
    log.get_logger().info("job_process_started")
    try:
        for message in messages:
            _follow(node, runner, message)
    finally:
        runner.stop()
        leases.close()
        node.store.dispose()


def _follow(node: Node, runner: Runner, message: str | None) -> None:
    if message is None:
        with suppress(NodeError):  # the serving process says that there is no file
            node.store.follow_file()
    elif message == _RELOAD:
        reload_keys(node)
    else:
        try:
            runner.take_up([message.removeprefix(_JOB)])
        except NodeError as error:  # the database is unreachable: the serving process tells it again
            log.get_logger().error("open_jobs_not_read", code=error.code, where=log.where(error))
