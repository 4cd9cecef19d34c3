"""One process beside this one, which receives messages until this one ends it or ends itself.

It is a new interpreter (`spawn`), since a process with threads and gRPC cannot be forked. What it is given
comes through a pipe, never through arguments, the environment or a file.
"""

import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from multiprocessing import connection, get_context, parent_process
from multiprocessing.connection import Connection
from typing import Any, Final, TypeVar

Given = TypeVar("Given")
Messages = Iterator[str | None]
IDLE_S: Final = 2.0  # without a message for so long, the process is told so
END_S: Final = 30.0  # for what it is doing; afterwards it ends as it is


class ChildProcess:
    """A process that runs `work(given, messages)`; both are pickled, so `work` is a function of a module.

    `messages` are those of `send`, in order, and None after each IDLE_S without one. They end when this
    process closes the child, has ended, or the child has received SIGTERM; then `work` has END_S to return.
    """

    def __init__(self, work: Callable[[Given, Messages], None], given: Given, name: str) -> None:
        """Start it. Raises OSError."""
        context = get_context("spawn")
        receiver, self._sender = context.Pipe(duplex=False)
        # One that does not read holds up nobody; what is so short is written whole or not at all (pipe(7)).
        os.set_blocking(self._sender.fileno(), False)
        # As a daemon it is ended with the interpreter, also where nobody closed it.
        self._process = context.Process(target=_run, args=(work, given, receiver), name=name, daemon=True)
        try:
            with receiver:  # its other end: the child has one of its own
                self._process.start()
        except BaseException:
            self._sender.close()
            raise

    @property
    def pid(self) -> int | None:
        """Its id in the system."""
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self._process.is_alive()

    @property
    def exit_code(self) -> int | None:
        """0, what it failed with, or minus the signal that ended it; None while it runs."""
        return self._process.exitcode

    def send(self, message: str) -> bool:
        """Give it a message of up to a thousand bytes. False where it has ended or reads none."""
        try:
            self._sender.send(message)
        except (OSError, ValueError):
            return False
        return True

    def finish(self) -> None:
        """Ask it to end, without waiting."""
        self._sender.close()

    def close(self) -> None:
        """End it, by force where it takes longer than it may."""
        self.finish()
        self._process.join(END_S)
        if self._process.is_alive():
            self._process.kill()
        self._process.join()


# ---- in the child


def _run(work: Callable[[Any, Messages], None], given: Any, receiver: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches both: the parent ends this one in order
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with _terminated() as ended:
        work(given, _messages(receiver, ended))


def _terminated() -> socket.socket:
    """Readable once SIGTERM has come, whichever thread it reached."""
    ended, sender = socket.socketpair()
    sender.setblocking(False)
    signal.set_wakeup_fd(os.dup(sender.fileno()), warn_on_full_buffer=False)
    signal.signal(signal.SIGTERM, lambda _number, _frame: None)
    return ended


def _messages(receiver: Connection, ended: socket.socket) -> Messages:
    parent = parent_process()
    ends: list[Any] = [ended, *([] if parent is None else [parent.sentinel])]
    while True:
        ready = connection.wait([receiver, *ends], IDLE_S)
        if any(end in ready for end in ends):
            break
        try:
            yield receiver.recv() if ready else None
        except EOFError:
            break
    # What is still being done has its time. Nobody waits for it where the parent was killed.
    limit = threading.Timer(END_S, os._exit, (1,))
    limit.daemon = True
    limit.start()
