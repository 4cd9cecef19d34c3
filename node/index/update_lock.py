"""One import or rotation at a time: the locks, the folder of temporary files, the removal of leftovers.

The home has a lock file, for its temporary files; the database has a lock too, since several homes on several
machines may share it.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from math import inf
from pathlib import Path

from keys.store.locks import hold_lock
from node.compute.scratch import make_folder, remove_folder
from node.context import Node
from node.credentials.active_keys import OPRF
from node.credentials.sum_keys import SUM_PURPOSES
from node.database import key_epochs, partition_versions, sum_tables
from node.database.exclusive import hold_database
from node.errors import ConflictError, UnavailableError

LOCK = "import.lock"
FOLDER = ".import"


@dataclass(frozen=True, slots=True)
class Workspace:
    """Where a run works. `rolled_back`: an earlier one had not ended, and what it left was removed.

    `require_lock` raises ConflictError where the lock of the database was lost.
    """

    folder: Path
    rolled_back: bool
    require_lock: Callable[[], None]


@contextmanager
def open_workspace(node: Node, *, wait: bool = False) -> Iterator[Workspace]:
    """Take the locks, remove what an earlier run left, and at the end the files of this run.

    Raises ConflictError while another import or rotation runs, unless it is to `wait` until that has ended;
    UnavailableError when the disk is full or missing.
    """
    with hold_index(node, wait=wait) as require_lock:
        node.ring.refresh()  # a rotation may just have ended
        folder = node.config.folder / FOLDER
        rolled_back = _clean(node, folder)
        try:
            yield Workspace(make_folder(folder), rolled_back, require_lock)
        finally:
            remove_folder(folder)


def clean(node: Node, *, wait: bool = False) -> bool:
    """Remove what a killed import left; return whether there was anything.

    Raises ConflictError while another import or rotation runs, unless it is to `wait`.
    """
    with hold_index(node, wait=wait):
        return _clean(node, node.config.folder / FOLDER)


def _clean(node: Node, folder: Path) -> bool:
    with node.store.transaction("find pending epochs") as tx:
        pending = key_epochs.pending_epochs(tx, OPRF)
        moving = key_epochs.pending_epochs(tx, SUM_PURPOSES[0])
    swept = partition_versions.sweep(node.store, pending)
    left = node.store.retry_write("sweep sums", partial(sum_tables.sweep, kept=moving))
    return remove_folder(folder) or bool(swept) or left > 0


@contextmanager
def hold_index(node: Node, *, wait: bool = False) -> Iterator[Callable[[], None]]:
    """Hold the locks of the home and of the database; gives what `Workspace.require_lock` is.

    Raises as `open_workspace` does.
    """
    path = node.config.folder / LOCK
    hint = "wait until it has ended, then try again; --wait does so"
    here = ConflictError("another import or rotation is running in this home", hint)
    there = ConflictError("another import or rotation is running on this database", hint)
    with ExitStack() as held:
        try:
            held.enter_context(hold_lock(path, here, wait_s=inf if wait else 0.0, create=True))
        except OSError as error:
            raise UnavailableError(
                f"{path}: cannot be opened: {error.strerror}", "check the home's folder"
            ) from None
        yield held.enter_context(hold_database(node.store, there, wait=wait))
