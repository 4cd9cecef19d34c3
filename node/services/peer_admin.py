"""The service of peers, for system administrators."""

from datetime import datetime

from heqiao.admin.v1 import peers_pb2 as pb
from heqiao.admin.v1 import peers_pb2_grpc

from keys.store.kinds import fingerprint_of
from node.context import Node
from node.credentials.validity import ends_soon
from node.database import Connection, seen_manifests
from node.database import peers as peer_rows
from node.database.epoch_usage import read_uses
from node.domain.audit_chain import Detail
from node.domain.peers import PeerRow, Registration
from node.errors import InvalidRequestError, NotFoundError, PreconditionError
from node.governance.peers import pause_peer, put_peer, remove_peer
from node.services.checks import Finding, check_peer
from node.services.dual_control import require_second
from node.services.health_cards import count_mirrored
from node.transport.interceptors import Call
from node.wire.admin import read_address, read_new_card, read_peer
from node.wire.common import timestamp


class PeerAdminServicer(peers_pb2_grpc.PeerAdminServiceServicer):  # type: ignore[misc]  # generated code
    """heqiao.admin.v1.PeerAdminService."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def ListPeerStates(  # noqa: N802
        self, _request: pb.ListPeerStatesRequest, _call: Call
    ) -> pb.ListPeerStatesResponse:
        """Cards, last contacts, mirrors."""
        with self._node.store.transaction("look at peers") as tx:
            known = peer_rows.list_peers(tx)
            seen, asked = seen_manifests.newest_by_peer(tx), _last_asked(tx)
            registered = peer_rows.read_registrations(tx)
        states = [self._state(peer) for peer in known]
        for state in states:
            for field, times in (("manifest_at", seen), ("asked_at", asked)):
                if state.code in times:
                    getattr(state, field).CopyFrom(timestamp(times[state.code]))
            if state.code in registered:
                _add_registration(state, registered[state.code], self._node.clock())
        return pb.ListPeerStatesResponse(peers=states, dual_control=self._node.config.approvals.required)

    def AddPeer(self, request: pb.AddPeerRequest, call: Call) -> pb.AddPeerResponse:  # noqa: N802
        """By card and typed fingerprint; a new peer is granted nothing yet, a known one what it was."""
        node, card = self._node, read_new_card(request)
        if card.code == node.config.node.code:
            raise InvalidRequestError("this is this node's own card", "", {"rule": "own_card"})
        with node.store.transaction("find peer") as tx:
            known = peer_rows.find_peer(tx, card.code)
        peer = PeerRow(
            card.code,
            card.name,
            read_address(request.address) or card.address,
            card.signing_key,
            request.allow_platforms,
            known.grants if known else (),
            allow_monitoring=known is None or known.allow_monitoring,
        )
        asked: dict[str, Detail] = {"peer": peer.code, "address": peer.address, "grants": peer.granted}
        asked |= {"platforms": int(peer.allow_platforms), "monitoring": int(peer.allow_monitoring)}
        require_second(node, call, "peers add", {**asked, "card": card.fingerprint()})
        put_peer(node.config, peer, node.clock(), node.store)
        return pb.AddPeerResponse(code=peer.code)

    def TestPeer(self, request: pb.TestPeerRequest, _call: Call) -> pb.TestPeerResponse:  # noqa: N802
        """Step by step."""
        peer = self._find(read_peer(request.code))
        if peer.paused:
            raise PreconditionError(f"peer {peer.code} is paused", "end that first", {"rule": "peer_paused"})
        return pb.TestPeerResponse(steps=map(_step, check_peer(self._node, peer)))

    def PausePeer(self, request: pb.PausePeerRequest, _call: Call) -> pb.PausePeerResponse:  # noqa: N802
        """From its next call on; open streams end."""
        pause_peer(self._node.config, read_peer(request.code), paused=True, store=self._node.store)
        return pb.PausePeerResponse()

    def ResumePeer(self, request: pb.ResumePeerRequest, call: Call) -> pb.ResumePeerResponse:  # noqa: N802
        """It is asked and answered again."""
        code = self._find(read_peer(request.code)).code
        require_second(self._node, call, "peers resume", {"peer": code})
        pause_peer(self._node.config, code, paused=False, store=self._node.store)
        return pb.ResumePeerResponse()

    def RemovePeer(self, request: pb.RemovePeerRequest, call: Call) -> pb.RemovePeerResponse:  # noqa: N802
        """It is refused from now on."""
        code = self._find(read_peer(request.code)).code
        require_second(self._node, call, "peers remove", {"peer": code})
        remove_peer(self._node.config, code, self._node.store)
        return pb.RemovePeerResponse()

    def _find(self, code: str) -> PeerRow:
        with self._node.store.transaction("find peer") as tx:
            found = peer_rows.find_peer(tx, code)
        if found is None:
            raise NotFoundError(f"there is no peer {code}", "see `heqiao peers list`")
        return found

    def _state(self, peer: PeerRow) -> pb.PeerState:
        mirrored, mirrorable = count_mirrored(self._node, peer.code)
        return pb.PeerState(
            code=peer.code,
            name=peer.name,
            address=peer.address,
            fingerprint=fingerprint_of(peer.signing_key),
            allow_platforms=peer.allow_platforms,
            paused=peer.paused,
            granted=peer.granted,
            mirrored=mirrored,
            mirrorable=mirrorable,
        )


def _add_registration(state: pb.PeerState, found: Registration, now: datetime) -> None:
    state.registered_at.CopyFrom(timestamp(found.added_at))
    shown = found.certificate
    if shown is not None:
        state.certificate = shown.fingerprint
        state.certificate_from.CopyFrom(timestamp(shown.valid_from))
        state.certificate_until.CopyFrom(timestamp(shown.valid_until))
        state.certificate_ends_soon = ends_soon(shown.valid_until, now)


def _last_asked(tx: Connection) -> dict[str, datetime]:
    found: dict[str, datetime] = {}
    for use in sorted(read_uses(tx), key=lambda one: one.at):
        found[use.peer] = use.at
    return found


def _step(found: Finding) -> pb.TestStep:
    return pb.TestStep(step=found.check, good=found.good, text=found.text, hint=found.hint)
