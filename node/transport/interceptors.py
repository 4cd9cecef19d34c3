"""The service edge: who calls, what went wrong, one log line per call. Only this file aborts a call."""

import math
import secrets
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from typing import Any

import grpc

from keys import CertifiedIdentity, KeyringError, identity_of
from node.acting import in_name_of
from node.domain.peers import PeerRow
from node.domain.users import Person
from node.errors import InvalidRequestError, SessionEndedError, UnavailableError, UnknownCallerError
from node.telemetry import log
from node.telemetry.request_id import in_request, new_request_id, read_request_id
from node.transport import status
from node.transport.deadlines import shortened
from node.transport.first_message import FIRST_MESSAGE_S, FirstMessages
from node.transport.session import SentSession, read_session
from node.transport.stream_limits import StreamLimits

OUR_METHODS = "/heqiao."
SIGNING_IN = "/heqiao.platform.v1.SessionService/"
PERSON_JUDGED_EVERY_S = 2.0  # within a stream
OPEN_TO_MEMBERS = "/grpc.health.v1.Health/Check"  # every good certificate of the federation may ask


_Receive = Callable[[Any], Any]
_Answer = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Call:
    """What a servicer knows about a call: the caller and, on the peer port, the peer that it is, whether it
    still waits, how to end the call, and how long it may take (`time_left`, seconds). On the platform port
    `person` is who acts with the token `session`, None where the node or a platform acts.
    """

    caller: CertifiedIdentity
    peer: PeerRow | None
    is_active: Callable[[], bool]
    cancel: Callable[[], object]
    time_left: Callable[[], float]
    person: Person | None = None
    session: str = field(default="", repr=False)

    def require_person(self) -> Person:
        """The person who acts."""
        if self.person is None:
            raise SessionEndedError("this is for people who have signed in", "sign in", {"rule": "session"})
        return self.person

    def require_peer(self) -> PeerRow:
        """The peer that calls, on the peer port."""
        if self.peer is None:
            raise UnknownCallerError("this port serves peers only")
        return self.peer

    def require_time(self) -> None:
        """Raises UnavailableError when the caller will have given up before it is answered."""
        if self.time_left() <= 0:
            raise UnavailableError(
                "the node did not finish in the time that the caller gave",
                "try again later, or with fewer people",
                {"limit": "deadline"},
            )


class Admission:
    """Who may call on a port, judged before a worker thread waits for a message.

    `require_good` is shown the certificate (PEM) of every call, also on an open connection; `admit` gives the
    peer that a caller of the peer port is, None on the platform port. Both raise UnknownCallerError for one
    that must not be served. Of the port's `threads` one caller has at most `most`; a first message must come
    within `first_s` seconds. Callers that are `peers` are told codes and rules of what fails, never its text.
    `judge` gives the person whose session a call of the platform port carries, and raises for a caller or
    person who has no right to that method.
    """

    def __init__(
        self,
        require_good: Callable[[bytes], None],
        admit: Callable[[CertifiedIdentity], PeerRow | None],
        threads: int,
        most: int,
        first_s: float = FIRST_MESSAGE_S,
        *,
        peers: bool,
        judge: Callable[[str, CertifiedIdentity, SentSession], Person | None] | None = None,
    ) -> None:
        self.peers, self.judge = peers, judge
        self.require_good, self.admit, self.threads = require_good, admit, threads
        self.calls = StreamLimits(most, "calls")
        self.people = StreamLimits(max(4, threads // 4), "calls")  # all come over one console
        self.first = FirstMessages(threads, first_s)

    def close(self) -> None:
        """End its threads, after the server has stopped."""
        self.first.close()


class CallGuard(grpc.ServerInterceptor):  # type: ignore[misc]  # grpc has no types
    """Hands servicers a Call in place of gRPC's context, and maps their errors to statuses.

    Every method becomes one that takes a stream of messages, which looks the same on the wire: only then does
    a worker thread run before the first message is there. All log lines of the call carry the request id that
    the caller sent, or a new one.
    """

    def __init__(self, admission: Admission) -> None:
        self._admission = admission

    def intercept_service(self, continuation: Any, details: Any) -> Any:
        """Wrap Heqiao's methods, and in its own way health and reflection."""
        handler = continuation(details)
        if handler is None:
            return handler
        method, first = details.method, self._admission.first
        receive = first.begin if handler.request_streaming else first.only
        behaviour = (
            handler.unary_unary or handler.unary_stream or handler.stream_unary or handler.stream_stream
        )
        make = (
            grpc.stream_stream_rpc_method_handler
            if handler.response_streaming
            else grpc.stream_unary_rpc_method_handler
        )
        if not method.startswith(OUR_METHODS):
            answer = self._standard(behaviour, method, receive)
        elif handler.response_streaming:
            answer = self._stream(behaviour, method, receive)
        else:
            answer = self._single(behaviour, method, receive, streams=handler.request_streaming)
        return make(answer, handler.request_deserializer, handler.response_serializer)

    def _single(
        self, behaviour: Callable[[Any, Call], Any], method: str, receive: _Receive, *, streams: bool
    ) -> _Answer:
        def answer(requests: Any, context: Any) -> Any:
            with _GuardedCall(method, context, self._admission) as guarded:
                call = guarded.call()
                received = receive(requests)
                return behaviour(guarded.until_end(received) if streams else received, call)

        return answer

    def _stream(
        self, behaviour: Callable[[Any, Call], Generator[Any]], method: str, receive: _Receive
    ) -> _Answer:
        def answer(requests: Any, context: Any) -> Iterator[Any]:
            with _GuardedCall(method, context, self._admission) as guarded:
                call = guarded.call()
                with closing(behaviour(receive(requests), call)) as responses:
                    for response in responses:
                        call.require_time()
                        guarded.require_still_good()
                        yield response

        return answer

    def _standard(self, behaviour: Callable[..., Any], method: str, receive: _Receive) -> _Answer:
        """Of a service that takes gRPC's context. The call of one that answers later holds its place until
        it ends.
        """

        def answer(requests: Any, context: Any, *send: Callable[[Any], None]) -> Any:
            with _GuardedCall(method, context, self._admission, quiet=True) as guarded:
                guarded.hold_until_the_end()
                return behaviour(receive(requests), context, *send)

        for name in ("experimental_non_blocking", "experimental_thread_pool"):
            if hasattr(behaviour, name):
                setattr(answer, name, getattr(behaviour, name))
        return answer


class _GuardedCall:
    """One call: identity and request id first, then the servicer, then the log line and, if it failed, the
    status. A `quiet` one is only logged when it fails.
    """

    def __init__(self, method: str, context: Any, admission: Admission, *, quiet: bool = False) -> None:
        self._admission, self._quiet, self._held = admission, quiet, ExitStack()
        self._method, self._context, self._began = method, context, time.monotonic()
        self._caller = ""
        self._malformed: InvalidRequestError | None = None
        self._session, self._judged_at = "", 0.0
        self._logged = in_request(self._request_id())

    def __enter__(self) -> "_GuardedCall":
        self._logged.__enter__()
        return self

    def call(self) -> Call:
        """The call, whose place among those of its caller is held until this block ends.

        Raises UnknownCallerError for a certificate without a Heqiao name, a revoked one, or one that this
        port does not serve, LimitError for too many calls, InvalidRequestError for a malformed request id.
        """
        caller, peer = self._judge()
        if self._malformed is not None:
            raise self._malformed
        left = self._context.time_remaining()
        ends = math.inf if left is None else time.monotonic() + shortened(left)
        ctx = self._context
        person = self._judge_person(caller)
        if person is None:
            if self._method.startswith(SIGNING_IN):
                # Strangers who all sign in at once, and wait for hashes of passwords, leave room to others.
                self._held.enter_context(self._admission.people.take(SIGNING_IN))
            return Call(caller, peer, ctx.is_active, ctx.cancel, lambda: ends - time.monotonic())
        self._held.enter_context(self._admission.people.take(person.account))
        roles = " ".join(sorted(person.roles))
        self._held.enter_context(in_name_of(person.account, roles, person.unit))
        active, left_s = self._is_person_active, lambda: ends - time.monotonic()
        return Call(caller, peer, active, ctx.cancel, left_s, person, self._session)

    def hold_until_the_end(self) -> None:
        """As `call`, but its place is held until the caller is answered or gone. Raises what `call` does."""
        self._judge()
        held = self._held.pop_all()
        if not self._context.add_callback(held.close):
            held.close()

    def _judge(self) -> tuple[CertifiedIdentity, PeerRow | None]:
        caller, certificate = caller_of(self._context)
        self._caller = f"{caller.role}/{caller.code}" + (f"/{caller.name}" if caller.name else "")
        self._admission.require_good(certificate)
        peer = None if self._method == OPEN_TO_MEMBERS else self._admission.admit(caller)
        self._held.enter_context(self._admission.calls.take(peer.code if peer else self._caller))
        self._judged = caller, certificate, peer
        return caller, peer

    def _judge_person(self, caller: CertifiedIdentity) -> Person | None:
        """Who acts on the platform port. Raises what the admission's `judge` does."""
        if self._admission.judge is None or not self._method.startswith(OUR_METHODS):
            return None
        session = read_session(self._context.invocation_metadata())
        self._session, self._judged_at = session.token, time.monotonic()
        return self._admission.judge(self._method, caller, session)

    def _is_person_active(self) -> bool:
        """Whether a person still waits; a stream without anything to send ends soon after the session."""
        if time.monotonic() - self._judged_at > PERSON_JUDGED_EVERY_S:
            self._judge_person(self._judged[0])
        return bool(self._context.is_active())

    def until_end(self, requests: Iterator[Any]) -> Iterator[Any]:
        """The messages of a caller; after the last one the caller is judged anew, before anything is written:
        to send them may have taken minutes. Raises as `require_still_good`.
        """
        yield from requests
        if self._session:
            self._judged_at = -math.inf
        self.require_still_good()

    def require_still_good(self) -> None:
        """Judge the caller anew before a message: a stream ends when its right ends.

        Raises UnknownCallerError for one that was removed or revoked, UnavailableError where what the peer is
        granted has changed.
        """
        caller, certificate, peer = self._judged
        self._admission.require_good(certificate)
        if self._session and time.monotonic() - self._judged_at > PERSON_JUDGED_EVERY_S:
            self._judge_person(caller)
        now = self._admission.admit(caller)
        if now and peer and now.rights != peer.rights:
            raise UnavailableError("what this node grants the caller has changed", "try again")

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> bool:
        try:
            return self._end(error)
        finally:
            self._held.close()
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
            if not self._quiet:
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
            # A peer is told the code, and the caller nothing of keys that do not open: the reason is here.
            untold = self._admission.peers or isinstance(error, KeyringError)
            reason = {"reason": str(error)} if untold else {}
            self._log(known.name, code=getattr(error, "code", ""), **reason)
            told = status.to_peer_status if self._admission.peers else status.to_status
            self._context.abort_with_status(told(error, known))
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
