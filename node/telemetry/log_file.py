"""Where log lines go: standard error, or a file that logrotate may move, delete or cut at any time."""

import os
import sys
import weakref
from contextlib import suppress
from pathlib import Path

_FLAGS = os.O_WRONLY | os.O_APPEND | os.O_CREAT


class LogFile:
    """A file to append to: each line is one write, so that lines of several processes do not mix.

    Before each line it looks whether its name still leads to the open file, and makes it anew if not. A disk
    that is full loses lines, and stops no call.
    """

    def __init__(self, path: Path) -> None:
        """Open the file. Raises OSError."""
        self._path = path
        self._descriptor = os.open(path, _FLAGS, 0o666)
        weakref.finalize(self, os.close, self._descriptor)

    def write(self, text: str) -> None:
        """Append a line."""
        with suppress(OSError):
            self._follow_name()
        with suppress(OSError):
            os.write(self._descriptor, text.encode(errors="backslashreplace"))

    def flush(self) -> None:
        """Nothing is kept back."""

    def _follow_name(self) -> None:
        opened = os.fstat(self._descriptor)
        try:
            named = self._path.stat()
        except FileNotFoundError:
            named = None
        if named is None or (named.st_dev, named.st_ino) != (opened.st_dev, opened.st_ino):
            new = os.open(self._path, _FLAGS, 0o666)
            os.dup2(new, self._descriptor, inheritable=False)  # in one step: other threads write meanwhile
            os.close(new)


class StandardError:
    """Standard error, which nobody may be reading any more."""

    def write(self, text: str) -> None:
        """Write a line."""
        with suppress(OSError):
            sys.stderr.write(text)

    def flush(self) -> None:
        """Send it."""
        with suppress(OSError):
            sys.stderr.flush()
