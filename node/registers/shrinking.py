"""Imports that leave fewer entries of an item: under dual control a second administrator approves them.

What counts is the number of entries that peers could find, after the import as against the most of the last
days: so many small steps are no way round, and an upsert, a delete and a full export are judged alike. A
register that is emptied answers "no record" about everybody, which nobody outside can tell from the truth.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from node.context import Node
from node.database import imports
from node.domain.catalogue import Item
from node.errors import PreconditionError
from node.registers.delta import Change
from node.registers.requests import Mode

LOOK_BACK: Final = timedelta(days=30)  # a month: registers are exported at least monthly


@dataclass(frozen=True, slots=True)
class Shrinking:
    """An import that would leave `left` entries, where there were `held`; `source` is its digest."""

    item: str
    mode: Mode
    held: int
    left: int
    source: bytes


# Returns where a second administrator has approved; raises ApprovalNeededError and the like where not.
Confirm = Callable[[Shrinking], None]


def find(node: Node, item: Item, mode: Mode, change: Change, source: bytes) -> Shrinking | None:
    """Whether publishing a change would shrink an item by more than node.toml allows one person."""
    epoch, now = node.keys.epoch, node.clock()
    with node.store.transaction("count entries") as tx:
        before = imports.entries_by_origin(tx, item.code, epoch)
        after = {**before, **imports.entries_prepared(tx, change.prepared)}
        most = max(imports.most_held(tx, item.code, now - LOOK_BACK), sum(before.values()))
    left = sum(after.values())
    allowed = most * (100 - node.config.approvals.shrink_percent)
    return Shrinking(item.code, mode, most, left, source) if 100 * left < allowed else None


def require_approved(node: Node, found: Shrinking | None, confirm: Confirm | None) -> bool:
    """Go on only where the import shrinks nothing, is approved, or nobody needs to approve.

    Returns whether it was approved. Raises what `confirm` does; PreconditionError without one.
    """
    if found is None or not node.config.approvals.required:
        return False
    if confirm is None:
        raise PreconditionError(
            f"{found.item}: {found.held:,} entries would become {found.left:,}, which needs a second "
            "administrator",
            "run `heqiao import --as` your administrator's folder",
        )
    confirm(found)
    return True
