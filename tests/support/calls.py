"""Calls that must fail, and their status."""

from collections.abc import Callable

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status


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
