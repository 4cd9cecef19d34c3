"""A channel with mutual TLS to one address, and the health check over it."""

from collections.abc import Iterator
from contextlib import contextmanager

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from node.transport.status import from_rpc_error

_KEEPALIVE = (
    ("grpc.keepalive_time_ms", 30_000),  # a peer whose host vanished is noticed in the middle of a stream
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.http2.max_pings_without_data", 0),
)


_HEALTH_BYTES = 65_536


@contextmanager
def secure_channel(
    address: str, name: str, identity: tuple[bytes, bytes, bytes], max_message_bytes: int
) -> Iterator[grpc.Channel]:
    """A channel with mutual TLS; `identity` is CA, private key and certificate, all PEM.

    The server must hold a certificate for `name`, which stands for the province and not for the host:
    no other node of the federation can answer in its place.
    """
    ca, key, certificate = identity
    credentials = grpc.ssl_channel_credentials(ca, key, certificate)
    options = (
        *_KEEPALIVE,
        ("grpc.ssl_target_name_override", name),
        ("grpc.max_receive_message_length", max_message_bytes),
        ("grpc.max_send_message_length", max_message_bytes),
    )
    channel = grpc.secure_channel(address, credentials, options=options)
    try:
        yield channel
    finally:
        channel.close()


def check_health(
    address: str, name: str, identity: tuple[bytes, bytes, bytes], service: str, timeout_s: float
) -> bool:
    """Ask grpc.health.v1 (grpc/doc/health-checking.md) whether a service of a node serves.

    Address, name and identity are those of `secure_channel`. Raises NodeError kinds, UnavailableError
    when nobody answers in time.
    """
    with secure_channel(address, name, identity, _HEALTH_BYTES) as channel:
        try:
            response = health_pb2_grpc.HealthStub(channel).Check(
                health_pb2.HealthCheckRequest(service=service), timeout=timeout_s
            )
        except grpc.RpcError as error:
            raise from_rpc_error(error) from None
    return bool(response.status == health_pb2.HealthCheckResponse.SERVING)
