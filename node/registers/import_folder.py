"""The folder of files to import ([imports] folder): what lies in it, and files that stay what was checked.

Other programs and people write there, so nothing but regular files with one name is read, by plain names, and
no link is followed. Files are read where they are: a copy would be a register in clear. They are known by a
digest of their content instead, and looked at again after they were read.
"""

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Final

from blake3 import blake3

from node.errors import InputError, PreconditionError
from node.registers.plan import is_passed_over
from node.registers.plan_file import find_files

MOST_NAME: Final = 200
_CHUNK: Final = 1 << 20
_HINT: Final = "look at the list of files again"
Stamp = tuple[int, int, int, int, int]
Told = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file of the folder. `fault` says why it is not read: link, no_file, other_names; or it is empty."""

    name: str
    size: int
    changed_at: datetime
    fault: str


@dataclass(frozen=True, slots=True)
class TakenFiles:
    """Files that were read once: their paths, sizes, and the digest of names and contents."""

    folder: "ImportFolder"
    names: tuple[str, ...]
    size: int
    digest: bytes
    stamps: tuple[Stamp, ...]

    @property
    def paths(self) -> tuple[Path, ...]:
        """Where they are."""
        return tuple(self.folder.path / name for name in self.names)

    def require_unchanged(self) -> None:
        """Raise PreconditionError where one of them is not what was taken: both its times and its content."""
        again = self.folder.take(self.names)
        if (again.stamps, again.digest) != (self.stamps, self.digest):
            raise changed()


def changed() -> PreconditionError:
    """The error where files are not those that were checked."""
    return PreconditionError(
        "the files are not what was checked: one of them changed, or is gone",
        "nothing was imported; check them again when nobody writes to them",
        {"rule": "file_changed"},
    )


class ImportFolder:
    """The folder; `key` is that of the digests, which could be tried out for a small file without one."""

    def __init__(self, path: Path, key: bytes) -> None:
        self.path, self._key = path, key

    def list(self) -> Sequence[FoundFile]:
        """What lies in it, by name; neither hidden files nor folders. Raises InputError."""
        found = []
        try:
            with os.scandir(self.path) as entries:
                for entry in entries:
                    if not _is_plain(entry.name) or is_passed_over(entry.name):
                        continue
                    with suppress(FileNotFoundError):  # gone meanwhile
                        found.append((entry.name, entry.stat(follow_symlinks=False)))
        except OSError as error:
            raise InputError(
                f"the folder of [imports] cannot be read: {error.strerror}", "see node.toml"
            ) from None
        files = [(name, one) for name, one in found if not stat.S_ISDIR(one.st_mode)]
        return [
            FoundFile(name, one.st_size, datetime.fromtimestamp(one.st_mtime, UTC), _fault(one))
            for name, one in sorted(files, key=lambda each: each[0])
        ]

    def named_by(self, home: Path, patterns: Sequence[str]) -> frozenset[str]:
        """The names of its files that the patterns of a source mean."""
        here = self.path.resolve()
        return frozenset(path.name for path in find_files(home, patterns) if path.parent.resolve() == here)

    def take(self, names: Sequence[str], told: Told = lambda _done, _total: None) -> TakenFiles:
        """Read files of these names for their digest. Raises PreconditionError for what cannot be read so."""
        if not names or not all(map(_is_plain, names)):
            raise PreconditionError("this is no file of the folder", _HINT, {"rule": "file_name"})
        ordered = tuple(sorted(set(names)))
        try:
            with ExitStack() as opened:
                files = [opened.enter_context(one) for one in self._open(ordered, opened)]
                stamps = tuple(_stamp(os.fstat(one.fileno())) for one in files)
                digest = self._digest(ordered, files, sum(one[2] for one in stamps), told)
                if stamps != tuple(_stamp(os.fstat(one.fileno())) for one in files):
                    raise changed()
        except OSError:
            raise changed() from None
        return TakenFiles(self, ordered, sum(one[2] for one in stamps), digest, stamps)

    def _open(self, names: Sequence[str], opened: ExitStack) -> Iterator[BinaryIO]:
        """Regular files with one name. Raises OSError, PreconditionError."""
        folder = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        opened.callback(os.close, folder)
        for name in names:
            # O_NONBLOCK: a pipe in its place would wait for its other end.
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
            descriptor = os.open(name, flags, dir_fd=folder)
            if _fault(os.fstat(descriptor)):
                os.close(descriptor)
                raise changed()
            yield os.fdopen(descriptor, "rb", buffering=0)

    def _digest(self, names: Sequence[str], files: Sequence[BinaryIO], total: int, told: Told) -> bytes:
        whole, done = blake3(key=self._key), 0
        for name, file in zip(names, files, strict=True):
            one = blake3(key=self._key)
            while chunk := file.read(_CHUNK):
                one.update(chunk)
                done += len(chunk)
                told(done, total)
            whole.update(len(name.encode()).to_bytes(4, "big") + name.encode() + one.digest())
        return whole.digest()


def _is_plain(name: str) -> bool:
    """A name that leads nowhere else and can be shown."""
    return 0 < len(name) <= MOST_NAME and name.isprintable() and "/" not in name and not name.startswith(".")


def _fault(found: os.stat_result) -> str:
    if stat.S_ISLNK(found.st_mode):
        return "link"
    if not stat.S_ISREG(found.st_mode):
        return "no_file"
    return "" if found.st_nlink == 1 else "other_names"


def _stamp(found: os.stat_result) -> Stamp:
    # The time of change of the inode cannot be set back, as that of the content can.
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
