"""The draft service: one person prepares, another one approves."""

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

from heqiao.platform.v1 import drafts_pb2 as pb
from heqiao.platform.v1 import drafts_pb2_grpc

from node.context import Node
from node.database.drafts import DraftChoice, DraftRow
from node.domain.job_access import JobAccess
from node.domain.jobs import VERIFICATION, WATCH
from node.errors import InvalidRequestError
from node.governance import sign_in
from node.jobs import drafts, watches
from node.jobs.acting import people_of
from node.jobs.rechecks import of_recheck
from node.jobs.runner import Runner
from node.jobs.watch_of_job import list_of_job
from node.services.access import access_of
from node.transport.interceptors import Call
from node.wire import drafts as wire
from node.wire.common import require, timestamp
from node.wire.page_marks import make_mark, read_mark
from node.wire.people import require_texts

DEFAULT_LIST = 50
MAX_LIST = 1_000


class DraftServicer(drafts_pb2_grpc.DraftServiceServicer):  # type: ignore[misc]  # generated code
    """heqiao.platform.v1.DraftService."""

    def __init__(self, node: Node, runner: Runner) -> None:
        self._node, self._runner = node, runner

    def SaveDraft(self, request: pb.SaveDraftRequest, call: Call) -> pb.SaveDraftResponse:  # noqa: N802
        """What was typed."""
        row = drafts.save(
            self._node, call.require_person(), request.draft_id, request.version, request.form, request.kind
        )
        return pb.SaveDraftResponse(draft=_draft(row))

    def GetDraft(self, request: pb.GetDraftRequest, call: Call) -> pb.GetDraftResponse:  # noqa: N802
        """One draft."""
        row, form, reason = drafts.read(self._node, call.require_person(), request.draft_id)
        return pb.GetDraftResponse(draft=_draft(row), form=form, reason=reason)

    def ListDrafts(self, request: pb.ListDraftsRequest, call: Call) -> pb.ListDraftsResponse:  # noqa: N802
        """A page of them."""
        limit, after = min(request.limit or DEFAULT_LIST, MAX_LIST), read_mark(request.after)
        choice = DraftChoice(limit, request.state, request.whose, after)
        page = drafts.list_drafts(self._node, call.require_person(), choice)
        last = page.rows[-1] if page.has_next else None
        return pb.ListDraftsResponse(
            drafts=map(_draft, page.rows),
            total=page.total,
            next=make_mark(last.updated_at, last.id) if last else "",
            oldest_at=timestamp(page.oldest) if page.oldest else None,
        )

    def DeleteDraft(self, request: pb.DeleteDraftRequest, call: Call) -> pb.DeleteDraftResponse:  # noqa: N802
        """An own one."""
        drafts.delete(self._node, call.require_person(), request.draft_id)
        return pb.DeleteDraftResponse()

    def SendForApproval(  # noqa: N802
        self, requests: Iterator[pb.SendForApprovalRequest], call: Call
    ) -> pb.SendForApprovalResponse:
        """The verification that another person approves."""
        messages = iter(requests)
        first = next(messages, None)
        if first is None or first.WhichOneof("message") != "draft":
            raise InvalidRequestError("the first message must be a draft")
        person, access = call.require_person(), access_of(self._node, call)
        kind, name, asked = self._read_asked(messages, access)
        if kind == VERIFICATION:
            asked = of_recheck(self._node, access, asked)
        named = first.draft
        row = drafts.send_for_approval(self._node, person, named.draft_id, named.version, name, asked, kind)
        return pb.SendForApprovalResponse(draft=_draft(row))

    def _read_asked(
        self, messages: Iterator[pb.SendForApprovalRequest], access: JobAccess
    ) -> tuple[str, str, Any]:
        """The kind, the id of the job or list to be, and what is asked."""
        first = next(messages, None)
        if first is not None and first.WhichOneof("message") == "watch_of_job":
            require(next(messages, None) is None, "a list that the node makes is one message")
            wanted = wire.read_watch_of_job(first.watch_of_job)
            asked = list_of_job(
                self._node, access, wanted.job, wanted.items, wanted.peers, wanted.legal_basis
            )
            return WATCH, wanted.watch, asked
        parts = _parts(() if first is None else chain((first,), messages))
        return wire.read_content(parts, self._node.config.limits.max_subjects_per_job)

    def GetContent(  # noqa: N802
        self, request: pb.GetContentRequest, call: Call
    ) -> Iterator[pb.GetContentResponse]:
        """What waits, as it would be submitted."""
        row, asked = drafts.read_request(self._node, call.require_person(), request.draft_id)
        for part in wire.content_parts(row.kind, row.job, asked):
            yield pb.GetContentResponse(part=part)

    def Approve(self, request: pb.ApproveRequest, call: Call) -> pb.ApproveResponse:  # noqa: N802
        """Password and code again, then the job begins, or the list is looked at."""
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

    def _start(self, row: DraftRow, asked: Any) -> None:
        if row.kind != WATCH:
            self._runner.start(row.job, asked)
            return
        for job in watches.submit_due(self._node, row.job):
            self._runner.start(job)


def _parts(requests: Iterable[pb.SendForApprovalRequest]) -> Iterator[pb.DraftPart]:
    for message in requests:
        require(message.WhichOneof("message") == "part", "after the draft only what it asks may follow")
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
        kind=row.kind,
    )
