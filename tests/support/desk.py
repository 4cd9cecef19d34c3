"""People at the platform port of a served node: signed in through it, with drafts to prepare or approve."""

import grpc
import pyotp
from heqiao.admin.v1 import users_pb2_grpc
from heqiao.platform.v1 import drafts_pb2 as pb
from heqiao.platform.v1 import (
    drafts_pb2_grpc,
    platform_pb2_grpc,
    session_pb2,
    session_pb2_grpc,
    watch_pb2_grpc,
)

from node.clock import utc_now
from node.domain.jobs import VERIFICATION, WATCH
from node.domain.users import Role
from node.wire.drafts import content_parts

COUNTY, OTHER, PASSWORD = "450124000000", "450125000000", "correct horse battery"
WHO = {
    "prep": (COUNTY, {Role.PREPARER}),
    "appr": (COUNTY, {Role.APPROVER}),
    "both": (COUNTY, {Role.PREPARER, Role.APPROVER}),
    "away": (OTHER, {Role.PREPARER, Role.APPROVER}),
    "boss": ("450000000000", {Role.SECURITY}),
    "eyes": (COUNTY, {Role.OBSERVER}),
}


class Desk:
    """A person at the node's platform port, signed in through it."""

    def __init__(self, line: grpc.Channel, account: str, initial: str) -> None:
        self.account = account
        self.sessions = session_pb2_grpc.SessionServiceStub(line)
        self.drafts = drafts_pb2_grpc.DraftServiceStub(line)
        self.watches = watch_pb2_grpc.WatchServiceStub(line)
        self.jobs = platform_pb2_grpc.PlatformServiceStub(line)
        self.users = users_pb2_grpc.UserServiceStub(line)
        begun = self.sessions.SignIn(session_pb2.SignInRequest(account=account, password=initial), timeout=60)
        asked = session_pb2.BeginSecondFactorRequest(token=begun.token)
        self.totp = pyotp.TOTP(self.sessions.BeginSecondFactor(asked, timeout=60).secret)
        done = session_pb2.FinishSignInRequest(token=begun.token, code=self.code())
        self.token = self.sessions.FinishSignIn(done, timeout=60).token
        self.with_session = {"timeout": 60, "metadata": (("heqiao-session", self.token),)}
        changed = session_pb2.ChangePasswordRequest(old_password=initial, new_password=PASSWORD)
        self.sessions.ChangePassword(changed, **self.with_session)
        person = self.sessions.GetPerson(session_pb2.GetPersonRequest(), **self.with_session).person
        assert person.need == "confidentiality"
        self.sessions.SignRecord(
            session_pb2.SignRecordRequest(version=person.record_version), **self.with_session
        )

    def code(self) -> str:
        """The code of now; `fresh_codes` says that it was not used."""
        return self.totp.at(utc_now())

    def submit(self, job: str, request, kind: str = VERIFICATION) -> pb.Draft:
        saved = self.drafts.SaveDraft(pb.SaveDraftRequest(form=b"{}", kind=kind), **self.with_session).draft
        return self.send(saved, job, request, kind)

    def send(self, saved: pb.Draft, job: str, request, kind: str = VERIFICATION) -> pb.Draft:
        named = pb.DraftVersion(draft_id=saved.draft_id, version=saved.version)
        parts = [pb.SendForApprovalRequest(draft=named)]
        parts += [pb.SendForApprovalRequest(part=part) for part in content_parts(kind, job, request)]
        return self.drafts.SendForApproval(iter(parts), **self.with_session).draft

    def watch_of_job(self, watch: str, **given: object) -> pb.Draft:
        saved = self.drafts.SaveDraft(pb.SaveDraftRequest(kind=WATCH), **self.with_session).draft
        named = pb.DraftVersion(draft_id=saved.draft_id, version=saved.version)
        wanted = pb.WatchOfJob(watch_id=watch, **{"legal_basis": "SA-2026-46", **given})
        parts = [pb.SendForApprovalRequest(draft=named), pb.SendForApprovalRequest(watch_of_job=wanted)]
        return self.drafts.SendForApproval(iter(parts), **self.with_session).draft

    def approve(self, draft: pb.Draft, code: str = "", **changed: object) -> pb.Draft:
        values = {"draft_id": draft.draft_id, "version": draft.version, "digest": draft.digest, **changed}
        request = pb.ApproveRequest(**values, password=PASSWORD, code=code or self.code())
        return self.drafts.Approve(request, **self.with_session).draft
