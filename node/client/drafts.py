"""Drafts of verifications, sums and watch lists at the own node. It needs no database.

drafts = Drafts(platform.as_person(token))
saved = drafts.save(b"", kind=SUM)
drafts.send(saved.draft_id, saved.version, "s-2026-1", summation, SUM)
"""

from collections.abc import Iterator
from itertools import chain

from heqiao.platform.v1 import drafts_pb2, drafts_pb2_grpc

from node.client.platform import Platform
from node.domain.jobs import VERIFICATION
from node.domain.summation import Summation
from node.domain.verification import Verification
from node.wire import drafts as wire
from node.wire.drafts import WatchOfJob

_MOST_LISTED = 1_000
MOST_SUBJECTS = 1_000_000  # the node has checked it against its own limit
Draft = drafts_pb2.Draft
FoundDraft = drafts_pb2.GetDraftResponse
DraftsPage = drafts_pb2.ListDraftsResponse
Request = Verification | Summation
_DRAFTS = drafts_pb2_grpc.DraftServiceStub


class Drafts:
    """The calls of heqiao.platform.v1.DraftService, for a person. Every method raises NodeError kinds."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def save(self, form: bytes, draft: str = "", version: int = 0, kind: str = "") -> Draft:
        """Keep what was typed, as a new draft of a kind (node.domain.jobs; by default a verification), or in
        place of a version of one of that kind.
        """
        request = drafts_pb2.SaveDraftRequest(draft_id=draft, version=version, form=form, kind=kind)
        found: drafts_pb2.SaveDraftResponse = self._platform.call(_DRAFTS, "SaveDraft", request)
        return found.draft

    def get(self, draft: str) -> FoundDraft:
        """A draft, what was typed, and why it was returned."""
        found: FoundDraft = self._platform.call(
            _DRAFTS, "GetDraft", drafts_pb2.GetDraftRequest(draft_id=draft)
        )
        return found

    def list(self, state: str = "", whose: str = "", limit: int = 50, after: str = "") -> DraftsPage:
        """A page of drafts, newest change first (those that wait: oldest first), and how many there are; own
        ones, those of others, or both. `after` is the `next` of the page before.
        """
        request = drafts_pb2.ListDraftsRequest(state=state, whose=whose, limit=limit, after=after)
        found: DraftsPage = self._platform.call(_DRAFTS, "ListDrafts", request)
        return found

    def every(self, state: str = "", whose: str = "") -> Iterator[Draft]:
        """The same, of all pages."""
        after = ""
        while True:
            page = self.list(state, whose, _MOST_LISTED, after)
            yield from page.drafts
            after = page.next
            if not after:
                return

    def delete(self, draft: str) -> None:
        """Delete an own draft."""
        self._platform.call(_DRAFTS, "DeleteDraft", drafts_pb2.DeleteDraftRequest(draft_id=draft))

    def send(self, draft: str, version: int, job: str, request: Request, kind: str = VERIFICATION) -> Draft:
        """Hand a draft with what it asks to an approver; `job` is the id of the job or watch list to be."""
        return self._send(draft, version, _parts(kind, job, request))

    def send_watch_of_job(self, draft: str, version: int, wanted: WatchOfJob) -> Draft:
        """Hand a draft to an approver, whose list the node makes of the people of a verification."""
        message = wire.watch_of_job_message(wanted)
        return self._send(draft, version, iter([drafts_pb2.SendForApprovalRequest(watch_of_job=message)]))

    def _send(self, draft: str, version: int, parts: Iterator[drafts_pb2.SendForApprovalRequest]) -> Draft:
        named = drafts_pb2.DraftVersion(draft_id=draft, version=version)
        messages = chain((drafts_pb2.SendForApprovalRequest(draft=named),), parts)
        found: drafts_pb2.SendForApprovalResponse = self._platform.call(_DRAFTS, "SendForApproval", messages)
        return found.draft

    def content(self, draft: str) -> Request:
        """What a draft that waits asks: what an approval submits."""
        request = drafts_pb2.GetContentRequest(draft_id=draft)
        found = self._platform.stream(_DRAFTS, "GetContent", request)
        _, _, asked = wire.read_content((one.part for one in found), MOST_SUBJECTS)
        return asked  # type: ignore[return-value]  # one of these

    def approve(self, draft: str, version: int, digest: bytes, password: str, code: str) -> Draft:
        """Approve a draft as it was shown. Raises SignInError, RefusedError, PreconditionError."""
        request = drafts_pb2.ApproveRequest(
            draft_id=draft, version=version, digest=digest, password=password, code=code
        )
        found: drafts_pb2.ApproveResponse = self._platform.call(_DRAFTS, "Approve", request)
        return found.draft

    def give_back(self, draft: str, version: int, reason: str) -> Draft:
        """Return a draft with a reason."""
        request = drafts_pb2.ReturnRequest(draft_id=draft, version=version, reason=reason)
        found: drafts_pb2.ReturnResponse = self._platform.call(_DRAFTS, "Return", request)
        return found.draft


def _parts(kind: str, job: str, request: Request) -> Iterator[drafts_pb2.SendForApprovalRequest]:
    for part in wire.content_parts(kind, job, request):
        yield drafts_pb2.SendForApprovalRequest(part=part)
