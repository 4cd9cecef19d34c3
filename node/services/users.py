"""The service of accounts, for security administrators."""

from heqiao.admin.v1 import users_pb2 as pb
from heqiao.admin.v1 import users_pb2_grpc

from node.context import Node
from node.database.users import UserRow
from node.domain.units import MINISTRY
from node.domain.users import Role
from node.governance import users
from node.governance.account_approvals import guarded_account
from node.governance.accounts import People, require_row
from node.jobs.acting import people_of
from node.services.dual_control import require_second
from node.transport.interceptors import Call
from node.wire.common import require
from node.wire.people import MAX_CONFIRMED, read_new_user, read_roles, require_texts, user_message


class UserServicer(users_pb2_grpc.UserServiceServicer):  # type: ignore[misc]  # generated code
    """heqiao.admin.v1.UserService. Called by the node itself, it acts for all units."""

    def __init__(self, node: Node) -> None:
        self._node = node

    @property
    def _people(self) -> People:
        return people_of(self._node)  # each time: a rotation of the storage key changes what opens accounts

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
        self._guard(call, "users add", new.account, new.unit, new.roles)
        return pb.AddUserResponse(initial_password=users.add(self._people, new, call.person, now))

    def SetRoles(self, request: pb.SetRolesRequest, call: Call) -> pb.SetRolesResponse:  # noqa: N802
        """Other roles."""
        require_texts(request.account)
        roles = read_roles(request.roles)
        self._guard(call, "users roles", request.account, self._find(request.account).unit, roles)
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
        row = self._find(request.account)
        self._guard(call, "users reset", row.account, row.unit, row.roles)
        initial = users.reset(self._people, request.account, call.person, self._node.clock())
        return pb.ResetUserResponse(initial_password=initial)

    def ConfirmUsers(self, request: pb.ConfirmUsersRequest, call: Call) -> pb.ConfirmUsersResponse:  # noqa: N802
        """For another year."""
        require(0 < len(request.accounts) <= MAX_CONFIRMED, f"name 1 to {MAX_CONFIRMED} accounts")
        require_texts(*request.accounts)
        users.confirm(self._people, tuple(request.accounts), call.person, self._node.clock())
        return pb.ConfirmUsersResponse()

    def _find(self, account: str) -> UserRow:
        with self._node.store.transaction("read a user") as tx:
            return require_row(tx, account)

    def _guard(self, call: Call, action: str, account: str, unit: str, roles: frozenset[Role]) -> None:
        """An account that could approve is made, changed and reset by two."""
        asked = guarded_account(account, unit, roles)
        if asked is not None and call.person is not None:
            require_second(self._node, call, action, asked)
