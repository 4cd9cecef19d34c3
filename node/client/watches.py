"""Watch lists, alerts and notices of the own node: more of `Platform`'s connection (node/client/platform.py).

with Platform.open(home) as platform:
    watches = Watches(platform)
    watch, job = watches.add("county-1", request)
    for alert in watches.follow(after): ...
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from heqiao.platform.v1 import notices_pb2, notices_pb2_grpc, watch_pb2, watch_pb2_grpc

from node.client.platform import Platform
from node.domain.alerts import Alert
from node.domain.notices import NoticeRow
from node.domain.verification import Verification
from node.domain.watches import Watch
from node.wire import watch as wire
from node.wire.notices import read_notice


@dataclass(frozen=True, slots=True)
class Overview:
    """Lists, and the version of the thresholds in force: empty for none, or where `unusable`."""

    watches: Sequence[Watch]
    thresholds: str
    unusable: bool


class Watches:
    """What a province's own systems do with watch lists. Every method raises NodeError kinds."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def add(self, watch: str, request: Verification) -> tuple[bool, str]:
        """Add a list; whether it is new, and the job of its first look (empty where one runs already)."""
        messages = wire.add_messages(watch, request)
        found: watch_pb2.AddWatchResponse = self._call("AddWatch", messages)
        return not found.existed, found.job_id

    def run(self, watch: str, peers: Sequence[str] = ()) -> str:
        """Look now at some peers of a list, or at all; the job."""
        request = watch_pb2.RunWatchRequest(watch_id=watch, peers=peers)
        found: watch_pb2.RunWatchResponse = self._call("RunWatch", request)
        return found.job_id

    def list(self, watch: str = "") -> Sequence[Watch]:
        """All lists that the caller may see, or one."""
        return self.overview(watch).watches

    def overview(self, watch: str = "") -> Overview:
        """The lists, and the thresholds by which changes of them become alerts."""
        found: watch_pb2.ListWatchesResponse = self._call(
            "ListWatches", watch_pb2.ListWatchesRequest(watch_id=watch)
        )
        watches = tuple(map(wire.read_watch, found.watches))
        return Overview(watches, found.thresholds, found.thresholds_unusable)

    def remove(self, watch: str, refs: Sequence[str] = ()) -> int:
        """Remove some people of a list, or the whole list; how many people."""
        request = watch_pb2.RemoveWatchRequest(watch_id=watch, refs=refs)
        found: watch_pb2.RemoveWatchResponse = self._call("RemoveWatch", request)
        return found.removed

    def alerts(
        self, watch: str = "", after: int = 0, limit: int = wire.DEFAULT_LISTED, *, open_only: bool = False
    ) -> Sequence[Alert]:
        """Alerts behind a number, in order."""
        request = watch_pb2.ListAlertsRequest(after=after, limit=limit, watch_id=watch, open_only=open_only)
        found: watch_pb2.ListAlertsResponse = self._call("ListAlerts", request)
        return tuple(map(wire.read_alert, found.alerts))

    def newest_alerts(
        self, watch: str = "", before: int = 0, limit: int = wire.DEFAULT_LISTED, *, open_only: bool = False
    ) -> Sequence[Alert]:
        """Alerts before a number (0: up to the last one), the newest first."""
        request = watch_pb2.ListAlertsRequest(
            before=before, limit=limit, watch_id=watch, open_only=open_only, newest_first=True
        )
        found: watch_pb2.ListAlertsResponse = self._call("ListAlerts", request)
        return tuple(map(wire.read_alert, found.alerts))

    def acknowledge(self, alerts: Sequence[str], note: str = "") -> int:
        """Note that a person has looked at alerts; how many were not acknowledged before."""
        request = watch_pb2.AcknowledgeAlertsRequest(alert_ids=alerts, note=note)
        found: watch_pb2.AcknowledgeAlertsResponse = self._call("AcknowledgeAlerts", request)
        return found.acknowledged

    def follow(self, after: int = 0) -> Iterator[Alert]:
        """Alerts behind a number, and each new one; ends with the connection."""
        for message in self._platform.stream(
            watch_pb2_grpc.WatchServiceStub, "WatchAlerts", watch_pb2.WatchAlertsRequest(after=after)
        ):
            yield wire.read_alert(message.alert)

    def notices(self, after: int = 0, *, every: bool = False) -> Sequence[NoticeRow]:
        """Open notices behind a number, or all of them."""
        request = notices_pb2.ListNoticesRequest(after=after, limit=wire.MOST_LISTED, all=every)
        found: notices_pb2.ListNoticesResponse = self._platform.call(
            notices_pb2_grpc.NoticeServiceStub, "ListNotices", request
        )
        return tuple(map(read_notice, found.notices))

    def follow_notices(self, after: int = 0) -> Iterator[NoticeRow]:
        """Notices behind a number, and each new one; ends with the connection."""
        for message in self._platform.stream(
            notices_pb2_grpc.NoticeServiceStub, "WatchNotices", notices_pb2.WatchNoticesRequest(after=after)
        ):
            yield read_notice(message.notice)

    def _call(self, method: str, message: Any) -> Any:
        return self._platform.call(watch_pb2_grpc.WatchServiceStub, method, message)
