"""The error table, both directions: a node's error to a gRPC status, and back (docs/protocol.md).

The stable code crosses as google.rpc.ErrorInfo, so that the caller rebuilds the same class; the time
after which to retry crosses as google.rpc.RetryInfo.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

import grpc
from google.protobuf import any_pb2
from google.protobuf.message import DecodeError, Message
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

from keys.errors import KeyringError
from matcher.errors import PointError
from node import errors
from node.errors import NodeError
from node.transport import peer_words

DOMAIN = "heqiao"
LONGEST_RETRY: Final = timedelta(days=31)  # of a peer: a longer time is ignored
_SOON: Final = timedelta(seconds=1)
_NANOS: Final = 1_000_000_000
# The first class that fits decides, so subclasses come before their bases.
TABLE: tuple[tuple[type[Exception], grpc.StatusCode], ...] = (
    (errors.InvalidRequestError, grpc.StatusCode.INVALID_ARGUMENT),
    (errors.InputError, grpc.StatusCode.INVALID_ARGUMENT),
    (PointError, grpc.StatusCode.INVALID_ARGUMENT),
    (errors.UnknownCallerError, grpc.StatusCode.UNAUTHENTICATED),
    (errors.RefusedError, grpc.StatusCode.PERMISSION_DENIED),
    (errors.NotFoundError, grpc.StatusCode.NOT_FOUND),
    (errors.JobConflictError, grpc.StatusCode.ALREADY_EXISTS),
    (errors.PreconditionError, grpc.StatusCode.FAILED_PRECONDITION),
    (KeyringError, grpc.StatusCode.UNAVAILABLE),
    (errors.ConflictError, grpc.StatusCode.ABORTED),
    (errors.LimitError, grpc.StatusCode.RESOURCE_EXHAUSTED),
    (errors.UnavailableError, grpc.StatusCode.UNAVAILABLE),
    (errors.CancelledError, grpc.StatusCode.CANCELLED),
)
_BY_STATUS: dict[grpc.StatusCode, type[NodeError]] = {
    grpc.StatusCode.INVALID_ARGUMENT: errors.InvalidRequestError,
    grpc.StatusCode.UNAUTHENTICATED: errors.UnknownCallerError,
    grpc.StatusCode.PERMISSION_DENIED: errors.RefusedError,
    grpc.StatusCode.NOT_FOUND: errors.NotFoundError,
    grpc.StatusCode.ALREADY_EXISTS: errors.JobConflictError,
    grpc.StatusCode.FAILED_PRECONDITION: errors.PreconditionError,
    grpc.StatusCode.ABORTED: errors.ConflictError,
    grpc.StatusCode.RESOURCE_EXHAUSTED: errors.LimitError,
    grpc.StatusCode.UNAVAILABLE: errors.UnavailableError,
    grpc.StatusCode.DEADLINE_EXCEEDED: errors.UnavailableError,
    # Only this side cancels; a peer that ends a call with it was unavailable, and may be asked again.
    grpc.StatusCode.CANCELLED: errors.UnavailableError,
}
# This node's judgements of peers and errors of its operators: no peer may cause them.
_LOCAL: tuple[type[NodeError], ...] = (
    errors.CancelledError,
    errors.DishonestPeerError,
    errors.MirrorBehindError,
)


def code_of(error: Exception) -> grpc.StatusCode | None:
    """The status of an expected error, None for anything else."""
    return next((status for kind, status in TABLE if isinstance(error, kind)), None)


def to_status(error: Exception, status: grpc.StatusCode) -> object:
    """For `context.abort_with_status`: status, constant message, ErrorInfo, and RetryInfo if it has one.

    An error of this node's own keys and files names them, so only the log has its text.
    """
    if isinstance(error, KeyringError):
        error = errors.UnavailableError(
            "this node cannot open its keys", "its administrator finds the reason in its log"
        )
    code = getattr(error, "code", "internal")
    details = dict(getattr(error, "details", {}))
    hint = getattr(error, "hint", "")
    if hint:
        details["hint"] = hint
    return _rich_status(status, str(error), code, details, getattr(error, "retry_after", None))


def to_peer_status(error: Exception, status: grpc.StatusCode) -> object:
    """The same for a peer: the words are those of the code alone, whatever the error says of this node's
    files, database or addresses.
    """
    lower = {
        PointError: "invalid_points",
        KeyringError: "unavailable",
    }  # packages that know no codes of nodes
    code = next((one for kind, one in lower.items() if isinstance(error, kind)), "") or getattr(
        error, "code", ""
    )
    message, hint, facts = peer_words.describe(code, getattr(error, "details", {}))
    return _rich_status(status, message, code, {**facts, "hint": hint}, getattr(error, "retry_after", None))


def internal_status(incident: str) -> object:
    """A fixed text and the incident's number; the cause is in this node's log only."""
    message = f"internal error, incident {incident}; the node's administrator finds the cause in its log"
    return _rich_status(grpc.StatusCode.INTERNAL, message, NodeError.code, {"incident": incident})


def from_rpc_error(error: grpc.RpcError, *, of_peer: bool = False) -> NodeError:
    """Rebuild the error that the other side raised; transport failures become UnavailableError.

    The words of an error `of_peer` are our own (node/transport/peer_words.py); this province's node is
    believed.
    """
    found = _read_details(error)
    info = next((one for one in found if isinstance(one, error_details_pb2.ErrorInfo)), None)
    status = error.code()
    if info is None:
        return _transport_error(status, error.details() or "")
    details = dict(info.metadata)
    hint = details.pop("hint", "")
    kind = _kind(info.reason) or _BY_STATUS.get(status, NodeError)
    retry = next((one for one in found if isinstance(one, error_details_pb2.RetryInfo)), None)
    text = error.details() or ""
    if of_peer:
        text, hint, details = peer_words.describe(kind.code, details)
    return kind(text, hint, details, retry_after=retry and _read_retry(retry))


def _transport_error(status: grpc.StatusCode, details: str) -> NodeError:
    if status is grpc.StatusCode.UNAVAILABLE:
        # gRPC's text distinguishes a refused certificate from a closed port; it has no subject data.
        tls = any(word in details.lower() for word in ("ssl", "handshake", "certificate", "tls", "hostname"))
        if tls:
            return errors.UnavailableError(
                "the secure connection was not accepted",
                "check both certificates: issued by the same federation, not expired, for the right province",
            )
        return errors.UnreachableError(
            "the node does not answer", "check its address, the network, and that it runs"
        )
    if status is grpc.StatusCode.DEADLINE_EXCEEDED:
        return errors.UnavailableError("the node did not answer in time", "try again later")
    if status is grpc.StatusCode.RESOURCE_EXHAUSTED and "larger" not in details:
        return errors.LimitError(
            "the node serves as many calls as it can", "try again in a moment", retry_after=_SOON
        )
    if status is grpc.StatusCode.RESOURCE_EXHAUSTED:
        return errors.LimitError("a message is larger than the receiver accepts", "compare max_message_bytes")
    if status is grpc.StatusCode.UNIMPLEMENTED:
        return errors.PreconditionError(
            "this port does not serve the call",
            "provinces and platforms use different ports, see [peer] and [platform] in node.toml; "
            "or the node is of another version",
        )
    kind = _BY_STATUS.get(status, NodeError)
    return kind(f"the node answered {status.name}")


def _read_details(error: grpc.RpcError) -> list[Message]:
    """The ErrorInfo of our domain and the RetryInfo of a failed call; other details are ignored."""
    try:
        status = rpc_status.from_call(error)
    except (ValueError, DecodeError):
        return []
    found: list[Message] = []
    for packed in status.details if status is not None else ():
        info, retry = error_details_pb2.ErrorInfo(), error_details_pb2.RetryInfo()
        try:
            if packed.Unpack(info) and info.domain == DOMAIN:
                found.append(info)
            elif packed.Unpack(retry):
                found.append(retry)
        except DecodeError:
            continue
    return found


def _read_retry(info: error_details_pb2.RetryInfo) -> timedelta | None:
    """How long a peer asks to wait; None for a malformed or negative time, or one above LONGEST_RETRY."""
    delay = info.retry_delay
    longest = LONGEST_RETRY // timedelta(seconds=1) * _NANOS
    if not 0 <= delay.nanos < _NANOS or not 0 <= delay.seconds * _NANOS + delay.nanos <= longest:
        return None
    return timedelta(seconds=delay.seconds, microseconds=delay.nanos // 1_000)


def _rich_status(
    status: grpc.StatusCode,
    message: str,
    code: str,
    details: dict[str, str],
    retry_after: timedelta | None = None,
) -> object:
    parts: list[Message] = [error_details_pb2.ErrorInfo(reason=code, domain=DOMAIN, metadata=details)]
    if retry_after is not None:
        retry = error_details_pb2.RetryInfo()
        retry.retry_delay.FromTimedelta(retry_after)
        parts.append(retry)
    packed = [any_pb2.Any() for _ in parts]
    for into, part in zip(packed, parts, strict=True):
        into.Pack(part)
    return rpc_status.to_status(status_pb2.Status(code=status.value[0], message=message, details=packed))


def _kind(code: str) -> type[NodeError] | None:
    kind = next((kind for kind in error_kinds(NodeError) if kind.code == code), None)
    return None if kind in _LOCAL else kind


def error_kinds(base: type[NodeError]) -> Iterator[type[NodeError]]:
    """A kind of error and all its subclasses."""
    yield base
    for kind in base.__subclasses__():
        yield from error_kinds(kind)
