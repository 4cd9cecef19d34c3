"""The notice service: what an administrator or an officer should know, as a list and as a stream."""

import time
from collections.abc import Iterator

from heqiao.platform.v1 import notices_pb2 as pb
from heqiao.platform.v1 import notices_pb2_grpc

from node.context import Node
from node.database import notices as rows
from node.domain.job_access import NODE_ACCESS, JobAccess
from node.domain.notices import NoticeRow, may_see
from node.domain.rights import is_whole
from node.services.access import access_of
from node.transport.interceptors import Call
from node.transport.stream_limits import StreamLimits
from node.wire.notices import notice_message
from node.wire.watch import DEFAULT_LISTED, MOST_LISTED, read_after

POLL_S = 0.5
BATCH = 200


class NoticeServicer(notices_pb2_grpc.NoticeServiceServicer):  # type: ignore[misc]  # generated code
    """heqiao.platform.v1.NoticeService."""

    def __init__(self, node: Node, watchers: StreamLimits) -> None:
        """`watchers` bounds the streams of all services of the port together."""
        self._node, self._watchers = node, watchers

    def ListNotices(self, request: pb.ListNoticesRequest, call: Call) -> pb.ListNoticesResponse:  # noqa: N802 - the protocol's name
        """Notices in order."""
        after, most = read_after(request.after), min(request.limit or DEFAULT_LISTED, MOST_LISTED)
        found: list[NoticeRow] = []
        while len(found) < most:
            seen = self._read(after, open_only=not request.all)
            found += self._shown(seen, call)
            if len(seen) < BATCH:
                break
            after = seen[-1].seq
        return pb.ListNoticesResponse(notices=map(notice_message, found[:most]))

    def WatchNotices(  # noqa: N802
        self, request: pb.WatchNoticesRequest, call: Call
    ) -> Iterator[pb.WatchNoticesResponse]:
        """Notices behind a number, and each new one."""
        after = read_after(request.after)
        with self._watchers.take("watch"):
            while call.is_active():
                seen = self._read(after)
                for one in self._shown(seen, call):
                    yield pb.WatchNoticesResponse(notice=notice_message(one))
                if seen:
                    after = seen[-1].seq
                if len(seen) < BATCH:
                    time.sleep(POLL_S)

    def _read(self, after: int, *, open_only: bool = False) -> list[NoticeRow]:
        with self._node.store.transaction("list notices") as tx:
            return rows.list_notices(tx, after, BATCH, open_only=open_only)

    def _shown(self, seen: list[NoticeRow], call: Call) -> list[NoticeRow]:
        # People of the province see what is about the node; those of a unit below it what is their own.
        person = call.person
        whole = person is not None and is_whole(person.unit)
        access: JobAccess = NODE_ACCESS if whole else access_of(self._node, call)
        readers = self._node.config.notices.readers if person is None else ()
        return [row for row in seen if may_see(access, row.notice, readers, call.caller.name)]
