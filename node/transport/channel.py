"""The connection to a peer: mutual TLS, its certificate checked against the revocation list, health."""

import threading
from contextlib import ExitStack, suppress
from typing import Any, Self

import grpc
from heqiao.peer.v1 import correction_pb2_grpc, service_pb2_grpc

from keys import identity_of, target_name
from node.context import Node
from node.credentials.tls_identity import TlsIdentity
from node.domain.peers import PeerRow
from node.errors import NodeError, UnavailableError
from node.governance.peer_certificates import note_certificate
from node.transport.certificate_probe import server_certificate
from node.transport.secure_channel import secure_channel
from node.transport.status import from_rpc_error


class PeerChannel:
    """A connection as this node to a peer, whose certificate must name the peer's province.

    Where there is a revocation list, the peer's certificate is read first, and the connection trusts only
    that one. The next call connects anew where the peer was unreachable or its connection failed (it may
    have renewed its certificate), and where this node's certificate or trusted roots have changed.
    """

    def __init__(self, node: Node, peer: PeerRow) -> None:
        """Connect, if the peer answers. Raises UnknownCallerError for a revoked certificate."""
        self._node, self._peer = node, peer
        self._lock, self._stack = threading.Lock(), ExitStack()
        self._stub: service_pb2_grpc.PeerServiceStub | None = None
        self._corrections: correction_pb2_grpc.CorrectionServiceStub | None = None
        self._pinned, self._identity = False, self._now()
        with suppress(UnavailableError):  # the first call reports it, and may be retried
            self._stub = self._dial()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def stub(self) -> service_pb2_grpc.PeerServiceStub:
        """The peer's calls. Raises UnknownCallerError as `__init__`, UnavailableError while unreachable."""
        with self._lock:
            if self._stub is None:
                self._stub = self._dial()
            return self._stub

    @property
    def corrections(self) -> correction_pb2_grpc.CorrectionServiceStub:
        """The peer's calls for corrections, over the same connection. Raises as `stub`."""
        _ = self.stub
        return self._corrections

    def rebuild(self, error: grpc.RpcError) -> NodeError:
        """The error of a call that failed."""
        found = from_rpc_error(error, of_peer=True)
        if isinstance(found, UnavailableError) and (self._pinned or self._identity != self._now()):
            self.close()
        return found

    def close(self) -> None:
        """End the connection; a later call makes another."""
        with self._lock:
            self._stub = None
            self._stack.close()

    def _now(self) -> tuple[bytes, bytes]:
        keys = self._node.keys
        return keys.ca, keys.certificate

    def _dial(self) -> service_pb2_grpc.PeerServiceStub:
        node, peer = self._node, self._peer
        check = _PeerCheck(node, peer)
        keys = node.keys
        identity = TlsIdentity(check.certificate or keys.ca, keys.tls_key, keys.certificate)
        most = node.config.limits.max_message_bytes
        channel = self._stack.enter_context(
            secure_channel(peer.address, target_name(peer.code), identity, most)
        )
        self._pinned, self._identity = bool(check.certificate), (keys.ca, keys.certificate)
        if check.certificate:
            note_certificate(node.store, identity_of(check.certificate))
        checked = grpc.intercept_channel(channel, check)
        self._corrections = correction_pb2_grpc.CorrectionServiceStub(checked)
        return service_pb2_grpc.PeerServiceStub(checked)


class _PeerCheck(
    grpc.UnaryUnaryClientInterceptor,  # type: ignore[misc]  # grpc has no types
    grpc.UnaryStreamClientInterceptor,  # type: ignore[misc]
    grpc.StreamStreamClientInterceptor,  # type: ignore[misc]
):
    """Refuses a peer whose certificate is on the revocation list, before each call.

    Where there is a list, the peer's certificate is read first, and the channel trusts only that one: the
    holder of a revoked key cannot take the connection over afterwards. The list is checked again before
    each call, so that a newer list also ends open connections.
    """

    def __init__(self, node: Node, peer: PeerRow) -> None:
        """Raises UnknownCallerError for a revoked certificate, UnavailableError without an answer,
        RevocationListError where this node's list is too old.
        """
        self._node, self._peer = node, peer
        self._number = 0
        self.certificate = b""
        self.require_good()

    def require_good(self) -> None:
        """Raises as `__init__` does."""
        self._node.revocations.require_fresh()
        found = self._node.revocations.current
        if found.number == self._number:
            return
        self.certificate = self.certificate or self._ask()
        self._node.revocations.require_good(self.certificate, f"peer {self._peer.code}")
        self._number = found.number

    def _ask(self) -> bytes:
        timeout_s = self._node.config.limits.call_timeout_s
        return server_certificate(
            self._peer.address, target_name(self._peer.code), self._node.keys.ca, timeout_s
        )

    def intercept_unary_unary(self, continuation: Any, details: Any, request: Any) -> Any:
        """Check, then call."""
        self.require_good()
        return continuation(details, request)

    def intercept_unary_stream(self, continuation: Any, details: Any, request: Any) -> Any:
        """Check, then call."""
        self.require_good()
        return continuation(details, request)

    def intercept_stream_stream(self, continuation: Any, details: Any, requests: Any) -> Any:
        """Check, then call."""
        self.require_good()
        return continuation(details, requests)
