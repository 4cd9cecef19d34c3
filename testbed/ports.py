"""Ports of loopback for the nodes of one run, so that runs that start together never choose the same."""

import socket
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from keys.store.locks import hold_lock
from testbed.processes import ChildError

BLOCK = 100


class PortTakenError(ChildError):
    """A port is used, or held for another run that may use it any moment."""


@contextmanager
def hold_ports(ports: Iterable[int]) -> Iterator[None]:
    """Hold these ports, and the hundreds that they belong to, until the end of the block.

    A node binds its ports only when it starts, and releases them during a restart: a port that is free now
    may be taken later. So runs also lock a file for each hundred of ports; the system
    unlocks it however the run ends. Raises PortTakenError.
    """
    ports = sorted(ports)
    with ExitStack() as stack:
        for first in sorted({port - port % BLOCK for port in ports}):
            busy = PortTakenError(f"another run holds the ports from {first} on", "stop that one with Ctrl-C")
            stack.enter_context(hold_lock(_lock_file(first), busy))
        for port in ports:
            if not is_free(port):
                raise PortTakenError(f"port {port} is taken", "stop what uses it")
        yield


def is_free(port: int) -> bool:
    """Whether a port of loopback can be listened on."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _lock_file(first: int) -> Path:
    # Never written and never removed: all users of this machine share it.
    path = Path(tempfile.gettempdir()) / f"heqiao-ports-{first}.lock"
    with suppress(FileExistsError):
        path.touch(0o644, exist_ok=False)
    return path
