"""The job service: deadlines, and parts that are asked again."""

from heqiao.platform.v1 import jobs_pb2 as pb
from heqiao.platform.v1 import jobs_pb2_grpc

from node.context import Node
from node.database import peers as peer_rows
from node.domain.rights import RPCS, refusal
from node.errors import NotFoundError
from node.jobs.calendar import working_days
from node.jobs.deadlines import list_deadlines, peer_times
from node.jobs.retry import retry_part
from node.jobs.runner import Runner
from node.jobs.statistics import read_statistics
from node.services.access import access_of
from node.services.job_messages import read_job_message
from node.transport.interceptors import Call
from node.wire.platform_deadlines import (
    days_left_message,
    deadlines_message,
    read_due_times,
    times_message,
)
from node.wire.platform_statistics import statistics_message

DEFAULT_LIST = 50
MAX_LIST = 1_000
_INCOMING = "/heqiao.admin.v1.RecordService/ListIncomingQueries"


class JobServicer(jobs_pb2_grpc.JobServiceServicer):  # type: ignore[misc]  # generated code
    """heqiao.platform.v1.JobService."""

    def __init__(self, node: Node, runner: Runner) -> None:
        self._node, self._runner = node, runner

    def RetryPart(self, request: pb.RetryPartRequest, call: Call) -> pb.RetryPartResponse:  # noqa: N802
        """Ask one peer again, soon."""
        access = access_of(self._node, call)
        retry_part(self._node, request.job_id, request.peer, access)
        self._runner.start(request.job_id)
        return pb.RetryPartResponse(job=read_job_message(self._node, request.job_id, access))

    def ListDeadlines(  # noqa: N802
        self, request: pb.ListDeadlinesRequest, call: Call
    ) -> pb.ListDeadlinesResponse:
        """Parts without an answer, the first due first."""
        limit = min(request.limit or DEFAULT_LIST, MAX_LIST)
        found = list_deadlines(self._node, access_of(self._node, call).seen)[:limit]
        with self._node.store.transaction("list peers") as tx:
            names = peer_rows.peer_names(tx)
        missing = working_days(self._node).missing_year(self._node.clock())
        return deadlines_message(((one.owner, one.part, one.stage) for one in found), names, missing)

    def GetPeerTimes(  # noqa: N802
        self, request: pb.GetPeerTimesRequest, call: Call
    ) -> pb.GetPeerTimesResponse:
        """How long a peer takes, by the jobs that the caller may see."""
        with self._node.store.transaction("find peer") as tx:
            if peer_rows.find_peer(tx, request.peer) is None:
                raise NotFoundError("this node knows no such peer", "`heqiao peers list` shows who is known")
        return times_message(peer_times(self._node, request.peer, access_of(self._node, call).seen))

    def GetStatistics(  # noqa: N802
        self, request: pb.GetStatisticsRequest, call: Call
    ) -> pb.GetStatisticsResponse:
        """Counts of the jobs that the caller may see."""
        owners, entrusted = access_of(self._node, call).seen, _sees_incoming(call)
        return statistics_message(read_statistics(self._node, request.month, owners, entrusted))

    def CountDaysLeft(  # noqa: N802
        self, request: pb.CountDaysLeftRequest, _call: Call
    ) -> pb.CountDaysLeftResponse:
        """By the calendar of this node."""
        now, calendar = self._node.clock(), working_days(self._node)
        return days_left_message(calendar.left(now, one) for one in read_due_times(request, now))


def _sees_incoming(call: Call) -> bool:
    """Whether the caller may list what peers asked of this node, and so may see it counted."""
    if call.person is None:
        return call.caller.role == "node"
    return not refusal(RPCS[_INCOMING], call.person)
