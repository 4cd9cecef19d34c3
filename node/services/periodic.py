"""Periodic tasks of `heqiao serve`: of several processes, one runs them."""

from datetime import timedelta
from functools import partial

from node.config import open_key_store
from node.context import Node
from node.credentials.revocation_lists import REFUSED, WARNED
from node.database import partition_versions
from node.database.leases import Lease
from node.index.offering import offer_due
from node.jobs.mirrors import mirror_tasks
from node.jobs.retention import erase_due
from node.jobs.scheduler import Task
from node.jobs.sent_corrections import sync
from node.responder import queries
from node.rotation.status import read_status
from node.rotation.storage import has_older, reseal
from node.telemetry import log


def periodic_tasks(node: Node) -> tuple[Task, ...]:
    """The tasks of a node."""
    due = Task("rotations_due", timedelta(days=1), lambda _lease: log_due_rotations(node))
    offer = Task("changes_offered", timedelta(minutes=1), lambda lease: offer_changes(node, lease))
    retained = Task("retention", timedelta(days=1), lambda lease: erase_and_log(node, lease))
    old = Task("old_queries_removed", timedelta(hours=1), partial(queries.remove_old, node))
    listed = Task("revocation_list_age", timedelta(days=1), lambda _lease: log_old_list(node))
    sealed = Task("storage_resealed", timedelta(minutes=5), lambda lease: reseal_older(node, lease))
    followed = Task("corrections_followed", timedelta(hours=6), lambda lease: follow_corrections(node, lease))
    return (due, offer, retained, old, listed, sealed, followed, *mirror_tasks(node))


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
    if age is not None and age > WARNED:
        status = "too old, all calls are refused" if age > REFUSED else "late"
        level = log.get_logger().error if age > REFUSED else log.get_logger().warning
        level("revocations", status=status, reason=f"{age.days} days")


def log_due_rotations(node: Node) -> None:
    """Log a line for every key that is due for rotation. Raises NodeError and KeyringError kinds."""
    now = node.clock()
    for line in read_status(node.config, open_key_store(node.config), now).keys:
        if line.due is not None and line.due <= now:
            log.get_logger().warning("rotation_due", kind=line.facts.purpose, epoch=line.facts.epoch)
