"""The service of health and keys, for administrators."""

from heqiao.admin.v1 import overview_pb2 as pb
from heqiao.admin.v1 import overview_pb2_grpc

from keys.store.key_store import HEADER, KeyStore
from node.config import open_key_store
from node.context import Node
from node.rotation.status import KeyLine, KeyStatus, PeerUse, read_status
from node.services.health_cards import Card, last_backup, read_cards
from node.transport.interceptors import Call
from node.wire.common import timestamp


class OverviewServicer(overview_pb2_grpc.OverviewServiceServicer):  # type: ignore[misc]  # generated code
    """heqiao.admin.v1.OverviewService."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._opened: tuple[int, KeyStore] | None = None

    def GetHealth(self, _request: pb.GetHealthRequest, _call: Call) -> pb.GetHealthResponse:  # noqa: N802
        """Checks of this node, made now."""
        return pb.GetHealthResponse(cards=map(_card, read_cards(self._node)))

    def GetKeys(self, _request: pb.GetKeysRequest, _call: Call) -> pb.GetKeysResponse:  # noqa: N802
        """What `heqiao keys status` shows."""
        node = self._node
        found = read_status(node.config, self._key_store(), node.clock(), (node.store, node.catalogue))
        message = _keys(found)
        message.dual_control = node.config.approvals.required
        backup = last_backup(node)
        if backup is not None:
            message.backup_at.CopyFrom(timestamp(backup))
        return message

    def _key_store(self) -> KeyStore:
        """The key store, opened again only after its header was written anew: a passphrase costs a quarter of
        a second of computing, which a page does not have. No secret of it is kept.
        """
        header, opened = self._node.config.keys.store / HEADER, self._opened
        written = header.stat().st_mtime_ns if header.exists() else 0
        if opened is None or opened[0] != written:
            self._opened = opened = written, open_key_store(self._node.config)
        return opened[1].unread()


def _card(card: Card) -> pb.HealthCard:
    found = card.finding
    return pb.HealthCard(
        name=found.check.replace(" ", "_"),
        state=card.state,
        text=found.text,
        hint=found.hint,
        facts=found.facts,
        checked_at=timestamp(card.checked_at),
    )


def _keys(found: KeyStatus) -> pb.GetKeysResponse:
    message = pb.GetKeysResponse(
        keys=map(_key, found.keys),
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


def _key(line: KeyLine) -> pb.Key:
    facts = line.facts
    message = pb.Key(
        purpose=facts.purpose,
        epoch=facts.epoch,
        state=line.state.value,
        fingerprint=facts.fingerprint,
        made_at=timestamp(facts.made),
        problems=facts.problems,
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
