"""The platform service: this province's own systems submit verifications and fetch reports."""

import time
from collections.abc import Iterator
from functools import partial

from heqiao.platform.v1 import platform_pb2 as pb
from heqiao.platform.v1 import platform_pb2_grpc

from keys import CertifiedIdentity
from node.context import Node
from node.database import jobs as job_rows
from node.database import peers as peer_rows
from node.database import retention
from node.database.users import list_units
from node.domain import jobs as jobs_module
from node.domain.job_access import JobAccess
from node.errors import UnknownCallerError
from node.jobs import engine, mandates
from node.jobs.match_job import MATCH
from node.jobs.rechecks import of_recheck
from node.jobs.runner import Runner
from node.jobs.sum_job import SUMS
from node.jobs.watch_tokens import erase_ended
from node.services.access import access_of, require_approval
from node.services.job_messages import job_messages, read_job_message
from node.services.rights import judge
from node.transport.first_message import FIRST_MESSAGE_S
from node.transport.interceptors import Admission, Call
from node.transport.stream_limits import StreamLimits
from node.wire import platform, platform_requests
from node.wire import platform_sums as sums_wire
from node.wire.job_pages import mark_of, read_choice
from node.wire.platform_catalogue import catalogue_message

POLL_S = 0.2
DEFAULT_LIST = 50
MAX_LIST = 1_000


class PlatformServicer(platform_pb2_grpc.PlatformServiceServicer):  # type: ignore[misc]  # generated code
    """heqiao.platform.v1.PlatformService."""

    def __init__(self, node: Node, runner: Runner) -> None:
        self._node, self._runner = node, runner
        self.watchers = StreamLimits(node.config.limits.max_watchers)

    def SubmitVerification(  # noqa: N802 - the name is the protocol's
        self, requests: Iterator[pb.SubmitVerificationRequest], call: Call
    ) -> pb.SubmitVerificationResponse:
        """Store the job, then start it."""
        require_approval(self._node, call)
        most = self._node.config.limits.max_subjects_per_job
        job, verification = platform_requests.read_verification(requests, most)
        access = self._access(call)
        verification = of_recheck(self._node, access, verification)
        added = engine.submit(self._node, job, verification, access.owner)
        if added:
            self._runner.start(job, verification)
        return pb.SubmitVerificationResponse(job_id=job, existed=not added)

    def SubmitSum(  # noqa: N802
        self, requests: Iterator[pb.SubmitSumRequest], call: Call
    ) -> pb.SubmitSumResponse:
        """Store the job, then start it."""
        require_approval(self._node, call)
        most = self._node.config.limits.max_subjects_per_job
        job, summation = platform_requests.read_sum(requests, most)
        added = engine.submit(self._node, job, summation, self._access(call).owner)
        if added:
            self._runner.start(job, summation)
        return pb.SubmitSumResponse(job_id=job, existed=not added)

    def GetSumReport(  # noqa: N802
        self, request: pb.GetSumReportRequest, call: Call
    ) -> pb.GetSumReportResponse:
        """The report of a sum."""
        access = self._access(call)
        job = self._job(request.job_id, access)
        message = sums_wire.report_message(SUMS.results(self._node, request.job_id), job)
        self._note_fetched(job, access)
        return message

    def WatchJob(self, request: pb.WatchJobRequest, call: Call) -> Iterator[pb.WatchJobResponse]:  # noqa: N802
        """The job now, and again after each change, until it ends."""
        access = self._access(call)
        with self.watchers.take("watch"):
            shown = None
            while call.is_active():
                job = self._job(request.job_id, access)
                if job != shown:
                    yield pb.WatchJobResponse(job=job)
                    shown = job
                if platform.STATE_NAMES[job.state] not in jobs_module.OPEN_STATES:
                    return
                time.sleep(POLL_S)

    def GetReport(self, request: pb.GetReportRequest, call: Call) -> Iterator[pb.GetReportResponse]:  # noqa: N802
        """The report in chunks."""
        access = self._access(call)
        job = self._job(request.job_id, access)
        yield from platform.report_messages(MATCH.results(self._node, request.job_id), job)
        self._note_fetched(job, access)

    def CancelJob(self, request: pb.CancelJobRequest, call: Call) -> pb.CancelJobResponse:  # noqa: N802
        """Ask a job to stop."""
        access = self._access(call)
        engine.cancel(self._node, request.job_id, access)
        self._runner.start(request.job_id)  # one that waits ends now, and not only when it is looked at
        return pb.CancelJobResponse(job=self._job(request.job_id, access))

    def ListJobs(self, request: pb.ListJobsRequest, call: Call) -> pb.ListJobsResponse:  # noqa: N802
        """A page of jobs, newest first."""
        asked, access = read_choice(request), self._access(call)
        limit = min(asked.limit or DEFAULT_LIST, MAX_LIST)
        with self._node.store.transaction("list jobs") as tx:
            owners = access.seen if not asked.unit else access.seen_below(asked.unit, list_units(tx))
            rows = job_rows.list_jobs(tx, limit + 1, owners, asked.states, asked.after)
            found = job_messages(tx, rows[:limit])
        following = mark_of(rows[limit - 1]) if len(rows) > limit else ""
        return pb.ListJobsResponse(jobs=found, next=following)

    def ListPeers(self, _request: pb.ListPeersRequest, _call: Call) -> pb.ListPeersResponse:  # noqa: N802
        """Peers this node knows."""
        with self._node.store.transaction("list peers") as tx:
            known = peer_rows.list_peers(tx)
        return pb.ListPeersResponse(
            peers=[
                pb.Peer(code=peer.code, name=peer.name, address=peer.address, grants=peer.granted)
                for peer in known
                if not peer.paused  # nobody can ask it now
            ]
        )

    def GetCatalogue(self, _request: pb.GetCatalogueRequest, _call: Call) -> pb.GetCatalogueResponse:  # noqa: N802
        """The items and their attributes."""
        return catalogue_message(self._node.catalogue)

    def RevokeMandates(  # noqa: N802
        self, request: pb.RevokeMandatesRequest, call: Call
    ) -> pb.RevokeMandatesResponse:
        """Revoke mandates for the caller's jobs; the node's own certificate for all."""
        numbers = platform_requests.read_revoked(request)
        revoked = mandates.revoke(self._node, numbers, self._access(call).owner)
        erase_ended(self._node)  # no token outlasts its mandate
        return pb.RevokeMandatesResponse(revoked=revoked)

    def _access(self, call: Call) -> JobAccess:
        return access_of(self._node, call)

    def _note_fetched(self, job: pb.Job, access: JobAccess) -> None:
        """From its owner's first fetch on a report is kept for a shorter time; that of a reader is none."""
        if job.owner == access.owner:
            now = self._node.clock()
            self._node.store.retry_write(
                "note fetched report", lambda tx: retention.note_fetched(tx, job.job_id, now)
            )

    def _job(self, job: str, access: JobAccess) -> pb.Job:
        return read_job_message(self._node, job, access)


def platform_admission(node: Node) -> Admission:
    """The province's own node and platforms. One of them may hold all watching streams, and half of the other
    threads.
    """
    limits = node.config.limits
    return Admission(
        partial(node.revocations.require_admitted, whose="the caller"),
        partial(require_own, node),
        limits.worker_threads + limits.max_watchers,
        limits.worker_threads // 2 + limits.max_watchers,
        min(FIRST_MESSAGE_S, limits.call_timeout_s),
        peers=False,
        judge=partial(judge, node),
    )


def require_own(node: Node, caller: CertifiedIdentity) -> None:
    """Only this province's node and platforms use the platform port. Raises UnknownCallerError."""
    if caller.code != node.code:
        raise UnknownCallerError("this port serves the node's own province only")
