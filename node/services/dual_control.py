"""What a call may not do under dual control before a second person has approved it (docs/adr/0042)."""

from collections.abc import Mapping
from datetime import timedelta

from keys.errors import EnrolmentError
from node.context import Node
from node.domain.audit_chain import Detail
from node.errors import PreconditionError, RefusedError
from node.governance import approvals
from node.governance.account_approvals import by_account
from node.governance.approvals import ApprovalRequest
from node.jobs.acting import people_of
from node.transport.interceptors import Call


def require_second(node: Node, call: Call, action: str, details: Mapping[str, Detail]) -> None:
    """Return where one person may do this, or with an approval, which is used up; else keep a request.

    Action and details are those of the command that does the same. Raises PreconditionError (rule
    `approval_needed` with the `request`; `dual_control` for a caller who is no person), RefusedError.
    """
    settings = node.config.approvals
    if not settings.required:
        return
    if call.person is None:
        raise PreconditionError(
            "this node is under dual control: a second administrator must approve this",
            f"run `heqiao {action} --as FOLDER` in the home; another administrator runs `heqiao approve`",
            {"rule": "dual_control"},
        )
    now = node.clock()
    who = by_account(people_of(node), call.person.account, now)
    ask, life = ApprovalRequest(action, details), timedelta(hours=settings.hours)
    try:
        approvals.require(node.store, ask, who, now, life)
    except EnrolmentError as error:  # a row that the two did not sign
        raise RefusedError(str(error), error.hint, {"rule": "request_altered"}) from None
