"""The three standard streams of a command, whatever the terminal and the caller made of them."""

import io
import os
import sys
from typing import Final

_STREAMS: Final = ((0, os.O_RDONLY), (1, os.O_RDONLY), (2, os.O_WRONLY))


def prepare_streams() -> None:
    """Open streams that the caller closed, and escape characters that the terminal cannot show.

    A closed stream would give its number to the next file that is opened. Writing to a closed standard output
    fails, as in other programs; what would go to a closed standard error is dropped.
    """
    for number, mode in _STREAMS:
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, mode)  # takes the lowest free number: this one
    if sys.stdout is None:
        sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    if sys.stderr is None:
        sys.stderr = os.fdopen(2, "w", encoding="utf-8", closefd=False)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
