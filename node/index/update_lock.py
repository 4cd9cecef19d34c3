"""One import at a time: the lock, the folder of temporary files, the removal of leftovers."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from keys.store.locks import hold_lock
from node.compute.scratch import make_folder, remove_folder
from node.context import Node
from node.credentials.active_keys import OPRF
from node.credentials.sum_keys import SUM_PURPOSES
from node.database import key_epochs, partition_versions, sum_tables
from node.errors import ConflictError, UnavailableError

LOCK = "import.lock"
FOLDER = ".import"


@dataclass(frozen=True, slots=True)
class Workspace:
    """Where a run works. `rolled_back`: an earlier one had not ended, and what it left was removed."""

    folder: Path
    rolled_back: bool


@contextmanager
def open_workspace(node: Node) -> Iterator[Workspace]:
    """Take the lock of the home, remove what an earlier run left, and at the end the files of this run.

    Raises ConflictError while another import runs, UnavailableError when the disk is full or missing.
    """
    with _locked(node.config.folder / LOCK):
        node.ring.refresh()  # a rotation may just have ended
        folder = node.config.folder / FOLDER
        rolled_back = _clean(node, folder)
        try:
            yield Workspace(make_folder(folder), rolled_back)
        finally:
            remove_folder(folder)


def clean(node: Node) -> bool:
    """Remove what a killed import left; return whether there was anything. Raises ConflictError."""
    with _locked(node.config.folder / LOCK):
        return _clean(node, node.config.folder / FOLDER)


def _clean(node: Node, folder: Path) -> bool:
    with node.store.transaction("find pending epochs") as tx:
        pending = key_epochs.pending_epochs(tx, OPRF)
        moving = key_epochs.pending_epochs(tx, SUM_PURPOSES[0])
    swept = partition_versions.sweep(node.store, pending)
    left = node.store.retry_write("sweep sums", partial(sum_tables.sweep, kept=moving))
    return remove_folder(folder) or bool(swept) or left > 0


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    busy = ConflictError(
        "another import or rotation is running in this home", "wait until it has ended, then try again"
    )
    with ExitStack() as held:
        try:
            held.enter_context(hold_lock(path, busy, create=True))
        except OSError as error:
            raise UnavailableError(
                f"{path}: cannot be opened: {error.strerror}", "check the home's folder"
            ) from None
        yield
