"""The service of health and keys, for administrators."""

from datetime import datetime

from heqiao.admin.v1 import overview_pb2 as pb
from heqiao.admin.v1 import overview_pb2_grpc

from node.context import Node
from node.governance import backups
from node.rotation.ends import why_kept
from node.rotation.status import KeyLine, KeyStatus, PeerUse, read_status
from node.services.health_cards import Card, read_cards
from node.services.opened_keys import OpenedKeys
from node.transport.interceptors import Call
from node.wire.common import timestamp


class OverviewServicer(overview_pb2_grpc.OverviewServiceServicer):  # type: ignore[misc]  # generated code
    """heqiao.admin.v1.OverviewService."""

    def __init__(self, node: Node, opened: OpenedKeys) -> None:
        self._node, self._opened = node, opened

    def GetHealth(self, _request: pb.GetHealthRequest, _call: Call) -> pb.GetHealthResponse:  # noqa: N802
        """Checks of this node, made now."""
        return pb.GetHealthResponse(cards=map(_card, read_cards(self._node)))

    def GetKeys(self, _request: pb.GetKeysRequest, _call: Call) -> pb.GetKeysResponse:  # noqa: N802
        """What `heqiao keys status` shows."""
        node = self._node
        now = node.clock()
        found = read_status(node.config, self._opened.open(), now, (node.store, node.catalogue))
        message = _keys(found, now)
        message.dual_control = node.config.approvals.required
        with node.store.transaction("read backups") as tx:
            known = backups.read_backups(tx)
        message.unsaved.extend(backups.unsaved((line.facts for line in found.keys), known))
        if known:
            message.backup_at.CopyFrom(timestamp(known[0].at))
        return message


def _card(card: Card) -> pb.HealthCard:
    found = card.finding
    return pb.HealthCard(
        name=found.check.replace(" ", "_"),
        state=card.state,
        text=found.text,
        hint=found.hint,
        advice=found.advice,
        facts=found.facts,
        checked_at=timestamp(card.checked_at),
    )


def _keys(found: KeyStatus, now: datetime) -> pb.GetKeysResponse:
    message = pb.GetKeysResponse(
        keys=[_key(line, now) for line in found.keys],
        problems=found.problems,
        due=[
            pb.DueStep(
                purpose=one.step.purpose,
                epoch=one.step.epoch,
                action=one.step.action.value,
                reason=one.reason.value,
            )
            for one in found.due
        ],
        peers=map(_use, found.peers),
    )
    if found.database:
        message.problems.append(found.database)
    if found.certificate is not None:
        message.certificate_until.CopyFrom(timestamp(found.certificate.not_after))
    return message


def _key(line: KeyLine, now: datetime) -> pb.Key:
    facts = line.facts
    kept, action = why_kept(line, now)
    message = pb.Key(
        purpose=facts.purpose,
        epoch=facts.epoch,
        state=line.state.value,
        fingerprint=facts.fingerprint,
        made_at=timestamp(facts.made),
        problems=facts.problems,
        kept=kept,
        action=action,
    )
    if line.due is not None:
        message.due_at.CopyFrom(timestamp(line.due))
    if line.grace_until is not None:
        message.grace_until.CopyFrom(timestamp(line.grace_until))
    return message


def _use(use: PeerUse) -> pb.EpochOfPeer:
    return pb.EpochOfPeer(
        peer=use.peer, purpose=use.purpose, epoch=use.epoch, at=timestamp(use.at), behind=use.behind
    )
