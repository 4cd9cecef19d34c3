"""A channel with mutual TLS to one address."""

from collections.abc import Iterator
from contextlib import contextmanager

import grpc

from node.credentials.tls_identity import TlsIdentity

KEEPALIVE_MS = 30_000
_KEEPALIVE = (
    # A peer whose host vanished is noticed in the middle of a stream.
    ("grpc.keepalive_time_ms", KEEPALIVE_MS),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.http2.max_pings_without_data", 0),
)


@contextmanager
def secure_channel(
    address: str, name: str, identity: TlsIdentity, max_message_bytes: int
) -> Iterator[grpc.Channel]:
    """A channel with mutual TLS.

    The server must hold a certificate for `name`, which names the province and not the host: no other node
    of the federation can answer in its place.
    """
    credentials = grpc.ssl_channel_credentials(identity.ca, identity.key, identity.certificate)
    options = (
        *_KEEPALIVE,
        ("grpc.enable_http_proxy", 0),  # a node talks to addresses; http_proxy is for other programs
        ("grpc.ssl_target_name_override", name),
        ("grpc.max_receive_message_length", max_message_bytes),
        ("grpc.max_send_message_length", max_message_bytes),
    )
    channel = grpc.secure_channel(address, credentials, options=options)
    try:
        yield channel
    finally:
        channel.close()
