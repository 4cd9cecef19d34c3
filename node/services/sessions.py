"""The session service: people sign in, and manage what is theirs."""

from collections.abc import Iterator, Sequence
from importlib.metadata import version
from typing import Final

from heqiao.platform.v1 import session_pb2 as pb
from heqiao.platform.v1 import session_pb2_grpc

from node.context import Node
from node.database import audit_pages, notices, seen_manifests
from node.database import users as rows
from node.domain.job_access import NODE
from node.domain.notices import NoticeKind, NoticeRow
from node.domain.rights import RPCS, refusal
from node.domain.users import Person
from node.governance import sessions, sign_in
from node.governance.accounts import People, open_user
from node.jobs.acting import people_of
from node.services.access import access_of
from node.transport.interceptors import Call
from node.wire.common import require_digest, timestamp
from node.wire.notices import notice_message
from node.wire.people import person_message, require_texts

_VERSION: Final = version("heqiao")
_SIGNED_IN, _REFUSED = "signed_in", "sign_in_refused"
_SIGN_INS: Final = 10  # that are listed
_HEALTH: Final = RPCS["/heqiao.admin.v1.OverviewService/GetHealth"]
_WATCHES: Final = RPCS["/heqiao.platform.v1.WatchService/ListWatches"]


class SessionServicer(session_pb2_grpc.SessionServiceServicer):  # type: ignore[misc]  # generated code
    """heqiao.platform.v1.SessionService."""

    def __init__(self, node: Node) -> None:
        self._node = node

    @property
    def _people(self) -> People:
        return people_of(self._node)  # each time: a rotation of the storage key changes what opens accounts

    def SignIn(self, request: pb.SignInRequest, _call: Call) -> pb.SignInResponse:  # noqa: N802
        """Password."""
        require_texts(request.account, request.password)
        found = sign_in.begin(self._people, request.account, request.password, self._node.clock())
        return pb.SignInResponse(token=found.token, has_second_factor=found.has_totp)

    def BeginSecondFactor(  # noqa: N802
        self, request: pb.BeginSecondFactorRequest, _call: Call
    ) -> pb.BeginSecondFactorResponse:
        """A new secret."""
        require_texts(request.token)
        secret, uri = sign_in.begin_totp(self._people, request.token, self._node.clock())
        return pb.BeginSecondFactorResponse(secret=secret, uri=uri)

    def FinishSignIn(self, request: pb.FinishSignInRequest, _call: Call) -> pb.FinishSignInResponse:  # noqa: N802
        """Code."""
        require_texts(request.token, request.code)
        found = sign_in.finish(self._people, request.token, request.code, self._node.clock())
        account = "" if found.person is None else found.person.account
        return pb.FinishSignInResponse(token=found.token, person=self._person(account))

    def SignOut(self, _request: pb.SignOutRequest, call: Call) -> pb.SignOutResponse:  # noqa: N802
        """End the session."""
        sign_in.sign_out(self._people, call.session, self._node.clock())
        return pb.SignOutResponse()

    def GetPerson(self, _request: pb.GetPersonRequest, call: Call) -> pb.GetPersonResponse:  # noqa: N802
        """Who is signed in."""
        acting, node = call.require_person(), self._node
        message = pb.GetPersonResponse(
            person=self._person(acting.account),
            node_version=_VERSION,
            catalogue_version=node.catalogue.version,
        )
        with node.store.transaction("read the frame of a page") as tx:
            session = rows.find_session(tx, sign_in.digest_of(call.session))
            contact = max(seen_manifests.newest_by_peer(tx).values(), default=None)
            opened = notices.list_notices(tx, open_only=True)
        if session is not None:
            message.session_until.CopyFrom(timestamp(sessions.session_until(self._people, session)))
        if contact is not None:
            message.last_contact.CopyFrom(timestamp(contact))
        message.notices.extend(map(notice_message, self._told(opened, acting, call)))
        return message

    def _told(self, opened: Sequence[NoticeRow], acting: Person, call: Call) -> Iterator[NoticeRow]:
        """Of the open notices those that a page says: about the node to who sees its health, about looks at
        watch lists to the officers who see the list.
        """
        if not refusal(_HEALTH, acting):
            yield from (one for one in opened if one.notice.owner == NODE)
        failed = [one for one in opened if one.notice.kind is NoticeKind.LOOKS_FAILED]
        if failed and not refusal(_WATCHES, acting):
            access = access_of(self._node, call)
            yield from (one for one in failed if access.may_see(one.notice.owner))

    def ChangePassword(self, request: pb.ChangePasswordRequest, call: Call) -> pb.ChangePasswordResponse:  # noqa: N802
        """The own password."""
        call.require_person()
        require_texts(request.old_password, request.new_password)
        now = self._node.clock()
        sign_in.change_password(self._people, call.session, request.old_password, request.new_password, now)
        return pb.ChangePasswordResponse()

    def SignRecord(self, request: pb.SignRecordRequest, call: Call) -> pb.SignRecordResponse:  # noqa: N802
        """The confidentiality record."""
        require_texts(request.version)
        sign_in.sign_record(self._people, call.require_person(), request.version, self._node.clock())
        return pb.SignRecordResponse()

    def ListSessions(self, _request: pb.ListSessionsRequest, call: Call) -> pb.ListSessionsResponse:  # noqa: N802
        """The own sessions."""
        person, own = call.require_person(), sign_in.digest_of(call.session)
        with self._node.store.transaction("list sessions") as tx:
            found = rows.list_sessions(tx, person.account, self._node.clock())
        return pb.ListSessionsResponse(
            sessions=[
                pb.Session(
                    began_at=timestamp(one.created_at),
                    used_at=timestamp(one.used_at),
                    own=one.digest == own,
                    session_id=one.digest,
                )
                for one in found
            ]
        )

    def ListSignIns(self, _request: pb.ListSignInsRequest, call: Call) -> pb.ListSignInsResponse:  # noqa: N802
        """Of the own account, from the audit chain."""
        account = call.require_person().account
        with self._node.store.transaction("list sign-ins") as tx:
            found = audit_pages.of_account(tx, (_SIGNED_IN, _REFUSED), account, _SIGN_INS)
        return pb.ListSignInsResponse(
            sign_ins=[pb.PastSignIn(at=timestamp(one.at), refused=one.event == _REFUSED) for one in found]
        )

    def EndOtherSessions(  # noqa: N802
        self, _request: pb.EndOtherSessionsRequest, call: Call
    ) -> pb.EndOtherSessionsResponse:
        """All sessions but this one."""
        person, own = call.require_person(), sign_in.digest_of(call.session)
        ended = sessions.end_others(self._people, person.account, own, self._node.clock())
        return pb.EndOtherSessionsResponse(ended=ended)

    def EndSession(self, request: pb.EndSessionRequest, call: Call) -> pb.EndSessionResponse:  # noqa: N802
        """One of the own sessions."""
        require_digest(request.session_id, "session_id")
        account = call.require_person().account
        sessions.end_one(self._people, account, request.session_id, self._node.clock())
        return pb.EndSessionResponse()

    def _person(self, account: str) -> pb.Person:
        with self._node.store.transaction("read a user") as tx:
            row = rows.find_user(tx, account)
        if row is None:
            return pb.Person()
        version = self._node.config.users.record_version
        return person_message(open_user(self._people, row), version, self._node.clock())
