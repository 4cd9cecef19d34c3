"""The watch service: a province's own systems keep watch lists and read their alerts."""

import time
from collections.abc import Iterator

from heqiao.platform.v1 import watch_pb2 as pb
from heqiao.platform.v1 import watch_pb2_grpc

from node.context import Node
from node.domain.days import china_day
from node.errors import PreconditionError
from node.jobs import watch_alerts, watches
from node.jobs.runner import Runner
from node.jobs.watch_store import current_thresholds
from node.services.access import access_of, require_approval
from node.transport.interceptors import Call
from node.transport.stream_limits import StreamLimits
from node.wire import watch as wire
from node.wire.platform_requests import read_verification

POLL_S = 0.5
BATCH = 200


class WatchServicer(watch_pb2_grpc.WatchServiceServicer):  # type: ignore[misc]  # generated code
    """heqiao.platform.v1.WatchService."""

    def __init__(self, node: Node, runner: Runner, watchers: StreamLimits) -> None:
        """`watchers` bounds the streams of all services of the port together."""
        self._node, self._runner, self._watchers = node, runner, watchers

    def AddWatch(self, requests: Iterator[pb.AddWatchRequest], call: Call) -> pb.AddWatchResponse:  # noqa: N802 - the protocol's name
        """Store the list, then start its first look."""
        require_approval(self._node, call)
        most = self._node.config.limits.max_subjects_per_job
        watch, request = read_verification(wire.read_chunks(requests), most)
        added = watches.add(self._node, watch, request, access_of(self._node, call).owner)
        jobs = watches.submit_due(self._node, watch)
        for job in jobs:
            self._runner.start(job)
        return pb.AddWatchResponse(watch_id=watch, existed=not added, job_id=jobs[0] if jobs else "")

    def RunWatch(self, request: pb.RunWatchRequest, call: Call) -> pb.RunWatchResponse:  # noqa: N802
        """Start a look."""
        access = access_of(self._node, call)
        job = watches.run(self._node, request.watch_id, tuple(request.peers), access)
        self._runner.start(job)
        return pb.RunWatchResponse(job_id=job)

    def ListWatches(self, request: pb.ListWatchesRequest, call: Call) -> pb.ListWatchesResponse:  # noqa: N802
        """Lists, oldest first."""
        access = access_of(self._node, call)
        if request.watch_id:
            watches.require_watch(self._node, request.watch_id, access)
        found = watches.list_watches(self._node, access, request.watch_id or None)
        message = pb.ListWatchesResponse(watches=map(wire.watch_message, found))
        try:
            thresholds = current_thresholds(self._node, china_day(self._node.clock()))
            message.thresholds = thresholds.version if thresholds is not None else ""
        except PreconditionError:
            message.thresholds_unusable = True
        return message

    def RemoveWatch(self, request: pb.RemoveWatchRequest, call: Call) -> pb.RemoveWatchResponse:  # noqa: N802
        """Remove people, or a list."""
        refs = wire.read_removed(request)
        access = access_of(self._node, call)
        return pb.RemoveWatchResponse(removed=watches.remove(self._node, request.watch_id, refs, access))

    def ListAlerts(self, request: pb.ListAlertsRequest, call: Call) -> pb.ListAlertsResponse:  # noqa: N802
        """Alerts in order, or the newest first."""
        after, limit, watch = wire.read_page(request)
        found = watch_alerts.list_alerts(
            self._node,
            access_of(self._node, call),
            after,
            limit,
            watch,
            open_only=request.open_only,
            before=wire.read_after(request.before),
            newest_first=request.newest_first,
        )
        return pb.ListAlertsResponse(alerts=map(wire.alert_message, found))

    def AcknowledgeAlerts(  # noqa: N802
        self, request: pb.AcknowledgeAlertsRequest, call: Call
    ) -> pb.AcknowledgeAlertsResponse:
        """Note that a person has looked at alerts."""
        alerts, note = wire.read_acknowledged(request)
        done = watch_alerts.acknowledge(self._node, alerts, note, access_of(self._node, call))
        return pb.AcknowledgeAlertsResponse(acknowledged=done)

    def WatchAlerts(  # noqa: N802
        self, request: pb.WatchAlertsRequest, call: Call
    ) -> Iterator[pb.WatchAlertsResponse]:
        """Alerts behind a number, and each new one."""
        after, access = wire.read_after(request.after), access_of(self._node, call)
        with self._watchers.take("watch"):
            while call.is_active():
                found = watch_alerts.list_alerts(self._node, access, after, BATCH)
                for one in found:
                    yield pb.WatchAlertsResponse(alert=wire.alert_message(one))
                    after = one.seq
                if len(found) < BATCH:
                    time.sleep(POLL_S)
