"""Accounts, for security administrators: add, roles, leavers, reset, yearly confirmation."""

from collections.abc import Mapping

from starlette.responses import Response

from node.client.people import Accounts
from node.console.problems import asked_for
from node.console.render import show
from node.console.visits import Visit
from node.domain.users import ROLE_NAMES, Role
from node.errors import ConflictError, InputError, InvalidRequestError, PreconditionError, RefusedError

_REFUSALS = (InputError, InvalidRequestError, ConflictError, PreconditionError, RefusedError)


def show_users(visit: Visit) -> Response:
    """All accounts of the unit and below."""
    return _users(visit)


def add_user(visit: Visit) -> Response:
    """A new account."""
    typed = {name: visit.field(name, 64) for name in ("account", "name", "unit", "valid_to")}
    roles = visit.fields("roles", 16)
    try:
        initial = Accounts(visit.node).add(**typed, roles=roles)
    except _REFUSALS as error:
        if asked := asked_for(visit, error):
            return _users(visit, done=asked, typed={**typed, "roles": roles})
        return _users(visit, problem=_words(visit, error), typed={**typed, "roles": roles}, status=422)
    return _users(visit, initial=(typed["account"], initial))


def change_user(visit: Visit) -> Response:
    """What a button of an account's row does."""
    account, action, accounts = visit.field("account", 64), visit.field("action", 16), Accounts(visit.node)
    try:
        if action == "reset":
            return _users(visit, initial=(account, accounts.reset(account)))
        if action == "disable":
            accounts.disable(account)
        elif action == "confirm":
            accounts.confirm([account])
        elif action == "roles":
            accounts.set_roles(account, visit.fields("roles", 16))
        else:
            raise InvalidRequestError("no such action")
    except _REFUSALS as error:
        if asked := asked_for(visit, error):
            return _users(visit, done=asked)
        return _users(visit, problem=_words(visit, error), status=422)
    return _users(visit, done=visit.say("已完成：{account}", account=account))


def _words(visit: Visit, error: Exception) -> str:
    rule = getattr(error, "details", {}).get("rule", "")
    known = {
        "role_conflict": "所选角色不能由同一人担任：三类管理员互斥，且不得兼任经办人、复核人",
        "unit": "该单位不在您的管辖范围内",
        "own_account": "不能修改自己的账号，请由另一位安全管理员操作",
    }
    return visit.say(known[rule]) if rule in known else visit.say("未完成：{reason}", reason=str(error))


def _users(
    visit: Visit,
    *,
    problem: str = "",
    done: str = "",
    initial: tuple[str, str] | None = None,
    typed: Mapping[str, object] | None = None,
    status: int = 200,
) -> Response:
    values = {
        "users": Accounts(visit.node).list(),
        "roles": [(role.value, ROLE_NAMES[role][visit.lang == "en"]) for role in Role],
        "problem": problem,
        "done": done,
        "initial": initial,
        "typed": typed
        or {**dict.fromkeys(("account", "name", "valid_to"), ""), "unit": visit.person.unit, "roles": []},
    }
    return show(visit, "users.html", values, status=status)
