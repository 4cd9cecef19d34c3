"""Forbids operations in tests, with an audit hook of the interpreter (PEP 578)."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

NETWORK = ("socket.bind", "socket.connect", "socket.getaddrinfo")
PROCESS = ("os.exec", "os.fork", "os.posix_spawn", "os.system", "subprocess.Popen")
SLEEP = ("time.sleep",)
DATABASE = ("sqlite3.connect",)

_refused: set[str] = set()


def _look(event: str, _arguments: tuple[object, ...]) -> None:
    if event in _refused:
        raise AssertionError(f"{event}: not in this folder, see docs/CONTRIBUTING.md")


sys.addaudithook(_look)  # a hook cannot be removed, so its refused events are a set that can change


@contextmanager
def refused(*events: str) -> Iterator[None]:
    """Make these events of the interpreter errors, in every thread of this process."""
    _refused.update(events)
    try:
        yield
    finally:
        _refused.difference_update(events)
