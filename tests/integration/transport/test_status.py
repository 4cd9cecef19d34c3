"""The error table, both directions, through a real gRPC call."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import grpc
import pytest
from google.protobuf import any_pb2
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

from keys.errors import PassphraseError, PermissionsError
from matcher.errors import PointError
from node import errors
from node.errors import NodeError
from node.transport import peer_words, status

Code = grpc.StatusCode
MOMENT = timedelta(seconds=3, milliseconds=250)
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
    "quota": (errors.LimitError("bad", "h", {"rule": "r"}, retry_after=MOMENT), Code.RESOURCE_EXHAUSTED),
    "away": (errors.UnavailableError("bad"), Code.UNAVAILABLE),
    "away_for_a_while": (errors.UnavailableError("bad", retry_after=timedelta(days=1)), Code.UNAVAILABLE),
    "again_at_once": (errors.ConflictError("bad", retry_after=timedelta(0)), Code.ABORTED),
}


class _Raise:
    """A server whose only method fails as requested."""

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
    assert found.retry_after == error.retry_after


# What a peer may not make this node wait: seconds, and billionths of a second.
BAD_WAITS = {
    "negative": (-1, 0),
    "a_little_negative": (0, -1),
    "more_than_a_day": (86_400, 1),
    "a_week": (604_800, 0),
    "for_ever": (2**63 - 1, 0),
    "long_past": (-(2**63), 0),
    "too_many_nanoseconds": (1, 1_000_000_000),
    "mixed_signs": (5, -1),
}


@pytest.mark.parametrize("name", BAD_WAITS)
def test_a_wait_out_of_bounds_is_ignored(wire, name: str) -> None:
    found = rebuilt(wire, ("status", crafted(*map(packed, (info(), retry(*BAD_WAITS[name]))))))
    assert (type(found), found.details) == (errors.LimitError, {"rule": "streams"})
    assert found.retry_after is None


def test_the_longest_wait_is_a_day(wire) -> None:
    found = rebuilt(wire, ("status", crafted(packed(info()), packed(retry(86_400, 0)))))
    assert found.retry_after == timedelta(days=1) == status.LONGEST_RETRY


DETAILS = {
    "wait_first": (lambda: [packed(retry(2, 0)), packed(info())], timedelta(seconds=2)),
    "only_the_first_wait": (
        lambda: [packed(info()), packed(retry(2, 0)), packed(retry(3, 0))],
        timedelta(seconds=2),
    ),
    "a_foreign_detail": (lambda: [packed(error_details_pb2.DebugInfo()), packed(info())], None),
    "bytes_that_are_no_wait": (lambda: [packed(info()), garbled(retry(2, 0))], None),
}


@pytest.mark.parametrize("name", DETAILS)
def test_details_in_any_order(wire, name: str) -> None:
    make, waits = DETAILS[name]
    found = rebuilt(wire, ("status", crafted(*make())))
    assert (type(found), found.retry_after) == (errors.LimitError, waits)


def test_a_wait_without_our_details_is_not_believed(wire) -> None:
    """Of a proxy, say: the status alone decides."""
    found = rebuilt(wire, ("status", crafted(packed(retry(5, 0)), code=Code.UNAVAILABLE)))
    assert found.retry_after is None


def info() -> error_details_pb2.ErrorInfo:
    return error_details_pb2.ErrorInfo(reason="limit", domain=status.DOMAIN, metadata={"rule": "streams"})


def retry(seconds: int, nanos: int) -> error_details_pb2.RetryInfo:
    return error_details_pb2.RetryInfo(retry_delay=Duration(seconds=seconds, nanos=nanos))


def packed(message: Message) -> any_pb2.Any:
    found = any_pb2.Any()
    found.Pack(message)
    return found


def garbled(message: Message) -> any_pb2.Any:
    return any_pb2.Any(type_url=packed(message).type_url, value=b"\xff\xff\xff")


def crafted(*details: any_pb2.Any, code: grpc.StatusCode = Code.RESOURCE_EXHAUSTED) -> object:
    """A status as a peer may send it, whatever our own code would write."""
    return rpc_status.to_status(status_pb2.Status(code=code.value[0], message="bad", details=details))


def test_errors_of_the_lower_packages() -> None:
    assert status.code_of(PointError("bad")) is Code.INVALID_ARGUMENT
    assert status.code_of(PassphraseError("bad", "hint")) is Code.UNAVAILABLE


def test_an_error_of_the_own_keys_is_one_constant_text(wire) -> None:
    """Its own text names files of this machine."""
    found = {
        (type(back), str(back), back.hint, back.code, tuple(back.details))
        for error in (PassphraseError("/secret/place", "/hint"), PermissionsError("/keys/oprf.2.key: no"))
        for back in [rebuilt(wire, ("status", status.to_status(error, Code.UNAVAILABLE)))]
    }
    assert found == {
        (
            errors.UnavailableError,
            "this node cannot open its keys",
            "its administrator finds the reason in its log",
            "unavailable",
            (),
        )
    }


@pytest.mark.parametrize("name", EXPECTED)
def test_a_peer_is_told_fixed_words(wire, name: str) -> None:
    """A file, an address or a database that the text, hint or details of an error name stays here."""
    error, code = EXPECTED[name]
    secret = type(error)("/srv/node.db", "psql db.example", {**error.details, "path": "/srv", "rule": "/srv"})
    found = rebuilt(wire, ("status", status.to_peer_status(secret, code)))
    assert type(found) is type(error)
    text, hint = peer_words.WORDS[found.code]
    assert (str(found), found.hint) == (text, hint)
    facts = {
        key: value for key, value in error.details.items() if key in ("epoch", "version", "salt_version")
    }
    assert facts.items() <= found.details.items()
    assert not {"path", "rule"} & set(found.details)


def test_a_bad_point_and_a_broken_key_are_codes_too(wire) -> None:
    broken = PassphraseError("/srv", "/srv")
    for error, code in ((PointError("/srv"), Code.INVALID_ARGUMENT), (broken, Code.UNAVAILABLE)):
        found = rebuilt(wire, ("status", status.to_peer_status(error, code)))
        assert (str(found), found.hint) == peer_words.WORDS[found.code]


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
    codes = [kind.code for kind in status.error_kinds(NodeError) if "code" in vars(kind)]
    assert len(set(codes)) == len(codes)
