"""The calls of CorrectionService at a peer."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import grpc
from google.protobuf.message import Message

from node.context import Node
from node.domain.corrections import Receipt, Request, Told
from node.domain.peers import PeerRow
from node.telemetry.request_id import current_request, new_request_id, request_metadata
from node.transport.channel import PeerChannel
from node.wire import corrections as wire


class CorrectionClient:
    """A connection to one peer. Every method raises NodeError kinds; UnavailableError may be retried."""

    def __init__(self, node: Node, channel: PeerChannel) -> None:
        self._node, self._channel = node, channel

    @classmethod
    @contextmanager
    def open(cls, node: Node, peer: PeerRow) -> "Iterator[CorrectionClient]":
        """Connect as this node. Raises as PeerChannel does."""
        with PeerChannel(node, peer) as channel:
            yield cls(node, channel)

    def submit(self, request: Request) -> Receipt:
        """Ask for a correction; again is the same request."""
        response = self._call("SubmitCorrection", wire.request_message(request))
        return wire.parse_receipt(response, self._node.clock())

    def states(self, ids: Sequence[bytes]) -> tuple[Told, ...]:
        """The state of up to MOST_ASKED requests, in their order."""
        return wire.parse_told(self._call("GetCorrections", wire.ids_message(ids)), ids)

    def _call(self, method: str, message: Message) -> Any:
        metadata = request_metadata(current_request() or new_request_id())
        timeout = self._node.config.limits.call_timeout_s
        try:
            return getattr(self._channel.corrections, method)(message, timeout=timeout, metadata=metadata)
        except grpc.RpcError as error:
            raise self._channel.rebuild(error) from None
