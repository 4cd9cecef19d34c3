"""What the page of a node's health shows: the checks of `heqiao doctor`, and what only a server knows."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from node.context import Node
from node.database import (
    audit_pages,
    database_facts,
    describe_database,
    notices,
    queue_state,
    seen_manifests,
)
from node.database import peers as peer_rows
from node.domain.days import china_minute
from node.domain.notices import NoticeKind
from node.governance import backups
from node.jobs.mirrors import read_mirror
from node.jobs.retention import count_due
from node.mirror.folder import State
from node.services.checks import Finding, check_node, try_check

GOOD, WARNING, WRONG = "good", "warning", "wrong"
BACKUP_DAYS: Final = 90
QUIET_DAYS: Final = 30
_FREE_PERCENT: Final = 10
_CLOCK_S: Final = 5
_MIB: Final = 2**20


@dataclass(frozen=True, slots=True)
class Card:
    """A finding as a page shows it, and when it was made."""

    finding: Finding
    state: str
    checked_at: datetime


def read_cards(node: Node) -> Iterator[Card]:
    """Every card, checked now. No peer is called."""
    yield card_of(
        node, Finding("database", True, describe_database(node.config), "", database_facts(node.config))
    )
    for check, run in (("disk", _check_disk), ("clock", _check_clock)):
        yield card_of(node, try_check(check, partial(run, node)))
    for finding in check_node(node):
        yield card_of(node, finding)
    for check, run in (
        ("peers", _check_peers),
        ("mirrors", _check_mirrors),
        ("backups", _check_backup),
        ("queue", _check_queue),
        ("retention", _check_retention),
    ):
        yield card_of(node, try_check(check, partial(run, node)))


def last_backup(node: Node) -> datetime | None:
    """When the key store was backed up last, as the audit chain says."""
    with node.store.transaction("look for a backup") as tx:
        return audit_pages.last_at(tx, backups.EVENT)


def card_of(node: Node, finding: Finding) -> Card:
    """A finding with its state."""
    if finding.good:
        return Card(finding, WARNING if finding.warns else GOOD, node.clock())
    # What could not be checked, or what a person must do soon, is a warning only where the node still serves.
    soon = finding.check in ("disk", "peers", "mirrors", "backups", "queue", "retention")
    return Card(finding, WARNING if soon and finding.facts else WRONG, node.clock())


def _check_disk(node: Node) -> Finding:
    found = shutil.disk_usage(node.config.folder)
    share = 100 * found.free // found.total
    text = f"{found.free // _MIB:,} MiB free, {share} percent"
    facts = {"free": f"{found.free // _MIB:,}", "percent": str(share)}
    hint = "" if share >= _FREE_PERCENT else "make room: what has none cannot be imported or kept"
    return Finding("disk", share >= _FREE_PERCENT, text, hint, facts, "disk_room" if hint else "")


def _check_clock(node: Node) -> Finding:
    with node.store.transaction("read the clock") as tx:
        theirs = queue_state.read_clock(tx)
    apart = round(abs((node.clock() - theirs).total_seconds()))
    good = apart <= _CLOCK_S
    hint = "" if good else "correct the clocks of this machine and the database's (NTP)"
    text = f"{apart} s from the database's clock"
    return Finding("clock", good, text, hint, {"seconds": str(apart)}, "clock_correct" if hint else "")


def _check_peers(node: Node) -> Finding:
    since = node.clock() - timedelta(days=QUIET_DAYS)
    with node.store.transaction("look at peers") as tx:
        known = peer_rows.list_peers(tx)
        seen = seen_manifests.newest_by_peer(tx)
    heard = sum(peer.code in seen and seen[peer.code] >= since for peer in known)
    paused = sum(peer.paused for peer in known)
    good = heard == len(known) and not paused
    text = f"{heard} of {len(known)} answered within {QUIET_DAYS} days, {paused} paused"
    facts = {"heard": str(heard), "all": str(len(known)), "paused": str(paused)}
    hint = "" if good else "test the connections of the others"
    return Finding("peers", good, text, hint, facts, "peers_test" if hint else "")


def count_mirrored(node: Node, peer: str) -> tuple[int, int]:
    """Partitions of a peer that are whole in the mirror, and all that its newest manifest grants."""
    _, found = read_mirror(node, peer)
    return sum(one.state is State.WHOLE for one in found), len(found)


def _check_mirrors(node: Node) -> Finding:
    with node.store.transaction("list peers") as tx:
        codes = [peer.code for peer in peer_rows.list_peers(tx)]
    pairs = [count_mirrored(node, code) for code in codes]
    whole, every = sum(pair[0] for pair in pairs), sum(pair[1] for pair in pairs)
    text = f"{whole} of {every} granted partitions are whole"
    facts = {"whole": str(whole), "all": str(every)}
    hint = "" if whole == every else "`heqiao mirror sync`"
    return Finding("mirrors", whole == every, text, hint, facts, "mirrors_sync" if hint else "")


def _check_backup(node: Node) -> Finding:
    at = last_backup(node)
    if at is None:
        facts = {"at": "", "days": ""}
        return Finding("backups", False, "never", "`heqiao keys backup`", facts, "backup_make")
    days, unsaved = (node.clock() - at).days, _count_unsaved(node)
    good = days <= BACKUP_DAYS and not unsaved
    facts = {"at": china_minute(at), "days": str(days), "unsaved": str(unsaved)}
    hint = "" if good else "`heqiao keys backup`"
    text = f"{days} days ago; {unsaved} keys are in no backup"
    return Finding("backups", good, text, hint, facts, "backup_make" if hint else "")


def _count_unsaved(node: Node) -> int:
    """As the banner says: to open the key store costs more than a page has."""
    with node.store.transaction("read notices") as tx:
        found = notices.list_notices(tx, open_only=True)
    return sum(one.notice.count for one in found if one.notice.kind is NoticeKind.KEYS_UNSAVED)


def _check_queue(node: Node) -> Finding:
    with node.store.transaction("look at the queue") as tx:
        found = queue_state.read_queue(tx, node.clock())
    text = f"{found.queued} queued, {found.running} running, {found.overdue} overdue"
    facts = {"queued": str(found.queued), "running": str(found.running), "overdue": str(found.overdue)}
    hint = "test the peers" if found.overdue else ""
    return Finding("queue", not found.overdue, text, hint, facts, "peers_test" if hint else "")


def _check_retention(node: Node) -> Finding:
    jobs, secrets = count_due(node)
    facts = {"jobs": str(jobs), "secrets": str(secrets)}
    return Finding("retention", True, f"{jobs} jobs are due to be erased", "", facts)
