"""Signals of the system, received in order and none lost, whichever thread they reach."""

import itertools
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager

HANDLED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


@contextmanager
def received_signals() -> Iterator[Iterator[int]]:
    """Give the numbers of SIGTERM, SIGINT and SIGHUP as they arrive, from the entry of the block on: what
    arrives before somebody asks for it waits. Only for the main thread.

    Afterwards SIGHUP is ignored, since the interpreter resets handlers before it ends.
    """
    # A signal may reach any thread, also one of gRPC, and then interrupts no lock that this one waits for.
    # Python writes its number to a socket at once, whichever thread it was.
    arrived, sender = socket.socketpair()
    sender.setblocking(False)
    with arrived, sender:
        signal.set_wakeup_fd(sender.fileno(), warn_on_full_buffer=False)
        for number in HANDLED:
            signal.signal(number, lambda _number, _frame: None)
        try:
            yield (arrived.recv(1)[0] for _ in itertools.repeat(None))
        finally:
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
            signal.set_wakeup_fd(-1)
