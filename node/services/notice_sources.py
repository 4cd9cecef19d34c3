"""Which checks become notices. One source of each fact: doctor and `heqiao keys status` use the same code.

A new kind of check is a function here and a line in SOURCES.
"""

from collections.abc import Iterator
from datetime import timedelta

from keys import KeyringError
from keys.store.inventory import inspect
from node.context import Node
from node.credentials.validity import ListState, certificate_end, ends_soon, list_state
from node.database import alerts as alert_rows
from node.database import notices as notice_rows
from node.domain.days import china_day
from node.domain.notices import Level, Notice, NoticeKind
from node.governance import backups
from node.jobs.calendar import working_days
from node.jobs.notices import Source
from node.jobs.watch_store import current_thresholds
from node.rotation.status import read_due
from node.services.opened_keys import opened_keys

_LAST_DAYS = 7  # of a certificate
_OVERDUE_SHOWN = timedelta(days=7)


def find_certificate(node: Node) -> Iterator[Notice]:
    """The node's certificate, as `heqiao doctor` judges it."""
    now = node.clock()
    try:
        end = certificate_end(node.keys.certificate, node.keys.ca, now)
    except KeyringError:  # it has ended already, or is not of this federation: doctor says which
        yield Notice(NoticeKind.CERTIFICATE_ENDS, Level.URGENT)
        return
    if ends_soon(end, now):
        level = Level.URGENT if (end - now).days <= _LAST_DAYS else Level.WARNING
        yield Notice(NoticeKind.CERTIFICATE_ENDS, level, due_on=china_day(end))


def find_keys(node: Node) -> Iterator[Notice]:
    """Keys that are due, as `heqiao keys status` says, and how many no backup on record has."""
    keys, now = opened_keys(node).open(), node.clock()
    steps = read_due(node.config, keys, now)
    for purpose in sorted({one.step.purpose for one in steps}):
        count = sum(one.step.purpose == purpose for one in steps)
        yield Notice(NoticeKind.KEY_DUE, Level.WARNING, purpose, count=count)
    with node.store.transaction("read backups") as tx:
        known = backups.read_backups(tx)
    if unsaved := backups.unsaved(inspect(keys, now), known):
        yield Notice(NoticeKind.KEYS_UNSAVED, Level.WARNING, count=len(unsaved))


def find_list(node: Node) -> Iterator[Notice]:
    """The list of revoked certificates, as `heqiao doctor` judges it."""
    state = list_state(node.revocations.age)
    if state is not ListState.GOOD:
        level = Level.URGENT if state is ListState.REFUSED else Level.WARNING
        yield Notice(NoticeKind.REVOCATION_LIST_OLD, level)


def find_overdue(node: Node) -> Iterator[Notice]:
    """Parts of the last days that nobody answered in time."""
    with node.store.transaction("count overdue parts") as tx:
        found = notice_rows.overdue_parts(tx, node.clock() - _OVERDUE_SHOWN)
    for (owner, peer), count in sorted(found.items()):
        yield Notice(NoticeKind.PARTS_OVERDUE, Level.WARNING, peer, owner, count)


def find_distrusted(node: Node) -> Iterator[Notice]:
    """Peers whose answers of the last days failed a check of honesty."""
    with node.store.transaction("count distrusted parts") as tx:
        found = notice_rows.distrusted_parts(tx, node.clock() - _OVERDUE_SHOWN)
    for peer, count in sorted(found.items()):
        yield Notice(NoticeKind.PEER_DISTRUSTED, Level.URGENT, peer, count=count)


def find_watches(node: Node) -> Iterator[Notice]:
    """Alerts that nobody has looked at, looks that failed, lists without thresholds."""
    with node.store.transaction("count alerts") as tx:
        opened, failed = alert_rows.count_open(tx), notice_rows.failed_looks(tx)
        lists = notice_rows.count_watches(tx)
    for (owner, watch), count in sorted(opened.items()):
        yield Notice(NoticeKind.ALERTS_OPEN, Level.WARNING, watch, owner, count)
    for (owner, watch), count in sorted(failed.items()):
        yield Notice(NoticeKind.LOOKS_FAILED, Level.WARNING, watch, owner, count)
    if lists and current_thresholds(node, china_day(node.clock())) is None:
        yield Notice(NoticeKind.THRESHOLDS_MISSING, Level.WARNING)


def find_holidays(node: Node) -> Iterator[Notice]:
    """The year without a table of holidays, as `heqiao doctor` judges it: from 1 December on the next one."""
    now = node.clock()
    year = working_days(node).missing_year(now)
    if year is not None:
        level = Level.URGENT if year == china_day(now).year else Level.WARNING
        yield Notice(NoticeKind.HOLIDAY_TABLE_MISSING, level, str(year))


OF_KEYS = Source((NoticeKind.KEY_DUE, NoticeKind.KEYS_UNSAVED), find_keys)
SOURCES = (
    Source((NoticeKind.CERTIFICATE_ENDS,), find_certificate),
    OF_KEYS,
    Source((NoticeKind.REVOCATION_LIST_OLD,), find_list),
    Source((NoticeKind.PARTS_OVERDUE,), find_overdue),
    Source((NoticeKind.PEER_DISTRUSTED,), find_distrusted),
    Source((NoticeKind.HOLIDAY_TABLE_MISSING,), find_holidays),
    Source((NoticeKind.ALERTS_OPEN, NoticeKind.LOOKS_FAILED, NoticeKind.THRESHOLDS_MISSING), find_watches),
)
