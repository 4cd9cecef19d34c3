"""Reads the certificate of a node in a separate TLS handshake: gRPC does not show it to clients."""

import socket
import ssl

from keys.pki.names import split_address
from node.errors import UnavailableError, UnreachableError


def server_certificate(address: str, name: str, ca: bytes, timeout_s: float) -> bytes:
    """The certificate (PEM) of the server at an address, after TLS verified it: issued by the CA
    (PEM), valid now, for `name`. This side shows no certificate, so the server then ends the connection.

    Raises:
        UnreachableError: no server answers.
        UnavailableError: the certificate is not accepted.
    """
    # TLS 1.3 only: there the client's handshake ends before the server asks for the client's certificate.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.set_alpn_protocols(["h2"])
    context.load_verify_locations(cadata=ca.decode())
    try:
        with (
            socket.create_connection(split_address(address), timeout_s) as plain,
            context.wrap_socket(plain, server_hostname=name) as secure,
        ):
            shown = secure.getpeercert(binary_form=True)
    except ssl.SSLError:
        shown = None
    except OSError:
        raise UnreachableError(
            "the node does not answer", "check its address, the network, and that it runs"
        ) from None
    if shown is None:
        raise UnavailableError(
            "the secure connection was not accepted",
            "check both certificates: issued by the same federation, not expired, for the right province",
        )
    return ssl.DER_cert_to_PEM_cert(shown).encode()
