"""Stores what the checks of a node find as notices, and delivers them (docs/watch.md)."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Final, TypeVar

from keys import KeyringError
from matcher import MatcherError
from node.context import Node
from node.database import Connection
from node.database import notices as rows
from node.domain.notices import Notice, NoticeKind, NoticeRow, plan_notices
from node.errors import NodeError, UnavailableError
from node.jobs.notice_channels import FOLDER, MAIL, channels, send_mail, write_file
from node.telemetry import log

LONGEST_WAIT: Final = timedelta(hours=1)
AT_ONCE: Final = 50  # notices in a mail
T = TypeVar("T")
Write = Callable[[str, Callable[[Connection], T]], T]


@dataclass(frozen=True, slots=True)
class Source:
    """A check that finds notices of some kinds: all that hold now, each time it runs.

    One that raises leaves the open notices of its kinds as they are.
    """

    kinds: tuple[NoticeKind, ...]
    find: Callable[[Node], Iterable[Notice]]


def collect(node: Node, sources: Sequence[Source], write: Write[list[int]] | None = None) -> list[int]:
    """Run all checks and store what has changed; the numbers of the new notices. Raises NodeError kinds."""
    found: list[Notice] = []
    kinds: set[NoticeKind] = set()
    for source in sources:
        try:
            found += source.find(node)
            kinds.update(source.kinds)
        except (NodeError, KeyringError, MatcherError) as error:
            log.get_logger().warning("check_failed", code=error.code, where=log.where(error))
    keep = write or node.store.retry_write
    return keep("keep notices", partial(_keep, node, tuple(found), frozenset(kinds)))


def _keep(node: Node, found: tuple[Notice, ...], kinds: frozenset[NoticeKind], tx: Connection) -> list[int]:
    now = node.clock()
    cleared, new = plan_notices(rows.list_notices(tx, open_only=True), found, kinds)
    if cleared:
        rows.clear_notices(tx, cleared, now)
    used = channels(node.config.notices)
    return [rows.add_notice(tx, one, used, now) for one in new]


def deliver(node: Node, write: Write[None] | None = None) -> int:
    """Send what waits through every channel; how many notices went.

    A channel that fails is tried again later, and does not hold up another one. What went is noted after it
    went: a node that is killed in between sends it again.
    """
    keep, sent, now = write or node.store.retry_write, 0, node.clock()
    for channel in channels(node.config.notices):
        with node.store.transaction("list notices to send") as tx:
            waiting = rows.waiting(tx, channel, now, AT_ONCE)
        if not waiting:
            continue
        seqs = [row.seq for row in waiting]
        try:
            send(node, channel, waiting)
        except (UnavailableError, KeyringError) as error:
            log.get_logger().warning("notices_not_sent", reason=channel, code=error.code)
            keep(
                "note failed notices",
                lambda tx, c=channel, s=seqs: rows.note_failed(tx, c, s, now, LONGEST_WAIT),  # type: ignore[misc]
            )
        else:
            keep("note sent notices", lambda tx, c=channel, s=seqs: rows.note_delivered(tx, c, s, now))  # type: ignore[misc]
            sent += len(seqs)
    return sent


def send(node: Node, channel: str, waiting: Sequence[NoticeRow]) -> None:
    """Send notices through one channel. Raises UnavailableError, KeyringError (no password)."""
    settings = node.config.notices
    if channel == FOLDER:
        for row in waiting:
            write_file(settings, node.code, row)
    elif channel == MAIL:
        send_mail(settings, node.code, waiting)
