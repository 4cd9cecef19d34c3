"""The household service: households on record, verifications of them, and what was asked about one person."""

from collections.abc import Iterator

from heqiao.platform.v1 import households_pb2 as pb
from heqiao.platform.v1 import households_pb2_grpc

from node.context import Node
from node.domain.verification import Verification
from node.jobs import drafts, engine
from node.jobs import households as jobs
from node.jobs.household_verification import HouseholdQuestion, prepare
from node.jobs.households import ShownHousehold
from node.jobs.runner import Runner
from node.jobs.subject_report import report_subject
from node.services.access import access_of, require_approval
from node.transport.interceptors import Call
from node.wire import households as wire
from node.wire.common import timestamp
from node.wire.declared import read_declared
from node.wire.mandates import check_number, fault_messages

DEFAULT_LIST = 50
MAX_LIST = 1_000
MAX_OFFICE = 12


class HouseholdServicer(households_pb2_grpc.HouseholdServiceServicer):  # type: ignore[misc]  # generated code
    """heqiao.platform.v1.HouseholdService."""

    def __init__(self, node: Node, runner: Runner) -> None:
        self._node, self._runner = node, runner

    def PutHouseholds(  # noqa: N802 - the name is the protocol's
        self, requests: Iterator[pb.PutHouseholdsRequest], call: Call
    ) -> pb.PutHouseholdsResponse:
        """Store households, all or none."""
        found, replacing, changed_on = wire.read_put(requests, self._node.config.limits.max_subjects_per_job)
        owner = access_of(self._node, call).owner
        done = jobs.put(self._node, owner, found, replacing=replacing, changed_on=changed_on)
        return pb.PutHouseholdsResponse(
            added=done.added,
            changed=done.changed,
            known=done.known,
            faults=fault_messages(done.faults[:MAX_LIST]),
        )

    def ListHouseholds(self, request: pb.ListHouseholdsRequest, call: Call) -> pb.ListHouseholdsResponse:  # noqa: N802
        """Households, masked."""
        limit = min(request.limit or DEFAULT_LIST, MAX_LIST)
        shown = jobs.show(self._node, access_of(self._node, call), limit, request.office[:MAX_OFFICE])
        return pb.ListHouseholdsResponse(households=map(_state, shown))

    def GetHousehold(self, request: pb.GetHouseholdRequest, call: Call) -> pb.GetHouseholdResponse:  # noqa: N802
        """One household."""
        number = check_number(request.household_no)
        shown = jobs.get(self._node, access_of(self._node, call), number, full=request.full)
        return pb.GetHouseholdResponse(household=_state(shown))

    def RemoveHousehold(  # noqa: N802
        self, request: pb.RemoveHouseholdRequest, call: Call
    ) -> pb.RemoveHouseholdResponse:
        """Remove a household."""
        jobs.remove(self._node, access_of(self._node, call), check_number(request.household_no))
        return pb.RemoveHouseholdResponse()

    def VerifyHouseholds(  # noqa: N802
        self, request: pb.VerifyHouseholdsRequest, call: Call
    ) -> pb.VerifyHouseholdsResponse:
        """Store the job, then start it; or send it for approval as a draft."""
        if not request.draft_id:
            require_approval(self._node, call)
        access = access_of(self._node, call)
        question = HouseholdQuestion(
            **wire.read_question(request.question), declared=read_declared(request.declared)
        )
        verification, missing = prepare(self._node, access, question)
        if request.draft_id:
            self._send(request, verification, call)
            added = True
        elif added := engine.submit(self._node, request.job_id, verification, access.owner):
            self._runner.start(request.job_id, verification)
        return pb.VerifyHouseholdsResponse(
            job_id=request.job_id,
            existed=not added,
            people=len(verification.subjects),
            not_asked=wire.not_asked_messages(missing),
        )

    def _send(self, request: pb.VerifyHouseholdsRequest, asked: Verification, call: Call) -> None:
        person = call.require_person()
        drafts.send_for_approval(
            self._node, person, request.draft_id, request.draft_version, request.job_id, asked
        )

    def ReportSubject(self, request: pb.ReportSubjectRequest, call: Call) -> pb.ReportSubjectResponse:  # noqa: N802
        """Everything that the caller may see of what was asked about a person."""
        found = report_subject(self._node, access_of(self._node, call), wire.read_subject(request))
        return wire.subject_report_message(found)


def _state(shown: ShownHousehold) -> pb.HouseholdState:
    row = shown.row
    return pb.HouseholdState(
        household=wire.household_message(shown.household),
        owner=row.owner,
        version=row.version,
        added_at=timestamp(row.added_at),
        changed_at=timestamp(row.changed_at),
    )
