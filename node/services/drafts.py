"""The draft service: one person prepares, another one approves."""

from collections.abc import Iterator

from heqiao.platform.v1 import drafts_pb2 as pb
from heqiao.platform.v1 import drafts_pb2_grpc, platform_pb2

from node.context import Node
from node.database.drafts import DraftRow
from node.domain.verification import Verification
from node.errors import InvalidRequestError
from node.governance import sign_in
from node.jobs import drafts
from node.jobs.acting import people_of
from node.jobs.rechecks import of_recheck
from node.jobs.runner import Runner
from node.services.access import access_of
from node.transport.interceptors import Call
from node.wire import platform
from node.wire.common import require, timestamp
from node.wire.people import require_texts
from node.wire.platform_requests import read_verification

DEFAULT_LIST = 50
MAX_LIST = 1_000
MAX_OFFSET = 1_000_000


class DraftServicer(drafts_pb2_grpc.DraftServiceServicer):  # type: ignore[misc]  # generated code
    """heqiao.platform.v1.DraftService."""

    def __init__(self, node: Node, runner: Runner) -> None:
        self._node, self._runner = node, runner

    def SaveDraft(self, request: pb.SaveDraftRequest, call: Call) -> pb.SaveDraftResponse:  # noqa: N802
        """What was typed."""
        row = drafts.save(self._node, call.require_person(), request.draft_id, request.version, request.form)
        return pb.SaveDraftResponse(draft=_draft(row))

    def GetDraft(self, request: pb.GetDraftRequest, call: Call) -> pb.GetDraftResponse:  # noqa: N802
        """One draft."""
        row, form, reason = drafts.read(self._node, call.require_person(), request.draft_id)
        return pb.GetDraftResponse(draft=_draft(row), form=form, reason=reason)

    def ListDrafts(self, request: pb.ListDraftsRequest, call: Call) -> pb.ListDraftsResponse:  # noqa: N802
        """A page of them."""
        require(request.offset <= MAX_OFFSET, "the offset is too large")
        limit = min(request.limit or DEFAULT_LIST, MAX_LIST)
        person = call.require_person()
        found, total = drafts.list_drafts(self._node, person, request.state, limit, request.offset)
        return pb.ListDraftsResponse(drafts=map(_draft, found), total=total)

    def DeleteDraft(self, request: pb.DeleteDraftRequest, call: Call) -> pb.DeleteDraftResponse:  # noqa: N802
        """An own one."""
        drafts.delete(self._node, call.require_person(), request.draft_id)
        return pb.DeleteDraftResponse()

    def SendForApproval(  # noqa: N802
        self, requests: Iterator[pb.SendForApprovalRequest], call: Call
    ) -> pb.SendForApprovalResponse:
        """The verification that another person approves."""
        first = next(requests, None)
        if first is None or first.WhichOneof("message") != "draft":
            raise InvalidRequestError("the first message must be a draft")
        most = self._node.config.limits.max_subjects_per_job
        job, verification = read_verification(_parts(requests), most)
        named = first.draft
        person = call.require_person()
        verification = of_recheck(self._node, access_of(self._node, call), verification)
        row = drafts.send_for_approval(self._node, person, named.draft_id, named.version, job, verification)
        return pb.SendForApprovalResponse(draft=_draft(row))

    def GetVerification(  # noqa: N802
        self, request: pb.GetVerificationRequest, call: Call
    ) -> Iterator[pb.GetVerificationResponse]:
        """What waits, as it would be submitted."""
        row, verification = drafts.read_request(self._node, call.require_person(), request.draft_id)
        for part in platform.submission(row.job, verification):
            yield pb.GetVerificationResponse(part=part)

    def Approve(self, request: pb.ApproveRequest, call: Call) -> pb.ApproveResponse:  # noqa: N802
        """Password and code again, then the job begins."""
        person = call.require_person()
        require_texts(request.draft_id, request.password, request.code)
        now = self._node.clock()
        people, given = people_of(self._node), (request.password, request.code)
        sign_in.prove_again(people, person.account, *given, now, call.session)
        row = drafts.approve(
            self._node, person, request.draft_id, request.version, request.digest, self._start
        )
        return pb.ApproveResponse(draft=_draft(row))

    def Return(self, request: pb.ReturnRequest, call: Call) -> pb.ReturnResponse:  # noqa: N802
        """With a reason."""
        person = call.require_person()
        row = drafts.give_back(self._node, person, request.draft_id, request.version, request.reason)
        return pb.ReturnResponse(draft=_draft(row))

    def _start(self, job: str, verification: Verification) -> None:
        self._runner.start(job, verification)


def _parts(
    requests: Iterator[pb.SendForApprovalRequest],
) -> Iterator[platform_pb2.SubmitVerificationRequest]:
    for message in requests:
        require(message.WhichOneof("message") == "part", "after the draft only its verification may follow")
        yield message.part


def _draft(row: DraftRow) -> pb.Draft:
    return pb.Draft(
        draft_id=row.id,
        unit=row.unit,
        preparer=row.preparer,
        state=row.state,
        version=row.version,
        items=row.items,
        peers=row.peers,
        purpose=row.purpose,
        subjects=row.subjects,
        approver=row.approver,
        job_id=row.job,
        created_at=timestamp(row.created_at),
        updated_at=timestamp(row.updated_at),
        digest=row.request_digest or b"",
    )
