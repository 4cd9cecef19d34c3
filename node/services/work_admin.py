"""The service of long work: rotations, mirrors and sources, in the background of the node."""

import threading
from functools import partial
from typing import Final

from heqiao.admin.v1 import works_pb2 as pb
from heqiao.admin.v1 import works_pb2_grpc

from keys import KeyStore
from keys.errors import KeyringError
from keys.types import RotationPolicy
from node.config import open_key_store
from node.context import Node
from node.database import peers as peer_rows
from node.domain.audit_chain import Detail
from node.errors import InputError, NotFoundError, PreconditionError
from node.jobs.mirrors import sync_peer
from node.registers.file_imports import without_contents
from node.registers.source_import import import_source
from node.registers.source_store import SourceFolder
from node.rotation import driver
from node.rotation.kinds import KINDS
from node.services.dual_control import require_second
from node.services.works import Act, Work, Works
from node.telemetry.progress import Progress
from node.transport.interceptors import Call
from node.wire.admin import read_item, read_peer
from node.wire.common import require, timestamp

# The next TLS key needs the CA's answer, and the next salt imports under both: those are commands.
ROTATED: Final = ("oprf", "sum", "signing", "storage")


class WorkServicer(works_pb2_grpc.WorkServiceServicer):  # type: ignore[misc]  # generated code
    """heqiao.admin.v1.WorkService."""

    def __init__(self, node: Node, works: Works) -> None:
        self._node, self._works = node, works

    def ListWorks(self, _request: pb.ListWorksRequest, _call: Call) -> pb.ListWorksResponse:  # noqa: N802
        """What runs, and what ended."""
        return pb.ListWorksResponse(works=map(_message, self._works.list()))

    def StartRotation(  # noqa: N802
        self, request: pb.StartRotationRequest, call: Call
    ) -> pb.StartRotationResponse:
        """As `heqiao keys rotate PURPOSE`."""
        node, purpose = self._node, request.purpose
        require(purpose in ROTATED, f"kinds are {', '.join(ROTATED)}")
        kind = KINDS[purpose]
        try:
            keys, policy = open_key_store(node.config), kind.policy(node.config)
            epoch = driver.prepare(kind, node, keys, policy).steps[-1].epoch
        except KeyringError as error:
            raise PreconditionError(str(error), error.hint, {"rule": "keys"}) from None
        asked: dict[str, Detail] = {"purpose": purpose, "epoch": epoch, "grace_days": policy.grace.days}
        require_second(node, call, "keys rotate", asked)
        act = partial(_rotate, node, keys, policy, purpose, epoch)
        return pb.StartRotationResponse(work_id=self._start("rotation", purpose, call, act))

    def StartMirrorSync(  # noqa: N802
        self, request: pb.StartMirrorSyncRequest, call: Call
    ) -> pb.StartMirrorSyncResponse:
        """As `heqiao mirror sync PEER`."""
        code, node = read_peer(request.peer), self._node
        with node.store.transaction("find peer") as tx:
            peer = peer_rows.find_peer(tx, code)
        if peer is None:
            raise NotFoundError(f"there is no peer {code}", "see `heqiao peers list`")
        if peer.paused:
            raise PreconditionError(f"peer {code} is paused", "end that first", {"rule": "peer_paused"})

        def act(progress: Progress, stopping: threading.Event) -> None:
            sync_peer(node, peer, partial(progress, "sync"), stopping)

        return pb.StartMirrorSyncResponse(work_id=self._start("mirror", code, call, act))

    def StartSource(self, request: pb.StartSourceRequest, call: Call) -> pb.StartSourceResponse:  # noqa: N802
        """As `heqiao sources import ITEM`."""
        node, item = self._node, read_item(request.item)
        sources = SourceFolder(node.config.folder)
        sources.read(item)

        def act(progress: Progress, _stopping: threading.Event) -> None:
            rejects = sources.rejects_path(item)
            try:
                import_source(node, sources, item, rejects, 0, progress, full=False, wait=False)
            except InputError as error:
                raise without_contents(error, item) from None

        return pb.StartSourceResponse(work_id=self._start("source", item, call, act))

    def _start(self, kind: str, subject: str, call: Call, act: Act) -> str:
        account = call.person.account if call.person else ""
        return self._works.start(kind, subject, account, act).id


def _rotate(
    node: Node,
    keys: KeyStore,
    policy: RotationPolicy,
    purpose: str,
    epoch: int,
    progress: Progress,
    _stopping: threading.Event,
) -> None:
    # No processes: a serving node has threads and connections, which no fork survives.
    driver.rotate(KINDS[purpose], node, keys, policy, epoch=epoch, workers=0, progress=progress)


def _message(one: Work) -> pb.Work:
    message = pb.Work(
        work_id=one.id,
        kind=one.kind,
        subject=one.subject,
        account=one.account,
        state=one.state,
        stage=one.stage,
        done=one.done,
        total=one.total,
        started_at=timestamp(one.started_at),
        code=one.code,
        text=one.text,
        rule=one.rule,
    )
    if one.ended_at is not None:
        message.ended_at.CopyFrom(timestamp(one.ended_at))
    return message
