"""The service of grants, quotas and suspensions, for administrators."""

from heqiao.admin.v1 import access_pb2 as pb
from heqiao.admin.v1 import access_pb2_grpc

from node.context import Node
from node.database import peers as peer_rows
from node.domain.audit_chain import Detail
from node.domain.peers import PeerRow
from node.errors import InputError, InvalidRequestError
from node.governance import quota_settings as settings
from node.governance.grants import parse_grants, require_items
from node.governance.peers import set_grants
from node.governance.quota_settings import PeerAlert, QuotaState
from node.governance.quotas import QUOTAS
from node.jobs.mirrors import read_mirror
from node.services.dual_control import require_second
from node.transport.interceptors import Call
from node.wire.admin import (
    read_amount,
    read_grant_texts,
    read_measure,
    read_page,
    read_peer,
    read_peer_or_all,
    read_quota,
)
from node.wire.common import require, timestamp


class AccessServicer(access_pb2_grpc.AccessServiceServicer):  # type: ignore[misc]  # generated code
    """heqiao.admin.v1.AccessService."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def ListQuotas(self, request: pb.ListQuotasRequest, _call: Call) -> pb.ListQuotasResponse:  # noqa: N802
        """Quotas and their use."""
        node = self._node
        found = settings.read_states(node.config, read_peer_or_all(request.peer) or None, node.store)
        return pb.ListQuotasResponse(quotas=map(_quota, found), dual_control=node.config.approvals.required)

    def SetQuota(self, request: pb.SetQuotaRequest, call: Call) -> pb.SetQuotaResponse:  # noqa: N802
        """Another quota; under dual control only a lower one."""
        node, peer = self._node, read_peer(request.peer)
        of, amount = read_quota(request.quota), read_amount(request)
        require(of in QUOTAS, "there is no such quota")
        now = settings.effective_limit(node.config, peer, *of, node.store)
        new = settings.default_limit(node.config, *of) if amount is None else amount
        if new > now:
            asked: dict[str, Detail] = {"peer": peer, "quota": request.quota, "amount": new}
            require_second(node, call, "quotas set", asked)
        settings.set_limit(node.config, peer, *of, amount, node.store)
        return pb.SetQuotaResponse(limit=new)

    def Suspend(self, request: pb.SuspendRequest, _call: Call) -> pb.SuspendResponse:  # noqa: N802
        """Nothing of a measure passes from now on."""
        peer, measure = read_peer(request.peer), read_measure(request.measure)
        settings.suspend_by_hand(self._node.config, peer, measure, self._node.store)
        return pb.SuspendResponse()

    def LiftSuspension(  # noqa: N802
        self, request: pb.LiftSuspensionRequest, call: Call
    ) -> pb.LiftSuspensionResponse:
        """It passes again."""
        node, peer, measure = self._node, read_peer(request.peer), read_measure(request.measure)
        require_second(node, call, "quotas lift", {"peer": peer, "measure": measure})
        settings.lift(node.config, peer, measure, node.store)
        return pb.LiftSuspensionResponse()

    def ListAlerts(self, request: pb.ListAlertsRequest, _call: Call) -> pb.ListAlertsResponse:  # noqa: N802
        """A page of them."""
        limit, offset = read_page(request)
        peer = read_peer_or_all(request.peer) or None
        found = settings.list_alerts(self._node.config, peer, offset + limit, self._node.store)
        return pb.ListAlertsResponse(alerts=map(_alert, found[offset:]))

    def ListGrants(self, _request: pb.ListGrantsRequest, _call: Call) -> pb.ListGrantsResponse:  # noqa: N802
        """Both ways."""
        with self._node.store.transaction("list peers") as tx:
            known = peer_rows.list_peers(tx)
        return pb.ListGrantsResponse(
            peers=[self._grants(peer) for peer in known], dual_control=self._node.config.approvals.required
        )

    def SetGrants(self, request: pb.SetGrantsRequest, call: Call) -> pb.SetGrantsResponse:  # noqa: N802
        """All of what a peer may ask."""
        node, peer = self._node, read_peer(request.peer)
        try:
            granted = parse_grants(read_grant_texts(request.grants))
            require_items(granted, node.catalogue.codes)
        except InputError as error:
            raise InvalidRequestError(str(error), error.hint, {"rule": "grants"}) from None
        require_second(node, call, "peers grant", {"peer": peer, "grants": [str(one) for one in granted]})
        found = set_grants(node.config, peer, granted, node.clock(), store=node.store)
        return pb.SetGrantsResponse(granted=found.granted)

    def _grants(self, peer: PeerRow) -> pb.PeerGrants:
        issued_at, found = read_mirror(self._node, peer.code)
        received = sorted(f"{one.item}/{one.origin}" for one in found)
        message = pb.PeerGrants(peer=peer.code, name=peer.name, granted=peer.granted, received=received)
        if issued_at is not None:
            message.received_at.CopyFrom(timestamp(issued_at))
        return message


def _quota(state: QuotaState) -> pb.Quota:
    return pb.Quota(
        peer=state.peer,
        quota=f"{state.measure}.{state.window}",
        item=state.item,
        limit=state.limit,
        used=state.used,
        is_set=state.is_set,
        reason=state.reason,
    )


def _alert(one: PeerAlert) -> pb.Alert:
    return pb.Alert(
        peer=one.peer,
        quota=one.quota,
        item=one.item,
        at=timestamp(one.at),
        percent=one.percent,
        rule=one.rule,
    )
