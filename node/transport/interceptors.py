"""The service edge: who calls, what went wrong, one log line per call. Only this file aborts a call."""

import math
import secrets
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import grpc

from keys import CertifiedIdentity, KeyringError, identity_of
from node.errors import InvalidRequestError, UnavailableError, UnknownCallerError
from node.telemetry import log
from node.telemetry.request_id import in_request, new_request_id, read_request_id
from node.transport import status
from node.transport.deadlines import shortened

OUR_METHODS = "/heqiao."


@dataclass(frozen=True, slots=True)
class Call:
    """What a servicer knows about a call: the caller, whether it still waits, how to end the call, and how
    long it may take (`time_left`, seconds).
    """

    caller: CertifiedIdentity
    is_active: Callable[[], bool]
    cancel: Callable[[], object]
    time_left: Callable[[], float]

    def require_time(self) -> None:
        """Raises UnavailableError when the caller will have given up before it is answered."""
        if self.time_left() <= 0:
            raise UnavailableError(
                "the node did not finish in the time that the caller gave",
                "try again later, or with fewer people",
                {"limit": "deadline"},
            )


class CallGuard(grpc.ServerInterceptor):  # type: ignore[misc]  # grpc has no types
    """Hands servicers a Call in place of gRPC's context, and maps their errors to statuses.

    All log lines of the call carry the request id that the caller sent, or a new one.

    `require_good` is shown the certificate (PEM) of every call, also on an open connection,
    and raises UnknownCallerError for one that must not be served.
    """

    def __init__(self, require_good: Callable[[bytes], None] = lambda _certificate: None) -> None:
        self._require_good = require_good

    def intercept_service(self, continuation: Any, details: Any) -> Any:
        """Wrap Heqiao's methods; health and reflection are not wrapped."""
        handler = continuation(details)
        if handler is None or not details.method.startswith(OUR_METHODS):
            return handler
        if handler.response_streaming:
            answer = self._stream(handler.stream_stream or handler.unary_stream, details.method)
            make = (
                grpc.stream_stream_rpc_method_handler
                if handler.request_streaming
                else grpc.unary_stream_rpc_method_handler
            )
        else:
            answer = self._single(handler.stream_unary or handler.unary_unary, details.method)
            make = (
                grpc.stream_unary_rpc_method_handler
                if handler.request_streaming
                else grpc.unary_unary_rpc_method_handler
            )
        return make(answer, handler.request_deserializer, handler.response_serializer)

    def _single(self, behaviour: Callable[[Any, Call], Any], method: str) -> Callable[[Any, Any], Any]:
        def answer(request: Any, context: Any) -> Any:
            with _GuardedCall(method, context, self._require_good) as guarded:
                return behaviour(request, guarded.call())

        return answer

    def _stream(
        self, behaviour: Callable[[Any, Call], Generator[Any]], method: str
    ) -> Callable[[Any, Any], Iterator[Any]]:
        def answer(request: Any, context: Any) -> Iterator[Any]:
            with _GuardedCall(method, context, self._require_good) as guarded:
                call = guarded.call()
                with closing(behaviour(request, call)) as responses:
                    for response in responses:
                        call.require_time()
                        yield response

        return answer


class _GuardedCall:
    """One call: identity and request id first, then the servicer, then the log line and, if it failed, the
    status.
    """

    def __init__(self, method: str, context: Any, require_good: Callable[[bytes], None]) -> None:
        self._require_good = require_good
        self._method, self._context, self._began = method, context, time.monotonic()
        self._caller = ""
        self._malformed: InvalidRequestError | None = None
        self._logged = in_request(self._request_id())

    def __enter__(self) -> "_GuardedCall":
        self._logged.__enter__()
        return self

    def call(self) -> Call:
        """Raises UnknownCallerError for a certificate without a Heqiao name, or a revoked one, and
        InvalidRequestError for a malformed request id.
        """
        caller, certificate = caller_of(self._context)
        self._caller = f"{caller.role}/{caller.code}" + (f"/{caller.name}" if caller.name else "")
        self._require_good(certificate)
        if self._malformed is not None:
            raise self._malformed
        left = self._context.time_remaining()
        ends = math.inf if left is None else time.monotonic() + shortened(left)
        return Call(caller, self._context.is_active, self._context.cancel, lambda: ends - time.monotonic())

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> bool:
        try:
            return self._end(error)
        finally:
            self._logged.__exit__(None, None, None)

    def _request_id(self) -> str:
        """The id that the caller sent; a new one where it is missing or malformed (then never logged)."""
        try:
            return read_request_id(self._context.invocation_metadata()) or new_request_id()
        except InvalidRequestError as error:
            self._malformed = error
            return new_request_id()

    def _end(self, error: BaseException | None) -> bool:
        if error is None:
            self._log("OK")
            return False
        if not isinstance(error, Exception):  # the caller hung up, or the server stops
            self._log("CANCELLED")
            return False
        if isinstance(error, grpc.RpcError) and not self._context.is_active():
            self._log("CANCELLED")
            return False
        known = status.code_of(error)
        if known is not None:
            # Of keys that do not open the caller is told nothing more.
            reason = {"reason": str(error)} if isinstance(error, KeyringError) else {}
            self._log(known.name, code=getattr(error, "code", ""), **reason)
            self._context.abort_with_status(status.to_status(error, known))
        incident = secrets.token_hex(6)
        self._log("INTERNAL", incident=incident, kind=type(error).__name__, where=log.where(error))
        # The cause is only logged: its text could hold data that the caller must not see.
        self._context.abort_with_status(status.internal_status(incident))
        return True

    def _log(self, outcome: str, **fields: object) -> None:
        level = log.get_logger().error if outcome == "INTERNAL" else log.get_logger().info
        elapsed = round((time.monotonic() - self._began) * 1000, 1)
        level("call", method=self._method, caller=self._caller, status=outcome, ms=elapsed, **fields)


def caller_of(context: Any) -> tuple[CertifiedIdentity, bytes]:
    """The identity in the caller's certificate, whose chain TLS has verified, and the certificate (PEM).

    Raises UnknownCallerError.
    """
    certificates = context.auth_context().get("x509_pem_cert") or []
    if len(certificates) != 1:
        raise UnknownCallerError("a certificate of the federation is needed", "call with mutual TLS")
    try:
        return identity_of(certificates[0]), bytes(certificates[0])
    except KeyringError:
        raise UnknownCallerError(
            "the certificate names no node or platform", "use one issued with `heqiao ca issue`"
        ) from None
