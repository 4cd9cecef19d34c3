"""The service of accounts, for security administrators."""

from heqiao.admin.v1 import users_pb2 as pb
from heqiao.admin.v1 import users_pb2_grpc

from node.context import Node
from node.domain.units import MINISTRY
from node.governance import users
from node.jobs.acting import people_of
from node.transport.interceptors import Call
from node.wire.common import require
from node.wire.people import MAX_CONFIRMED, read_new_user, read_roles, require_texts, user_message


class UserServicer(users_pb2_grpc.UserServiceServicer):  # type: ignore[misc]  # generated code
    """heqiao.admin.v1.UserService. Called by the node itself, it acts for all units."""

    def __init__(self, node: Node) -> None:
        self._node, self._people = node, people_of(node)

    def ListUsers(self, _request: pb.ListUsersRequest, call: Call) -> pb.ListUsersResponse:  # noqa: N802
        """Accounts of the unit and of those below it."""
        below = call.person.unit if call.person else MINISTRY
        now = self._node.clock()
        found = users.list_users(self._people, below)
        return pb.ListUsersResponse(users=[user_message(one, now) for one in found])

    def AddUser(self, request: pb.AddUserRequest, call: Call) -> pb.AddUserResponse:  # noqa: N802
        """A new account."""
        now = self._node.clock()
        new = read_new_user(request, now)
        return pb.AddUserResponse(initial_password=users.add(self._people, new, call.person, now))

    def SetRoles(self, request: pb.SetRolesRequest, call: Call) -> pb.SetRolesResponse:  # noqa: N802
        """Other roles."""
        require_texts(request.account)
        roles = read_roles(request.roles)
        users.set_roles(self._people, request.account, roles, call.person, self._node.clock())
        return pb.SetRolesResponse()

    def DisableUser(self, request: pb.DisableUserRequest, call: Call) -> pb.DisableUserResponse:  # noqa: N802
        """At once."""
        require_texts(request.account)
        users.disable(self._people, request.account, call.person, self._node.clock())
        return pb.DisableUserResponse()

    def ResetUser(self, request: pb.ResetUserRequest, call: Call) -> pb.ResetUserResponse:  # noqa: N802
        """A new initial password."""
        require_texts(request.account)
        initial = users.reset(self._people, request.account, call.person, self._node.clock())
        return pb.ResetUserResponse(initial_password=initial)

    def ConfirmUsers(self, request: pb.ConfirmUsersRequest, call: Call) -> pb.ConfirmUsersResponse:  # noqa: N802
        """For another year."""
        require(0 < len(request.accounts) <= MAX_CONFIRMED, f"name 1 to {MAX_CONFIRMED} accounts")
        require_texts(*request.accounts)
        users.confirm(self._people, tuple(request.accounts), call.person, self._node.clock())
        return pb.ConfirmUsersResponse()
