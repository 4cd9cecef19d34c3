"""Files of a home: atomic writes, new folders, file system errors as InputError."""

import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from keys.store.atomic_files import PRIVATE, NewFile, sync_folder
from node.errors import InputError, UnavailableError


def write_atomically(path: Path, chunks: Iterable[bytes]) -> None:
    """Write a file of mode 0600 under a temporary name, then rename it: a reader sees all of it or none.

    Raises UnavailableError naming the path.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with NewFile(path, PRIVATE) as new:
            new.file.writelines(chunks)
            new.publish()
    except OSError as error:
        hint = "check the folder and the free space, then run the command again"
        raise UnavailableError(f"{path}: cannot be written: {error.strerror}", hint) from None


@contextmanager
def new_folder(target: Path) -> Iterator[Path]:
    """A folder that gets its name when everything is written, and is removed after an error.

    Raises:
        InputError: the target exists, or its parent does not.
    """
    parent = target.absolute().parent
    with disk_errors("nothing was written; correct it and try again"):
        if target.exists() or target.is_symlink():
            raise InputError(
                f"{target}: exists already", "nothing was changed; name a folder that does not exist"
            )
        if not parent.is_dir():
            raise InputError(f"{parent}: no such folder", "make it first")
        partial = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".part", dir=parent))
        try:
            yield partial
            partial.rename(target)
            sync_folder(parent)
        finally:
            shutil.rmtree(partial, ignore_errors=True)  # after success it no longer exists


@contextmanager
def disk_errors(hint: str) -> Iterator[None]:
    """Raise an error of the file system as an InputError that names the file."""
    try:
        yield
    except OSError as error:
        raise InputError(f"{error.filename}: {error.strerror}", hint) from None
