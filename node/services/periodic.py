"""Periodic tasks of `heqiao serve`: of several processes, one runs them."""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial

from node.context import Node
from node.credentials.validity import ListState, list_state
from node.database import partition_versions
from node.database.leases import Lease
from node.index.offering import offer_due
from node.jobs import deadlines
from node.jobs.case_clock import count_anew
from node.jobs.mirrors import mirror_tasks
from node.jobs.notices import collect, deliver
from node.jobs.retention import erase_due
from node.jobs.scheduler import Task
from node.jobs.sent_corrections import sync
from node.jobs.watch_tokens import EndedTokens
from node.jobs.watches import submit_due
from node.responder import queries
from node.rotation.status import read_status
from node.rotation.storage import has_older, reseal
from node.services.notice_sources import SOURCES
from node.services.opened_keys import opened_keys
from node.telemetry import log


def periodic_tasks(node: Node) -> tuple[Task, ...]:
    """The tasks of a node."""
    due = Task("rotations_due", timedelta(days=1), lambda _lease: log_due_rotations(node))
    offer = Task("changes_offered", timedelta(minutes=1), lambda lease: offer_changes(node, lease))
    retained = Task("retention", timedelta(days=1), lambda lease: erase_and_log(node, lease))
    old = Task("old_queries_removed", timedelta(hours=1), partial(queries.remove_old, node))
    listed = Task("revocation_list_age", timedelta(days=1), lambda _lease: log_old_list(node))
    sealed = Task("storage_resealed", timedelta(minutes=5), lambda lease: reseal_older(node, lease))
    waits = Task("deadlines", deadlines.EVERY, lambda lease: watch_deadlines(node, lease))
    followed = Task("corrections_followed", timedelta(hours=6), lambda lease: follow_corrections(node, lease))
    own = (due, offer, retained, old, listed, sealed, waits, followed)
    # After the mirrors: what has just come is looked at.
    return (*own, *mirror_tasks(node), *watch_tasks(node))


def watch_tasks(node: Node) -> tuple[Task, ...]:
    """Looks at watch lists, tokens that nothing permits any more, notices and their delivery."""
    ended = EndedTokens(node)
    minute = timedelta(minutes=1)
    return (
        Task("watch_tokens", minute, lambda _lease: log_erased(ended.erase())),
        Task("watch_looks", minute, lambda _lease: log_looks(submit_due(node))),
        Task("notices", 5 * minute, lambda lease: log_notices(collect(node, SOURCES, lease.write))),
        Task("notices_sent", minute, lambda lease: log_sent(deliver(node, lease.write))),
    )


def log_erased(people: int) -> None:
    """Log of how many people tokens were erased."""
    if people:
        log.get_logger().info("watch_tokens_erased", entries=people)


def log_looks(jobs: Sequence[str]) -> None:
    """Log the looks that were submitted."""
    for job in jobs:
        log.get_logger().info("look_submitted", job=job)


def log_notices(new: Sequence[int]) -> None:
    """Log how many notices are new."""
    if new:
        log.get_logger().info("notices", entries=len(new))


def log_sent(count: int) -> None:
    """Log how many notices were sent."""
    if count:
        log.get_logger().info("notices_sent", entries=count)


def erase_and_log(node: Node, lease: Lease) -> None:
    """Erase what is due ([retention]). Raises as `Lease.write` does."""
    erased, is_cleared = erase_due(node, lease.write, stopping=lease.stopping.is_set)
    status = "cleared" if is_cleared else "log_kept"
    log.get_logger().info("retention", entries=erased.jobs, status=status)


def follow_corrections(node: Node, lease: Lease) -> None:
    """Send requests for correction that could not be delivered, and fetch the answers of peers."""
    sync(node, stopping=lease.stopping.is_set)


def offer_changes(node: Node, lease: Lease) -> None:
    """Offer peers the upserts and deletes whose time of day has come. Raises as `Lease.write` does."""
    with node.store.transaction("look for changes") as tx:
        waiting = partition_versions.are_waiting(tx)
    if waiting:
        lease.write("offer changes", partial(offer_due, node))


def watch_deadlines(node: Node, lease: Lease) -> None:
    """Warn of peers that do not answer. Raises as `Lease.write` does."""
    warned, moved = deadlines.watch_deadlines(node, lease.write, lease.stopping.is_set)
    moved += count_anew(node, lease.write)
    if warned or moved:
        log.get_logger().info("deadlines", entries=warned, status=f"{moved} counted anew")


def reseal_older(node: Node, lease: Lease) -> None:
    """After a rotation of the storage key: seal again what is under an older one. Raises as `reseal` does."""
    if not has_older(node):
        return
    found = reseal(node, lease.stopping.is_set)
    if found.moved or found.damaged:
        log.get_logger().info("resealed", entries=found.moved, reason=", ".join(sorted(found.damaged)))


def log_old_list(node: Node) -> None:
    """Log a line while the revocation list is late, and another one when the node serves nobody for it."""
    age = node.revocations.age
    state = list_state(age)
    if age is not None and state is not ListState.GOOD:
        refused = state is ListState.REFUSED
        status = "too old, all calls are refused" if refused else "late"
        level = log.get_logger().error if refused else log.get_logger().warning
        level("revocations", status=status, reason=f"{age.days} days")


def log_due_rotations(node: Node) -> None:
    """Log a line for every key that is due for rotation. Raises NodeError and KeyringError kinds."""
    now = node.clock()
    for line in read_status(node.config, opened_keys(node).open(), now).keys:
        if line.due is not None and line.due <= now:
            log.get_logger().warning("rotation_due", kind=line.facts.purpose, epoch=line.facts.epoch)
