"""The error table, both directions, through a real gRPC call."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest

from keys.errors import PassphraseError
from matcher.errors import PointError
from node import errors
from node.errors import NodeError
from node.transport import status

Code = grpc.StatusCode
# style.md's table, written out once more.
EXPECTED = {
    "invalid_points": (errors.InvalidPointsError("bad"), Code.INVALID_ARGUMENT),
    "over_a_limit": (errors.InvalidRequestError("bad"), Code.INVALID_ARGUMENT),
    "unknown_suite": (errors.UnknownSuiteError("bad"), Code.INVALID_ARGUMENT),
    "stranger": (errors.UnknownCallerError("bad"), Code.UNAUTHENTICATED),
    "refused": (errors.RefusedError("bad", "h", {"rule": "r"}), Code.PERMISSION_DENIED),
    "no_job": (errors.NotFoundError("bad"), Code.NOT_FOUND),
    "no_item": (errors.ItemNotOfferedError("bad"), Code.NOT_FOUND),
    "other_content": (errors.JobConflictError("bad"), Code.ALREADY_EXISTS),
    "epoch": (errors.EpochError("bad", "h", {"epoch": "2"}), Code.FAILED_PRECONDITION),
    "salt": (errors.SaltError("bad", details={"salt_version": "2"}), Code.FAILED_PRECONDITION),
    "catalogue": (errors.CatalogueMismatchError("bad"), Code.FAILED_PRECONDITION),
    "version": (errors.PartitionVersionError("bad"), Code.FAILED_PRECONDITION),
    "order": (errors.PreconditionError("bad"), Code.FAILED_PRECONDITION),
    "race": (errors.ConflictError("bad"), Code.ABORTED),
    "quota": (errors.LimitError("bad", "h", {"retry_after_s": "3"}), Code.RESOURCE_EXHAUSTED),
    "away": (errors.UnavailableError("bad"), Code.UNAVAILABLE),
}


class _Raise:
    """A server whose only method fails as it is told."""

    def __init__(self) -> None:
        self.failure: tuple[str, object] = ("none", None)

    def answer(self, _request: bytes, context: grpc.ServicerContext) -> bytes:
        kind, value = self.failure
        if kind == "status":
            context.abort_with_status(value)
        context.abort(value, "plain text of some proxy")
        return b""


@pytest.fixture(scope="module")
def wire() -> Iterator[tuple[_Raise, grpc.UnaryUnaryMultiCallable]]:
    raiser = _Raise()
    server = grpc.server(ThreadPoolExecutor(1))
    handler = grpc.unary_unary_rpc_method_handler(raiser.answer)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("t.T", {"M": handler}),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield raiser, channel.unary_unary("/t.T/M")
    server.stop(0).wait()


def rebuilt(wire: tuple[_Raise, grpc.UnaryUnaryMultiCallable], failure: tuple[str, object]) -> NodeError:
    raiser, call = wire
    raiser.failure = failure
    with pytest.raises(grpc.RpcError) as caught:
        call(b"", timeout=60)
    return status.from_rpc_error(caught.value)


@pytest.mark.parametrize("name", EXPECTED)
def test_errors_cross_the_wire(wire, name: str) -> None:
    error, code = EXPECTED[name]
    assert status.code_of(error) is code
    found = rebuilt(wire, ("status", status.to_status(error, code)))
    assert type(found) is type(error)
    assert (str(found), found.hint, found.details) == ("bad", error.hint, error.details)


def test_errors_of_the_lower_packages() -> None:
    assert status.code_of(PointError("bad")) is Code.INVALID_ARGUMENT
    assert status.code_of(PassphraseError("bad", "hint")) is Code.FAILED_PRECONDITION


@pytest.mark.parametrize("error", [ValueError("secret"), NodeError("secret"), KeyError("secret")])
def test_anything_else_is_opaque(wire, error: Exception) -> None:
    assert status.code_of(error) is None
    found = rebuilt(wire, ("status", status.internal_status("1f2e")))
    assert "1f2e" in str(found)
    assert type(found) is NodeError


@pytest.mark.parametrize("kind", [errors.DishonestPeerError, errors.CancelledError])
def test_a_peer_cannot_make_this_node_pass_a_verdict(wire, kind: type[NodeError]) -> None:
    """A distrusted peer, a cancelled job: only this node says so."""
    found = rebuilt(wire, ("status", status.to_status(kind("x"), Code.UNAVAILABLE)))
    assert type(found) is errors.UnavailableError


PLAIN = {
    Code.UNAVAILABLE: errors.UnavailableError,
    Code.DEADLINE_EXCEEDED: errors.UnavailableError,
    Code.CANCELLED: errors.UnavailableError,
    Code.RESOURCE_EXHAUSTED: errors.LimitError,
    Code.UNAUTHENTICATED: errors.UnknownCallerError,
    Code.UNIMPLEMENTED: errors.PreconditionError,
}


@pytest.mark.parametrize("code", PLAIN)
def test_statuses_without_our_details(wire, code: grpc.StatusCode) -> None:
    found = rebuilt(wire, ("plain", code))
    assert isinstance(found, PLAIN[code])
    assert "proxy" not in str(found)


def test_codes_are_stable_and_distinct() -> None:
    # A kind that only refines what this side knows (nobody answers at all) crosses as its base.
    codes = [kind.code for kind in status._kinds(NodeError) if "code" in vars(kind)]
    assert len(set(codes)) == len(codes)
