"""Calls that must fail, and their status."""

from collections.abc import Callable

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from heqiao.peer.v1 import match_pb2, types_pb2

from matcher import SUITE
from node.wire.manifest import digest


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
        mandate_root=bytes(32),
        token_class="ordinary",
    )
