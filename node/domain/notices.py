"""Notices: what an administrator or an officer should know (codes, days, counts; never a person). Pure."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from node.domain.job_access import NODE, JobAccess


class NoticeKind(StrEnum):
    """What a notice is about."""

    CERTIFICATE_ENDS = "certificate_ends"
    KEY_DUE = "key_due"
    REVOCATION_LIST_OLD = "revocation_list_old"
    PARTS_OVERDUE = "parts_overdue"
    HOLIDAY_TABLE_MISSING = "holiday_table_missing"
    ALERTS_OPEN = "alerts_open"
    LOOKS_FAILED = "looks_failed"
    THRESHOLDS_MISSING = "thresholds_missing"
    PEER_DISTRUSTED = "peer_distrusted"
    KEYS_UNSAVED = "keys_unsaved"


class Level(StrEnum):
    """How urgent it is."""

    INFO = "info"
    WARNING = "warning"
    URGENT = "urgent"


_GRAVITY: Final = {level: place for place, level in enumerate(Level)}
# Of each kind: Chinese, English, what to do.
WORDS: Final[Mapping[NoticeKind, tuple[str, str, str]]] = {
    NoticeKind.CERTIFICATE_ENDS: (
        "节点证书即将到期",
        "the certificate of this node is near its end",
        "renew it: `heqiao keys rotate tls`, `heqiao ca issue`, `heqiao join`",
    ),
    NoticeKind.KEY_DUE: (
        "密钥到期应轮换",
        "keys are due for rotation",
        "`heqiao keys status` says which; `heqiao keys rotate --due` does it",
    ),
    NoticeKind.REVOCATION_LIST_OLD: (
        "证书吊销列表过期",
        "the list of revoked certificates is old",
        "take the newest list with `heqiao peers revocations`",
    ),
    NoticeKind.PARTS_OVERDUE: (
        "外省逾期未复",
        "a province has not answered in time",
        "telephone its administrator; `heqiao jobs list` shows the jobs",
    ),
    NoticeKind.HOLIDAY_TABLE_MISSING: (
        "缺少年度节假日安排",
        "the table of holidays of a year is missing",
        "put in the province's own table",
    ),
    NoticeKind.ALERTS_OPEN: (
        "监测预警待处理",
        "alerts of a watch list wait for a person",
        "`heqiao watch alerts list` shows them",
    ),
    NoticeKind.LOOKS_FAILED: (
        "监测比对未完成",
        "looks of watch lists did not end well",
        "`heqiao watch list` says why",
    ),
    NoticeKind.THRESHOLDS_MISSING: (
        "未设置预警阈值",
        "people are watched without thresholds: no change becomes an alert",
        "set them with `heqiao watch thresholds set`",
    ),
    NoticeKind.PEER_DISTRUSTED: (
        "外省答复未通过校验",
        "an answer of a province failed a check of honesty",
        "telephone its administrator; pause it until the cause is known",
    ),
    NoticeKind.KEYS_UNSAVED: (
        "有密钥不在任何备份中",
        "keys are in no backup",
        "`heqiao keys backup`",
    ),
}


@dataclass(frozen=True, slots=True)
class Notice:
    """One notice. `subject` is a code (a purpose of keys, a province, a watch list) or empty; `owner` is
    whose job or list it is about, else the node; `due_on` is a day of China.
    """

    kind: NoticeKind
    level: Level
    subject: str = ""
    owner: str = NODE
    count: int = 1
    due_on: date | None = None

    @property
    def place(self) -> tuple[str, str, str]:
        """What it is about: of each there is one open notice at most."""
        return self.kind.value, self.subject, self.owner

    def outgrows(self, other: "Notice") -> bool:
        """Whether it is worth telling again after another one about the same."""
        return _GRAVITY[self.level] > _GRAVITY[other.level] or self.count > other.count


@dataclass(frozen=True, slots=True)
class NoticeRow:
    """A notice as it is stored; `seq` ascends without gaps."""

    seq: int
    notice: Notice
    raised_at: datetime
    cleared_at: datetime | None = None


def plan_notices(
    opened: Sequence[NoticeRow], found: Iterable[Notice], kinds: Collection[NoticeKind]
) -> tuple[list[int], list[Notice]]:
    """Which open notices end, and which new ones begin. Only those of `kinds` were looked for: others stay.

    One that still holds stays as it is, and is told again only where it has become graver or larger.
    """
    now = {one.place: one for one in found}
    cleared, known = [], {}
    for row in opened:
        if row.notice.kind not in kinds:
            continue
        current = now.get(row.notice.place)
        if current is None or current.outgrows(row.notice):
            cleared.append(row.seq)
        else:
            known[row.notice.place] = row
    return cleared, [one for place, one in now.items() if place not in known]


def may_see(access: JobAccess, notice: Notice, readers: Collection[str], name: str) -> bool:
    """Whether a caller sees a notice: the node all, a platform those about what it may see, and those about
    the node where `readers` has its name.
    """
    if notice.owner == NODE and access.owner != NODE:
        return name in readers
    return access.may_see(notice.owner)
