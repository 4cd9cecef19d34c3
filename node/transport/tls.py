"""What a node shows in TLS, taken from its keys at each handshake: a renewed certificate needs no restart."""

from collections.abc import Callable
from typing import Any

import grpc

from keys import KeyringError
from node.credentials.keyring import KeyRing
from node.errors import NodeError


def server_credentials(ring: KeyRing) -> grpc.ServerCredentials:
    """Credentials of a server that demands a certificate of the federation from every caller."""
    return grpc.dynamic_ssl_server_credentials(
        _configuration(ring), _fetcher(ring), require_client_authentication=True
    )


def _configuration(ring: KeyRing) -> Any:
    keys = ring.current
    return grpc.ssl_server_certificate_configuration(
        [(keys.tls_key, keys.certificate)], root_certificates=keys.ca
    )


def _fetcher(ring: KeyRing) -> Callable[[], Any]:
    shown = (ring.current.certificate, ring.current.ca)

    def fetch() -> Any:
        nonlocal shown
        try:
            keys = ring.current
        except (NodeError, KeyringError):
            return None  # keys that do not open: the call that follows is answered so, and logged
        if (keys.certificate, keys.ca) == shown:
            return None  # not changed
        renewed = _configuration(ring)
        shown = (keys.certificate, keys.ca)
        return renewed

    return fetch
