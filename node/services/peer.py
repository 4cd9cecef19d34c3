"""The peer service: decode, call the responder's step, encode."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial

from heqiao.peer.v1 import aggregate_pb2, catalogue_pb2, match_pb2, mirror_pb2, service_pb2_grpc, types_pb2

from keys import CertifiedIdentity
from matcher.suites.x25519 import POINT_SIZE
from node.context import Node
from node.database import peers as peer_rows
from node.domain.audit_chain import Detail
from node.domain.peers import PeerRow
from node.errors import InvalidPointsError, InvalidRequestError, UnknownCallerError
from node.governance.peer_certificates import PeerCertificates
from node.responder import manifest, match, mirrors
from node.responder.catalogue import describe_items
from node.responder.fetches import metered
from node.responder.sum_opening import open_sums
from node.responder.sums import Cohort, serve_rows
from node.transport.first_message import FIRST_MESSAGE_S
from node.transport.idle_timeout import BYTES_A_SECOND, POINTS_A_SECOND, IdleGuard
from node.transport.interceptors import Admission, Call
from node.transport.stream_limits import StreamLimits
from node.wire import catalogue as catalogue_wire
from node.wire import match as wire
from node.wire import mirror as mirror_wire
from node.wire import sums as sums_wire
from node.wire.match_messages import BucketRequest, EvaluatedChunk
from node.wire.mirror_messages import DeltaRequest, PartitionRequest


class PeerServicer(service_pb2_grpc.PeerServiceServicer):  # type: ignore[misc]  # generated code has no types
    """heqiao.peer.v1.PeerService."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._streams = StreamLimits(node.config.limits.max_streams_per_peer)

    def GetManifest(  # noqa: N802 - the name is the protocol's
        self, request: match_pb2.GetManifestRequest, call: Call
    ) -> match_pb2.GetManifestResponse:
        """Step 1."""
        peer = call.require_peer()
        offered = manifest.offer_manifest(
            self._node,
            peer,
            tuple(request.suites),
            with_sums=request.with_sums,
            salt_versions=wire.salt_versions(request),
            epoch=request.epoch,
        )
        return match_pb2.GetManifestResponse(
            signed_manifest=types_pb2.SignedManifest(
                manifest=offered.serialised, signature=offered.signature
            ),
            successions=wire.succession_messages(offered.successions),
        )

    def Evaluate(  # noqa: N802
        self, requests: Iterator[match_pb2.EvaluateRequest], call: Call
    ) -> Iterator[match_pb2.EvaluateResponse]:
        """Step 2."""
        with self._stream(call, POINTS_A_SECOND) as (peer, guard):
            start = wire.parse_start(_first(requests).start)
            with closing(match.Evaluation(self._node, peer, start, _name(call))) as evaluation:
                while not evaluation.is_complete:
                    message = next(requests, None)
                    if message is None:
                        raise InvalidPointsError("fewer points than announced")
                    if message.WhichOneof("message") != "chunk":
                        raise InvalidRequestError("after the start only chunks may follow")
                    sequence = message.chunk.sequence
                    points = evaluation.answer(sequence, message.chunk.points)
                    guard.moved(len(points) // POINT_SIZE)
                    done = evaluation.finish() if evaluation.is_complete else None
                    yield wire.answer_message(EvaluatedChunk(sequence, points, done))

    def FetchPartition(  # noqa: N802
        self, request: mirror_pb2.FetchPartitionRequest, call: Call
    ) -> Iterator[mirror_pb2.FetchPartitionResponse]:
        """A partition for a mirror."""
        with self._stream(call, BYTES_A_SECOND) as (peer, guard):
            wanted = mirror_wire.parse_partition_request(request)
            leaves, buckets = mirrors.serve_partition(self._node, peer, wanted)
            pieces = mirror_wire.piece_messages(leaves, buckets, match.SLICE_BYTES)
            asked = _fetched(call, wanted, wanted.version, wanted.query_id)
            asked["first_bucket"] = wanted.first_bucket
            for message in metered(self._node, peer, "partition_fetched", asked, pieces):
                yield message
                guard.moved(message.ByteSize())

    def FetchDelta(  # noqa: N802
        self, request: mirror_pb2.FetchDeltaRequest, call: Call
    ) -> Iterator[mirror_pb2.FetchDeltaResponse]:
        """What changed in a partition, for a mirror."""
        with self._stream(call, BYTES_A_SECOND) as (peer, guard):
            wanted = mirror_wire.parse_delta_request(request)
            size, changes = mirrors.serve_delta(self._node, peer, wanted)
            parts = mirror_wire.change_messages(changes, size, match.SLICE_BYTES)
            asked = _fetched(call, wanted, wanted.to_version)
            asked["from_version"] = wanted.from_version
            for message in metered(self._node, peer, "delta_fetched", asked, parts):
                yield message
                guard.moved(message.ByteSize())

    def FetchBuckets(  # noqa: N802
        self, request: match_pb2.FetchBucketsRequest, call: Call
    ) -> Iterator[match_pb2.FetchBucketsResponse]:
        """Step 3."""
        with self._stream(call, BYTES_A_SECOND) as (peer, guard):
            wanted = wire.parse_bucket_request(request)
            parts = match.serve_buckets(self._node, peer, wanted)
            slices = wire.slice_messages(parts, match.SLICE_BYTES, several=request.several)
            asked = _fetched(call, wanted, wanted.version, wanted.query_id)
            asked["buckets"] = len(wanted.buckets)
            for message in metered(self._node, peer, "buckets_fetched", asked, slices):
                yield message
                guard.moved(message.ByteSize())

    def EvaluateCohort(  # noqa: N802
        self, requests: Iterator[aggregate_pb2.EvaluateCohortRequest], call: Call
    ) -> Iterator[aggregate_pb2.EvaluateCohortResponse]:
        """Rounds 1 and 2 of a sum: the whole cohort comes first."""
        with self._stream(call, POINTS_A_SECOND) as (peer, guard):
            first = next(requests, None)
            if first is None or first.WhichOneof("message") != "start":
                raise InvalidRequestError("the first message must be a start")
            cohort = Cohort(self._node, peer, sums_wire.parse_start(first.start), _name(call))
            for message in requests:
                if message.WhichOneof("message") != "chunk":
                    raise InvalidRequestError("after the start only chunks may follow")
                cohort.add(message.chunk.sequence, message.chunk.points)
                guard.moved(len(message.chunk.points) // POINT_SIZE)
            for sequence, points in enumerate(cohort.evaluate()):
                chunk = aggregate_pb2.CohortChunk(sequence=sequence, points=points)
                yield aggregate_pb2.EvaluateCohortResponse(chunk=chunk)
                guard.moved(len(points) // POINT_SIZE)

    def FetchRows(  # noqa: N802
        self, request: aggregate_pb2.FetchRowsRequest, call: Call
    ) -> Iterator[aggregate_pb2.FetchRowsResponse]:
        """Round 2 of a sum."""
        with self._stream(call, BYTES_A_SECOND) as (peer, guard):
            wanted = sums_wire.parse_rows_request(request)
            parts = map(sums_wire.slice_message, serve_rows(self._node, peer, wanted))
            asked: dict[str, Detail] = {"caller": _name(call), "query": wanted.query_id.hex()}
            asked |= {"item": wanted.item, "area": wanted.prefix, "first_row": wanted.first_row}
            for message in metered(self._node, peer, "rows_fetched", asked, parts):
                yield message
                guard.moved(message.ByteSize())

    def OpenSums(  # noqa: N802
        self, request: aggregate_pb2.OpenSumsRequest, call: Call
    ) -> aggregate_pb2.OpenSumsResponse:
        """Rounds 3 and 4 of a sum."""
        peer = call.require_peer()
        answers = open_sums(self._node, peer, sums_wire.parse_open_request(request))
        return sums_wire.answers_message(answers)

    def DescribeItems(  # noqa: N802
        self, request: catalogue_pb2.DescribeItemsRequest, call: Call
    ) -> catalogue_pb2.DescribeItemsResponse:
        """The definitions of some items."""
        call.require_peer()
        items = catalogue_wire.parse_request(request)
        return catalogue_wire.response_message(describe_items(self._node, items))

    @contextmanager
    def _stream(self, call: Call, pace: int) -> Iterator[tuple[PeerRow, IdleGuard]]:
        """One of the peer's long streams. A peer that stops in the middle, or nearly, must not keep a worker
        thread. Raises LimitError.
        """
        peer, limit_s = call.require_peer(), self._node.config.limits.call_timeout_s
        with self._streams.take(peer.code), IdleGuard(call.cancel, limit_s, pace=pace) as guard:
            yield peer, guard


def peer_admission(node: Node) -> Admission:
    """Peers, each with at most a quarter of the threads: no three of them fill a node."""
    limits, certificates = node.config.limits, PeerCertificates(node.store)

    def admit(caller: CertifiedIdentity) -> PeerRow:
        found = find_peer(node, caller)
        certificates.note(caller)
        return found

    return Admission(
        partial(node.revocations.require_admitted, whose="the caller"),
        admit,
        limits.worker_threads,
        limits.worker_threads // 4,
        min(FIRST_MESSAGE_S, limits.call_timeout_s),
        peers=True,
    )


def find_peer(node: Node, caller: CertifiedIdentity) -> PeerRow:
    """The peer that a caller is. Raises UnknownCallerError with one text for all causes."""
    with node.store.transaction("find peer") as tx:
        peer = peer_rows.find_peer(tx, caller.code)
    if peer is None or peer.paused or (caller.role == "platform" and not peer.allow_platforms):
        raise UnknownCallerError(
            "this node does not serve the caller",
            "the administrators of both nodes exchange cards and run `heqiao peers add`",
        )
    return peer


def _first(requests: Iterator[match_pb2.EvaluateRequest]) -> match_pb2.EvaluateRequest:
    message = next(requests, None)
    if message is None or message.WhichOneof("message") != "start":
        raise InvalidRequestError("the first message must be a start")
    return message


def _name(call: Call) -> str:
    return call.caller.role + (f"/{call.caller.name}" if call.caller.name else "")


def _fetched(
    call: Call, wanted: BucketRequest | PartitionRequest | DeltaRequest, version: int, query_id: bytes = b""
) -> dict[str, Detail]:
    """What the audit chain says of a fetch; one of no query is a mirror's."""
    return {
        "caller": _name(call),
        "query": query_id.hex() or "mirror",
        "item": wanted.item,
        "origin": wanted.origin,
        "epoch": wanted.epoch,
        "version": version,
    }
