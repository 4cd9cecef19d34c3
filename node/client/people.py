"""Signing in at the own node, and accounts: what the console calls. It needs no database.

with Platform.open(home) as platform:
    begun = People(platform).sign_in("lihua", password)
    token, person = People(platform).finish(begun.token, code)
    person = People(platform.as_person(token)).person()
"""

from collections.abc import Sequence

from heqiao.admin.v1 import users_pb2, users_pb2_grpc
from heqiao.platform.v1 import session_pb2, session_pb2_grpc

from node.client.platform import Platform
from node.domain.notices import NoticeRow
from node.wire.notices import read_notice

Person = session_pb2.Person
Frame = session_pb2.GetPersonResponse
_SESSIONS = session_pb2_grpc.SessionServiceStub
_USERS = users_pb2_grpc.UserServiceStub


def notices_of(frame: Frame) -> tuple[NoticeRow, ...]:
    """The open notices that came with who is signed in."""
    return tuple(map(read_notice, frame.notices))


class People:
    """The calls of heqiao.platform.v1.SessionService. Every method raises NodeError kinds."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def sign_in(self, account: str, password: str) -> session_pb2.SignInResponse:
        """Check a password; the token then waits for the second factor. Raises SignInError."""
        request = session_pb2.SignInRequest(account=account, password=password)
        found: session_pb2.SignInResponse = self._platform.call(_SESSIONS, "SignIn", request)
        return found

    def begin_second_factor(self, token: str) -> session_pb2.BeginSecondFactorResponse:
        """A new second factor for an account without one."""
        request = session_pb2.BeginSecondFactorRequest(token=token)
        found: session_pb2.BeginSecondFactorResponse = self._platform.call(
            _SESSIONS, "BeginSecondFactor", request
        )
        return found

    def finish(self, token: str, code: str) -> tuple[str, Person]:
        """The token of the session, and whose it is. Raises SignInError, SessionEndedError."""
        request = session_pb2.FinishSignInRequest(token=token, code=code)
        found: session_pb2.FinishSignInResponse = self._platform.call(_SESSIONS, "FinishSignIn", request)
        return found.token, found.person

    def sign_out(self) -> None:
        """End the session."""
        self._platform.call(_SESSIONS, "SignOut", session_pb2.SignOutRequest())

    def person(self) -> Person:
        """Who is signed in. Raises SessionEndedError."""
        return self.frame().person

    def frame(self) -> Frame:
        """Who is signed in, until when, and what a page says of the node. Raises SessionEndedError."""
        found: Frame = self._platform.call(_SESSIONS, "GetPerson", session_pb2.GetPersonRequest())
        return found

    def change_password(self, old: str, new: str) -> None:
        """Replace the own password; all other sessions end."""
        request = session_pb2.ChangePasswordRequest(old_password=old, new_password=new)
        self._platform.call(_SESSIONS, "ChangePassword", request)

    def sign_record(self, version: str) -> None:
        """Sign the confidentiality record."""
        self._platform.call(_SESSIONS, "SignRecord", session_pb2.SignRecordRequest(version=version))

    def sessions(self) -> Sequence[session_pb2.Session]:
        """The own sessions, newest first."""
        found: session_pb2.ListSessionsResponse = self._platform.call(
            _SESSIONS, "ListSessions", session_pb2.ListSessionsRequest()
        )
        return found.sessions

    def sign_ins(self) -> Sequence[session_pb2.PastSignIn]:
        """The last sign-ins of the own account, and refused attempts, newest first."""
        found: session_pb2.ListSignInsResponse = self._platform.call(
            _SESSIONS, "ListSignIns", session_pb2.ListSignInsRequest()
        )
        return found.sign_ins

    def end_other_sessions(self) -> int:
        """End all own sessions but this one; how many."""
        found: session_pb2.EndOtherSessionsResponse = self._platform.call(
            _SESSIONS, "EndOtherSessions", session_pb2.EndOtherSessionsRequest()
        )
        return found.ended

    def end_session(self, session: bytes) -> None:
        """End one own session. Raises NotFoundError."""
        self._platform.call(_SESSIONS, "EndSession", session_pb2.EndSessionRequest(session_id=session))


class Accounts:
    """The calls of heqiao.admin.v1.UserService. Every method raises NodeError kinds."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def list(self) -> Sequence[users_pb2.User]:
        """Accounts of the unit and of those below it."""
        found: users_pb2.ListUsersResponse = self._platform.call(
            _USERS, "ListUsers", users_pb2.ListUsersRequest()
        )
        return found.users

    def add(self, account: str, name: str, unit: str, roles: Sequence[str], valid_to: str = "") -> str:
        """Add an account; its initial password. `valid_to` is a day as YYYY-MM-DD, or empty."""
        request = users_pb2.AddUserRequest(
            account=account, name=name, unit=unit, roles=roles, valid_to=valid_to
        )
        found: users_pb2.AddUserResponse = self._platform.call(_USERS, "AddUser", request)
        return str(found.initial_password)

    def set_roles(self, account: str, roles: Sequence[str]) -> None:
        """Replace the roles of an account."""
        self._platform.call(_USERS, "SetRoles", users_pb2.SetRolesRequest(account=account, roles=roles))

    def disable(self, account: str) -> None:
        """Disable an account at once."""
        self._platform.call(_USERS, "DisableUser", users_pb2.DisableUserRequest(account=account))

    def reset(self, account: str) -> str:
        """Take password and second factor from an account; its new initial password."""
        found: users_pb2.ResetUserResponse = self._platform.call(
            _USERS, "ResetUser", users_pb2.ResetUserRequest(account=account)
        )
        return str(found.initial_password)

    def confirm(self, accounts: Sequence[str]) -> None:
        """Confirm accounts for another year."""
        self._platform.call(_USERS, "ConfirmUsers", users_pb2.ConfirmUsersRequest(accounts=accounts))
