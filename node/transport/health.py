"""The standard health check (grpc.health.v1) of a node's services."""

from typing import Final

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from node.credentials.tls_identity import TlsIdentity
from node.transport.secure_channel import secure_channel
from node.transport.status import from_rpc_error

_MAX_BYTES: Final = 65_536


def check_health(address: str, name: str, identity: TlsIdentity, service: str, timeout_s: float) -> bool:
    """Ask grpc.health.v1 (grpc/doc/health-checking.md) whether a service of a node serves.

    Address, name and identity are those of `secure_channel`. Raises NodeError kinds, UnavailableError
    when the node does not answer in time.
    """
    with secure_channel(address, name, identity, _MAX_BYTES) as channel:
        try:
            response = health_pb2_grpc.HealthStub(channel).Check(
                health_pb2.HealthCheckRequest(service=service), timeout=timeout_s
            )
        except grpc.RpcError as error:
            raise from_rpc_error(error) from None
    return bool(response.status == health_pb2.HealthCheckResponse.SERVING)
