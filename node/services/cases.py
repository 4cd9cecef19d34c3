"""The case service on the platform port: objections, re-checks, corrections."""

from collections.abc import Iterator

from heqiao.platform.v1 import cases_pb2 as pb
from heqiao.platform.v1 import cases_pb2_grpc

from node.context import Node
from node.database.drafts import DraftRow
from node.domain.job_access import NODE_ACCESS
from node.domain.objections import ObjectionContent, ObjectionRow
from node.domain.verification import Verification
from node.errors import RefusedError
from node.jobs import drafts, objections, received_corrections, sent_corrections
from node.jobs.case_clock import last_day
from node.jobs.lookup import require_job
from node.jobs.match_results import build_report
from node.jobs.runner import Runner
from node.services.access import access_of, require_approval
from node.transport.interceptors import Call
from node.wire import cases as wire
from node.wire.case_facts import facts_messages
from node.wire.platform_requests import read_people

MOST_PEOPLE = 5_000  # in one look-up


class CaseServicer(cases_pb2_grpc.CaseServiceServicer):  # type: ignore[misc]  # generated code has no types
    """heqiao.platform.v1.CaseService."""

    def __init__(self, node: Node, runner: Runner) -> None:
        self._node, self._runner = node, runner

    def GetCaseFacts(  # noqa: N802 - the name is the protocol's
        self, request: pb.GetCaseFactsRequest, call: Call
    ) -> Iterator[pb.GetCaseFactsResponse]:
        """What a report shows beside its answers."""
        require_job(self._node, request.job_id, access_of(self._node, call))
        yield from facts_messages(build_report(self._node, request.job_id))

    # ---- objections

    def AddObjection(self, request: pb.AddObjectionRequest, call: Call) -> pb.AddObjectionResponse:  # noqa: N802
        """Record an objection."""
        access = access_of(self._node, call)
        row = objections.add(self._node, access, wire.read_objection(request))
        return pb.AddObjectionResponse(objection=_message(*objections.read(self._node, access, row.id)))

    def ListObjections(  # noqa: N802
        self, request: pb.ListObjectionsRequest, call: Call
    ) -> pb.ListObjectionsResponse:
        """Objections that the caller may see, without who objects and why."""
        access = access_of(self._node, call)
        found = objections.list_(self._node, access, job=request.job_id, waiting=request.waiting)
        return pb.ListObjectionsResponse(objections=map(_message, found))

    def GetObjection(self, request: pb.GetObjectionRequest, call: Call) -> pb.GetObjectionResponse:  # noqa: N802
        """One objection with all of it."""
        found = objections.read(self._node, access_of(self._node, call), request.id)
        return pb.GetObjectionResponse(objection=_message(*found))

    def RecheckObjection(  # noqa: N802
        self, request: pb.RecheckObjectionRequest, call: Call
    ) -> pb.RecheckObjectionResponse:
        """Submit the job that looks again, and start it; or send it for approval as a draft."""
        if request.draft_id:
            return self._send_recheck(request, call)
        require_approval(self._node, call)
        job, again = objections.recheck(self._node, access_of(self._node, call), request.id, request.job_id)
        self._runner.start(job, again)
        return pb.RecheckObjectionResponse(job_id=job)

    def _send_recheck(self, request: pb.RecheckObjectionRequest, call: Call) -> pb.RecheckObjectionResponse:
        person, draft = call.require_person(), request.draft_id

        def send(job: str, again: Verification) -> DraftRow:
            return drafts.send_for_approval(self._node, person, draft, request.draft_version, job, again)

        access = access_of(self._node, call)
        job, _ = objections.recheck(self._node, access, request.id, request.job_id, send)
        return pb.RecheckObjectionResponse(job_id=job)

    def CloseObjection(self, request: pb.CloseObjectionRequest, call: Call) -> pb.CloseObjectionResponse:  # noqa: N802
        """Close an objection."""
        access = access_of(self._node, call)
        objections.close(self._node, access, request.id, request.result)
        return pb.CloseObjectionResponse(objection=_message(*objections.read(self._node, access, request.id)))

    # ---- corrections that this province asks for

    def SendCorrection(self, request: pb.SendCorrectionRequest, call: Call) -> pb.SendCorrectionResponse:  # noqa: N802
        """Ask another province to correct a record."""
        sent = sent_corrections.send(
            self._node,
            access_of(self._node, call),
            request.job_id,
            request.subject,
            request.peer,
            request.item,
            wire.fault_of(request.fault),
            wire.basis_of(request.basis),
            request.reference,
            discloses=request.discloses_person,
        )
        return pb.SendCorrectionResponse(corrections=map(wire.sent_message, sent))

    def ListSentCorrections(  # noqa: N802
        self, _request: pb.ListSentCorrectionsRequest, call: Call
    ) -> pb.ListSentCorrectionsResponse:
        """Requests that the caller may see, newest first."""
        found = sent_corrections.list_sent(self._node, access_of(self._node, call))
        return pb.ListSentCorrectionsResponse(corrections=map(wire.sent_message, found))

    def SyncCorrections(  # noqa: N802
        self, _request: pb.SyncCorrectionsRequest, call: Call
    ) -> pb.SyncCorrectionsResponse:
        """Send what could not be delivered, and fetch answers, of the caller's own requests."""
        access = access_of(self._node, call)
        owners = None if access is NODE_ACCESS else (access.owner,)
        found = sent_corrections.sync(self._node, owners, lambda: not call.is_active())
        return pb.SyncCorrectionsResponse(corrections=map(wire.sent_message, found))

    # ---- corrections that other provinces ask for

    def ListReceivedCorrections(  # noqa: N802
        self, request: pb.ListReceivedCorrectionsRequest, call: Call
    ) -> pb.ListReceivedCorrectionsResponse:
        """Requests of peers."""
        self._require_node(call)
        found = received_corrections.list_received(self._node, waiting=request.waiting)
        return pb.ListReceivedCorrectionsResponse(corrections=map(wire.received_message, found))

    def GetReceivedCorrection(  # noqa: N802
        self, request: pb.GetReceivedCorrectionRequest, call: Call
    ) -> pb.GetReceivedCorrectionResponse:
        """One request, with what this node disclosed."""
        self._require_node(call)
        row, named = received_corrections.read_received(self._node, request.number)
        message = wire.received_message(row)
        return pb.GetReceivedCorrectionResponse(correction=message, value=named.value, as_of=named.day)

    def FindCorrectionPerson(  # noqa: N802
        self, request: pb.FindCorrectionPersonRequest, call: Call
    ) -> pb.FindCorrectionPersonResponse:
        """Which of some people a request is about."""
        self._require_node(call)
        people = read_people(request.people, MOST_PEOPLE)
        places = received_corrections.find_person(self._node, request.number, people)
        return pb.FindCorrectionPersonResponse(places=places)

    def AnswerCorrection(  # noqa: N802
        self, request: pb.AnswerCorrectionRequest, call: Call
    ) -> pb.AnswerCorrectionResponse:
        """Answer a request."""
        self._require_node(call)
        state = wire.state_of(request.state)
        row = received_corrections.answer(self._node, request.number, state, request.reason)
        return pb.AnswerCorrectionResponse(correction=wire.received_message(row))

    def _require_node(self, call: Call) -> None:
        """Raises RefusedError for a platform: what peers ask concerns the register, not its jobs."""
        if call.caller.role != "node" and call.person is None:
            raise RefusedError(
                "requests of other provinces are for the node's own certificate",
                "use the node's home",
                {"rule": "node_only"},
            )


def _message(row: ObjectionRow, content: ObjectionContent | None = None) -> pb.Objection:
    return wire.objection_message(row, last_day(row.received), content)
