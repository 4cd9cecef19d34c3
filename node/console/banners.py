"""What the top of every page warns of: notices about the node, each with the page that repairs it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

from node.client.people import notices_of
from node.console.rights import may
from node.console.visits import Visit
from node.domain.notices import NoticeKind

_HEALTH: Final = ("/health", "OverviewService/GetHealth")
# Of each kind that is a banner: its words, the pages in order of usefulness and the methods that they call.
_BANNERS: Final = {
    NoticeKind.CERTIFICATE_ENDS: (
        "节点证书即将到期：{day}",
        (("/keys", "OverviewService/GetKeys"), _HEALTH),
    ),
    NoticeKind.HOLIDAY_TABLE_MISSING: ("缺{year}年节假日表，工作日为估算", (_HEALTH,)),
    NoticeKind.PEER_DISTRUSTED: (
        "{subject}的答复未通过校验，请与该省联系，查明前暂停",
        (("/peers", "PeerAdminService/ListPeerStates"), _HEALTH),
    ),
    NoticeKind.REVOCATION_LIST_OLD: ("证书吊销列表过期", (_HEALTH,)),
}
_ENDED: Final = "节点证书已到期"


@dataclass(frozen=True, slots=True)
class Banner:
    """A sentence with `{subject}` or `{year}`, and `{day}`, and the page to go to."""

    words: str
    path: str
    subject: str
    day: date | None


def banners(visit: Visit) -> Iterator[Banner]:
    """The banners of a page for who is signed in: those whose page this person may read."""
    for row in notices_of(visit.frame):
        one = row.notice
        words, pages = _BANNERS.get(one.kind, ("", ()))
        path = next((path for path, method in pages if may(visit.person, method)), "")
        if one.kind is NoticeKind.CERTIFICATE_ENDS and one.due_on is None:
            words = _ENDED
        if path:
            yield Banner(words, path, one.subject, one.due_on)
