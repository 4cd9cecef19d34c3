"""Imports of everything a province holds, one item after another (docs/import.md, "Everything").

Each item is published for itself, so a run that is killed keeps what it has finished: the next run finds
those items in the database and goes on with the others.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from functools import partial
from pathlib import Path
from typing import Final

from keys.errors import KeyringError
from keys.store.locks import hold_lock
from node.compute.engine import Workers
from node.context import Node
from node.errors import ConflictError, NodeError
from node.files import disk_errors
from node.index import update_lock
from node.registers.importer import Imported
from node.registers.imports import Before, find_before, forget_queries, perform
from node.registers.plan import ImportPlan, rejects_name
from node.registers.requests import ImportRequest
from node.registers.shrinking import Confirm
from node.registers.sources import source_of
from node.telemetry.progress import Progress

LOCK: Final = "import-all.lock"
# Item, number of the item, stage, done, total.
PlanProgress = Callable[[str, int, str, int, int], None]


class State(Enum):
    """What became of an item of a plan."""

    IMPORTED = "imported"
    BEFORE = "done before"
    FAILED = "failed"
    LEFT = "not begun"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One item of a run: what was imported, now or before, or why it was not."""

    request: ImportRequest
    state: State
    imported: Imported | None = None
    before: Before | None = None
    error: NodeError | KeyringError | None = None


@dataclass(frozen=True, slots=True)
class RunResult:
    """A run over a plan. `rolled_back`: an earlier import had not ended, and what it left was removed."""

    outcomes: Sequence[Outcome]
    rolled_back: bool

    @property
    def failed(self) -> bool:
        """Whether an item was not imported."""
        return any(one.state in (State.FAILED, State.LEFT) for one in self.outcomes)


def run_plan(
    node: Node,
    plan: ImportPlan,
    rejects: Path,
    workers_for: Callable[[int], Workers],
    progress: PlanProgress,
    *,
    again: bool,
    wait: bool,
    confirm: Confirm | None = None,
) -> RunResult:
    """Import every item of a plan; the lists of rejects go to the folder `rejects`.

    `workers_for` starts the workers for a source of some bytes. An item that fails keeps its published
    version, and the others are still imported; where another import or a rotation runs, the rest is left.
    With `again` nothing counts as done before, with `wait` it waits for another import or a rotation;
    `confirm` is that of `import_item`. Raises ConflictError while another run works in this home or, without
    `wait`, another import or rotation.
    """
    with _only_run(node):
        rolled_back = update_lock.clean(node, wait=wait)
        outcomes: list[Outcome] = []
        for number, request in enumerate(plan.requests, 1):
            if any(isinstance(one.error, ConflictError) for one in outcomes):
                outcomes.append(Outcome(request, State.LEFT))
                continue
            place = rejects / rejects_name(request.item)
            show = partial(progress, request.item, number)
            outcomes.append(
                _import_one(node, request, place, workers_for, show, again=again, wait=wait, confirm=confirm)
            )
        result = RunResult(outcomes, rolled_back)
        if not result.failed:
            forget_queries(node, plan.requests)
        return result


def _import_one(
    node: Node,
    request: ImportRequest,
    rejects_file: Path,
    workers_for: Callable[[int], Workers],
    progress: Progress,
    *,
    again: bool,
    wait: bool,
    confirm: Confirm | None,
) -> Outcome:
    try:
        node.ring.refresh()  # a rotation may have ended since the item before
        before = None if again else find_before(node, request)
        if before is not None:
            return Outcome(request, State.BEFORE, before=before)
        progress("read", 0, 0)
        with workers_for(source_of(request).size) as workers:
            done = perform(node, request, rejects_file, workers, progress, wait=wait, confirm=confirm)
    except (NodeError, KeyringError) as error:
        return Outcome(request, State.FAILED, error=error)
    return Outcome(request, State.IMPORTED, imported=done)


@contextmanager
def _only_run(node: Node) -> Iterator[None]:
    busy = ConflictError(
        "another `heqiao import --all` is running in this home", "wait until it has ended, then try again"
    )
    path = node.config.folder / LOCK
    with disk_errors("check the home's folder"):
        path.touch(mode=0o600)
    with hold_lock(path, busy):
        yield
