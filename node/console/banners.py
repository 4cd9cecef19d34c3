"""What the top of every page warns of: notices about the node, each with the page that repairs it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

from node.client.people import notices_of
from node.console.rights import may
from node.console.visits import Visit
from node.domain.notices import Level, Notice, NoticeKind

_KEYS: Final = "/keys"
_BACKUPS: Final = "/keys/backups"
_ALERTS: Final = "/alerts"
_HEALTH: Final = ("/health", "OverviewService/GetHealth")
# Of each kind that is a banner: its words, the pages in order of usefulness and the methods that they call.
_BANNERS: Final = {
    NoticeKind.CERTIFICATE_ENDS: (
        "节点证书即将到期：{day}",
        ((_KEYS, "OverviewService/GetKeys"), _HEALTH),
    ),
    NoticeKind.HOLIDAY_TABLE_MISSING: ("缺{year}年节假日表，工作日为估算", (_HEALTH,)),
    NoticeKind.PEER_DISTRUSTED: (
        "{subject}的答复未通过校验，请与该省联系，查明前暂停",
        (("/peers", "PeerAdminService/ListPeerStates"), _HEALTH),
    ),
    NoticeKind.REVOCATION_LIST_OLD: ("证书吊销列表过期", (_HEALTH,)),
    NoticeKind.KEYS_UNSAVED: (
        "有{count}把密钥不在任何备份中",
        # Of the province's administrators alone: others can neither make a backup nor ask for one.
        ((_BACKUPS, "KeyService/ListBackups"), ("/health", "ApprovalService/ListApprovals")),
    ),
    # Of who may act: preparers look again; thresholds are set by a command, by who runs the node.
    NoticeKind.LOOKS_FAILED: ("有{count}个监测名单的比对未完成", ((_ALERTS, "WatchService/RunWatch"),)),
    NoticeKind.THRESHOLDS_MISSING: (
        "未设置预警阈值，监测名单的变化都不会成为预警：heqiao watch thresholds set",
        (("/health", "PeerAdminService/AddPeer"),),
    ),
}
_ENDED: Final = "节点证书已到期"


@dataclass(frozen=True, slots=True)
class Banner:
    """A sentence with `{subject}` or `{year}`, `{day}` and `{count}`, and the page to go to."""

    words: str
    path: str
    subject: str
    day: date | None
    count: int


def banners(visit: Visit) -> Iterator[Banner]:
    """The banners of a page for who is signed in: those whose page this person may read."""
    found = [row.notice for row in notices_of(visit.frame)]
    lists = sum(one.kind is NoticeKind.LOOKS_FAILED for one in found)
    if lists:  # one banner for all of them
        found = [one for one in found if one.kind is not NoticeKind.LOOKS_FAILED]
        found.append(Notice(NoticeKind.LOOKS_FAILED, Level.WARNING, count=lists))
    for one in found:
        words, pages = _BANNERS.get(one.kind, ("", ()))
        path = next((path for path, method in pages if may(visit.person, method, _package(method))), "")
        if one.kind is NoticeKind.CERTIFICATE_ENDS and one.due_on is None:
            words = _ENDED
        if path and not _is_said(visit, path):
            yield Banner(words, path, one.subject, one.due_on, one.count)


def _is_said(visit: Visit, path: str) -> bool:
    """Whether the page itself says it, as it is now: pages of keys name those without a backup, the page of
    alerts the looks that failed.
    """
    here = visit.request.url.path
    return (path == _BACKUPS and here.startswith(_KEYS)) or (path == _ALERTS and here.startswith(_ALERTS))


def _package(method: str) -> str:
    return "platform" if method.startswith("WatchService/") else "admin"
