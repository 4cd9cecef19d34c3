"""A platform's calls about deadlines of its jobs; part of `node.client.platform.Platform`."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

from google.protobuf.message import Message
from heqiao.platform.v1 import jobs_pb2 as pb
from heqiao.platform.v1 import jobs_pb2_grpc

from node.domain.answer_times import AnswerTimes
from node.domain.job_progress import DaysLeft, Deadline, JobProgress
from node.domain.job_statistics import Statistics
from node.wire.common import timestamp
from node.wire.platform_deadlines import read_days_left, read_deadlines, read_times
from node.wire.platform_jobs import read_job
from node.wire.platform_statistics import read_statistics_message


class JobCalls:
    """Calls of the job service. Every method raises NodeError kinds."""

    def retry(self, job: str, peer: str) -> JobProgress:
        """Ask one peer of a job again, whose part is refused, unavailable or overdue; the other parts are
        kept.
        """
        request = pb.RetryPartRequest(job_id=job, peer=peer)
        return read_job(self._call_job_service("RetryPart", request).job)

    def deadlines(self, limit: int = 50) -> tuple[Sequence[Deadline], int | None]:
        """Parts that have no answer yet, the first due first; and the year whose working days are not
        known.
        """
        return read_deadlines(self._call_job_service("ListDeadlines", pb.ListDeadlinesRequest(limit=limit)))

    def peer_times(self, peer: str) -> AnswerTimes:
        """How long a peer takes to answer."""
        return read_times(self._call_job_service("GetPeerTimes", pb.GetPeerTimesRequest(peer=peer)))

    def statistics(self, month: str = "") -> Statistics:
        """Counts of one of the last 12 months, YYYY-MM, or of the running one; small ones are hidden."""
        request = pb.GetStatisticsRequest(month=month)
        return read_statistics_message(self._call_job_service("GetStatistics", request))

    def days_left(self, due: Sequence[datetime]) -> Sequence[DaysLeft]:
        """Working days until some times, by the node's calendar; no call where there are none."""
        if not due:
            return ()
        request = pb.CountDaysLeftRequest(due_at=map(timestamp, due))
        return read_days_left(self._call_job_service("CountDaysLeft", request))

    def call(
        self,
        stub: Callable[[Any], Any],
        method: str,
        message: Message | Iterator[Message],
        *,
        slow: bool = False,
    ) -> Any:
        """A call to a service of the node."""
        raise NotImplementedError

    def _call_job_service(self, method: str, message: Message) -> Any:
        return self.call(jobs_pb2_grpc.JobServiceStub, method, message)
