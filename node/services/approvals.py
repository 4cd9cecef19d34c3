"""The service of requests under dual control: one administrator asks, another approves (docs/adr/0042)."""

import json
from datetime import datetime

from heqiao.admin.v1 import approvals_pb2 as pb
from heqiao.admin.v1 import approvals_pb2_grpc

from keys.errors import EnrolmentError
from node.context import Node
from node.database.approvals import ApprovalRow
from node.errors import RefusedError
from node.governance import approvals, sign_in
from node.governance.account_approvals import by_account
from node.governance.administrators import ACCOUNT
from node.jobs.acting import people_of
from node.transport.interceptors import Call
from node.wire.admin import read_page
from node.wire.common import timestamp
from node.wire.people import require_texts


class ApprovalServicer(approvals_pb2_grpc.ApprovalServiceServicer):  # type: ignore[misc]  # generated code
    """heqiao.admin.v1.ApprovalService."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def ListApprovals(  # noqa: N802
        self, request: pb.ListApprovalsRequest, _call: Call
    ) -> pb.ListApprovalsResponse:
        """Requests under dual control."""
        limit, offset = read_page(request)
        found = approvals.list_states(self._node.config, self._node.store)
        page = found[offset : offset + limit]
        return pb.ListApprovalsResponse(
            approvals=[_approval(row, state) for row, state in page], total=len(found)
        )

    def Approve(self, request: pb.ApproveRequest, call: Call) -> pb.ApproveResponse:  # noqa: N802
        """Password and code again, then the node signs in the person's name."""
        node, person, now = self._node, call.require_person(), self._node.clock()
        require_texts(request.approval_id, request.digest, request.password, request.code)
        people = people_of(node)
        given = (request.password, request.code)
        sign_in.prove_again(people, person.account, *given, now, call.session)
        who = by_account(people, person.account, now)
        try:
            approvals.approve(node.store, request.approval_id, who, now, request.digest)
        except EnrolmentError as error:  # a row that the requester did not sign
            raise RefusedError(str(error), error.hint, {"rule": "request_altered"}) from None
        return pb.ApproveResponse()

    def Withdraw(self, request: pb.WithdrawRequest, call: Call) -> pb.WithdrawResponse:  # noqa: N802
        """Of the own request."""
        node, person, now = self._node, call.require_person(), self._node.clock()
        require_texts(request.approval_id)
        who = by_account(people_of(node), person.account, now)
        approvals.withdraw(node.store, request.approval_id, who, now, person.account)
        return pb.WithdrawResponse()


def _approval(row: ApprovalRow, state: str) -> pb.Approval:
    details = {name: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
               for name, value in json.loads(row.details).items()}  # fmt: skip
    return pb.Approval(
        approval_id=row.id,
        action=row.action,
        details=details,
        requester=row.requester.removeprefix(ACCOUNT),
        approver=(row.approver or "").removeprefix(ACCOUNT),
        requested_at=timestamp(row.requested_at),
        expires_at=timestamp(datetime.fromisoformat(row.expires_at)),
        state=state,
        digest=row.digest,
        by_account=row.requester.startswith(ACCOUNT),
        account=row.account,
    )
