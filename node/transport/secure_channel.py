"""A channel with mutual TLS to one address."""

from collections.abc import Iterator
from contextlib import contextmanager

import grpc

from node.credentials.tls_identity import TlsIdentity

_KEEPALIVE = (
    ("grpc.keepalive_time_ms", 30_000),  # detects in the middle of a stream that a host has vanished
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
        ("grpc.ssl_target_name_override", name),
        ("grpc.max_receive_message_length", max_message_bytes),
        ("grpc.max_send_message_length", max_message_bytes),
    )
    channel = grpc.secure_channel(address, credentials, options=options)
    try:
        yield channel
    finally:
        channel.close()
