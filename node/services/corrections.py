"""The correction service on the peer port: decode, take the request, encode."""

from heqiao.peer.v1 import correction_pb2 as pb
from heqiao.peer.v1 import correction_pb2_grpc

from node.context import Node
from node.jobs.received_corrections import Failures, receive, tell
from node.transport.interceptors import Call
from node.wire import corrections as wire


class CorrectionServicer(correction_pb2_grpc.CorrectionServiceServicer):  # type: ignore[misc]  # generated
    """heqiao.peer.v1.CorrectionService."""

    def __init__(self, node: Node) -> None:
        self._node, self._failures = node, Failures(node.config.limits.corrections_failed)

    def SubmitCorrection(  # noqa: N802 - the name is the protocol's
        self, request: pb.SubmitCorrectionRequest, call: Call
    ) -> pb.SubmitCorrectionResponse:
        """Take a request of a peer."""
        peer, wanted = call.require_peer(), wire.parse_request(request)
        caller = call.caller.role + (f"/{call.caller.name}" if call.caller.name else "")
        return wire.receipt_message(receive(self._node, peer, wanted, caller, self._failures))

    def GetCorrections(  # noqa: N802
        self, request: pb.GetCorrectionsRequest, call: Call
    ) -> pb.GetCorrectionsResponse:
        """The state of the peer's own requests."""
        return wire.told_message(tell(self._node, call.require_peer().code, wire.parse_ids(request)))
