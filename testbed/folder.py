"""What the programs of this package share: a folder made anew and held alone, timed steps, exit codes."""

import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from keys.store.locks import hold_lock
from testbed.processes import ChildError, stoppable


@contextmanager
def own_folder(folder: Path, name: str, *, fresh: bool) -> Iterator[None]:
    """Hold the folder of `make NAME` alone; a fresh one is emptied, after a check that this program made it.

    Raises ChildError for a folder of something else, or one that is in use.
    """
    mark = folder / f".heqiao-{name}"
    if not mark.is_file():
        if not fresh:
            raise ChildError(f"{folder}: no {name} here", f"run `make {name}` first")
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise ChildError(
                f"{folder}: exists and was not made by `make {name}`", "move it away, or give --folder"
            )
        folder.mkdir(parents=True, exist_ok=True)
        mark.write_text(
            f"Made by `make {name}`, which replaces everything in this folder.\n", encoding="utf-8"
        )
    busy = ChildError(
        f"{folder}: another `make {name}` or `make {name}-serve` uses it", "stop that one with Ctrl-C"
    )
    with hold_lock(mark, busy):
        if fresh:
            for path in folder.iterdir():
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path)
                elif path != mark:
                    path.unlink()
        yield


@contextmanager
def step(name: str, text: str) -> Iterator[None]:
    """Say what is being done, and how long it took."""
    began = time.monotonic()
    print(f"{name}: {text} ...", file=sys.stderr, flush=True)
    yield
    print(f"{name}:     {time.monotonic() - began:.1f} s", file=sys.stderr, flush=True)


def exit_code(name: str, run: Callable[[], int]) -> int:
    """The exit code of a program: what `run` returns, 1 for a failure, which is printed, 130 for Ctrl-C."""
    try:
        with stoppable():
            return run()
    except ChildError as error:
        print(f"{name}: error: {error}\n{name}: hint: {error.hint}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"{name}: error: {error.filename}: {error.strerror}\n"
              f"{name}: hint: check the folder, its permissions and the disk", file=sys.stderr)  # fmt: skip
        return 1
    except KeyboardInterrupt:
        print(f"{name}: stopped; all its processes have ended", file=sys.stderr)
        return 130
