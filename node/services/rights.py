"""Who may call which method of the platform port: one judgement for every call (node/domain/rights.py)."""

from keys import CertifiedIdentity
from node.context import Node
from node.database import Connection
from node.database import audit_log as audit_rows
from node.domain.rights import CONSOLE, RPCS, Right, refusal
from node.domain.users import ROLE_NAMES, Person
from node.errors import RefusedError, SessionEndedError
from node.governance.sign_in import read_session
from node.jobs.acting import people_of
from node.transport.session import SentSession

_READY = {
    "need_new_password": "choose a password of your own first",
    "need_totp": "enrol a second factor first",
    "need_confidentiality": "sign the confidentiality record first",
}


def judge(node: Node, method: str, caller: CertifiedIdentity, session: SentSession) -> Person | None:
    """The person who acts with a call, None where the node itself or a platform does.

    A console's own certificate acts for people only. Raises SessionEndedError where a person is needed and no
    session is good, RefusedError (rule `right`) for a platform or a person who may not call the method.
    Refusals of people are on record.
    """
    right, token = RPCS.get(method), session.token
    is_console = caller.role == "platform" and caller.name == CONSOLE
    if caller.role != "node" and not is_console:
        if token or right is None or not right.platform:
            raise RefusedError("platforms may not call this", "", {"rule": "right"})
        return None
    if right is not None and right.before:
        return None
    if not token:
        if node.config.users.required or is_console:
            raise SessionEndedError(
                "this node serves people who have signed in", "sign in", {"rule": "session"}
            )
        return None
    person = read_session(people_of(node), token, node.clock(), is_use=session.is_use)
    why = refusal(right, person)
    if why:
        _note_refused(node, person, method, why)
        raise _refused(right, why)
    return person


def _refused(right: Right | None, why: str) -> RefusedError:
    if why in _READY:
        return RefusedError(_READY[why], "", {"rule": why})
    if why == "unit":
        return RefusedError(
            "this is for people of a unit of the whole province", "ask one of them", {"rule": "unit"}
        )
    roles = [] if right is None else sorted(right.roles)
    names = " or ".join(ROLE_NAMES[role][1] for role in roles) or "nobody"
    return RefusedError(
        f"your roles do not permit this: {names} may", "", {"rule": "right", "roles": " ".join(roles)}
    )


def _note_refused(node: Node, person: Person, method: str, why: str) -> None:
    details = {"user": person.account, "user_unit": person.unit, "method": method, "rule": why}

    def write(tx: Connection) -> None:
        audit_rows.append(tx, "call_refused", details, node.clock())

    node.store.retry_write("note a refusal", write)
