"""Calls to a node as a peer with a stock stub makes them; those that must fail, and their status."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from heqiao.peer.v1 import match_pb2, service_pb2_grpc, types_pb2

from matcher import SUITE, oprf
from matcher.suites import tokens
from matcher.suites.suite import CURRENT
from node.wire.manifest import digest

GOOD = tokens.canary_points()[:32]


def fails(call: Callable[[], object]) -> tuple[grpc.StatusCode, str, dict[str, str], str]:
    """Status, reason and details of a call that must fail."""
    with pytest.raises(grpc.RpcError) as caught:
        call()
    status = rpc_status.from_call(caught.value)
    for packed in status.details if status else ():
        info = error_details_pb2.ErrorInfo()
        if packed.Unpack(info):
            assert info.domain == "heqiao"
            return caught.value.code(), info.reason, dict(info.metadata), caught.value.details()
    return caught.value.code(), "", {}, caught.value.details()


def good_start(signed: types_pb2.SignedManifest) -> match_pb2.EvaluateStart:
    """The start of a query of four points that the node of a signed manifest answers."""
    return match_pb2.EvaluateStart(
        suite=SUITE,
        epoch=1,
        salt_version=1,
        manifest_digest=digest(signed.manifest),
        query_id=bytes(16),
        points_announced=4,
        items=["C21"],
        purpose="new_application",
        legal_basis="SA-2026-41",
        mandate_root=bytes(32),
        token_class="ordinary",
    )


@dataclass(frozen=True)
class Target:
    """A responder of 44 and a stock stub with the certificate of node 45."""

    stub: service_pb2_grpc.PeerServiceStub
    good: match_pb2.EvaluateStart
    manifest: types_pb2.Manifest
    port: int

    @classmethod
    def of(cls, stub: service_pb2_grpc.PeerServiceStub, port: int) -> "Target":
        """The node behind a stub, with its manifest."""
        signed = stub.GetManifest(match_pb2.GetManifestRequest(suites=[SUITE])).signed_manifest
        return cls(stub, good_start(signed), types_pb2.Manifest.FromString(signed.manifest), port)

    @property
    def start(self) -> match_pb2.EvaluateStart:
        """A good start of a new query."""
        start = match_pb2.EvaluateStart()
        start.CopyFrom(self.good)
        start.query_id = secrets.token_bytes(16)
        return start

    def evaluate(self, *messages: match_pb2.EvaluateRequest) -> list[match_pb2.EvaluateResponse]:
        return list(self.stub.Evaluate(iter(messages), timeout=120))

    def part(self, item: str, origin: str = "45") -> types_pb2.Partition:
        return next(p for p in self.manifest.partitions if (p.item, p.origin) == (item, origin))

    def fetch(self, **changes: object) -> match_pb2.FetchBucketsRequest:
        part = self.part("C21")
        request = match_pb2.FetchBucketsRequest(
            suite=SUITE,
            epoch=1,
            query_id=bytes(16),
            item="C21",
            origin="45",
            version=part.version,
            buckets=[0],
        )
        for name, value in changes.items():
            if name == "buckets":
                del request.buckets[:]
                request.buckets.extend(value)
            else:
                setattr(request, name, value)
        return request

    def require_alive(self) -> None:
        """The node still answers a good query, and rightly."""
        scalar = CURRENT.cohort_blind(secrets.token_bytes(32))
        blinded = oprf.blind(scalar, tokens.canary_points()[:64])
        start = self.start
        start.points_announced = 2
        (evaluated,) = self.evaluate(opening(start), chunk(0, blinded))
        assert evaluated.HasField("done")
        assert oprf.finalize(scalar, evaluated.chunk.points) == self.manifest.canaries[0].points[:64]


def opening(start: match_pb2.EvaluateStart) -> match_pb2.EvaluateRequest:
    return match_pb2.EvaluateRequest(start=start)


def chunk(sequence: int, points: bytes) -> match_pb2.EvaluateRequest:
    return match_pb2.EvaluateRequest(chunk=match_pb2.EvaluateChunk(sequence=sequence, points=points))
