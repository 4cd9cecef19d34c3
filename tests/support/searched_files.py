"""Texts that may be in no file of a folder: all files are searched, again and again; only changes cost time.

What was searched before and has not changed since is not searched again: a file whose inode, size and time of
change are the same, and pages of a file that still hold the same bytes. Together the searches look at every
byte that was ever in a file when one of them ran, as if each had read everything.
"""

import os
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

_PAGE = 4096
_TICK_NS = 100_000_000  # more than the step of a file system's clock: a later write has another time
_MAPPED = "-shm"  # written through memory, which does not move the time of the file


@dataclass(frozen=True)
class _Searched:
    """A file that was searched: how it looked, None if it may change without a trace, and its bytes."""

    stat: tuple[int, ...] | None
    content: bytes


class SearchedFiles:
    """The files of a folder, and the texts that none may hold."""

    def __init__(self, folder: Path, texts: Iterable[bytes]) -> None:
        every = set(texts)
        # Who holds a text holds each part of it.
        self._texts = [one for one in every if not any(part in one for part in every - {one})]
        self._margin = max(map(len, self._texts)) - 1
        self._folder, self._known = folder, dict[str, _Searched]()

    def holding(self) -> list[Path]:
        """Files that hold a text, of those with something new since the last search."""
        before, self._known = self._known, {}
        found = []
        for path in _files(self._folder):
            with suppress(FileNotFoundError):  # a running node has removed it since it was listed
                if self._holds(path, before.get(path)):
                    found.append(Path(path))
        return found

    def _holds(self, path: str, before: _Searched | None) -> bool:
        now = time.time_ns()
        found = os.stat(path)  # noqa: PTH116  see _files
        stat = found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
        if before is not None and before.stat == stat:
            self._known[path] = before
            return False
        content = Path(path).read_bytes()
        settled = found.st_ctime_ns < now - _TICK_NS and not path.endswith(_MAPPED)
        self._known[path] = _Searched(stat if settled else None, content)
        changed = _changed(before.content if before else b"", content, self._margin)
        return any(text in content[start:end] for start, end in changed for text in self._texts)


def _files(folder: Path) -> Iterator[str]:
    for place, _, names in os.walk(folder):
        for name in names:
            if os.path.isfile(path := os.path.join(place, name)):  # noqa: PTH113, PTH118  thousands of them
                yield path


def _changed(before: bytes, after: bytes, margin: int) -> Iterator[tuple[int, int]]:
    """Stretches of `after` with all pages that are not the same in `before`, and `margin` bytes around each:
    a text of one byte more that was not in `before` is in one of them.
    """
    pages = min(len(before), len(after)) // _PAGE
    old, new = (np.frombuffer(one, np.uint8, pages * _PAGE).reshape(pages, _PAGE) for one in (before, after))
    differ = np.append((old != new).any(axis=1), True)  # and what is behind the last whole page of both
    edges = np.flatnonzero(np.diff(differ, prepend=False, append=False))
    for first, last in edges.reshape(-1, 2).tolist():
        end = len(after) if last == pages + 1 else last * _PAGE
        yield max(0, first * _PAGE - margin), min(len(after), end + margin)
