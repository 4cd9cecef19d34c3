"""The checkpoint of a part, packed and read again."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.domain.findings import Outcome
from node.errors import PreconditionError
from node.requester import checkpoint, sum_checkpoint
from node.requester.checkpoint import MemoryCheckpoint
from node.requester.context import Session
from node.requester.match_query import Answer
from node.requester.sum_context import PeerSum, Product
from node.wire.sum_messages import SumAnswer

ANSWERS = st.builds(
    Answer,
    st.sampled_from(Outcome),
    st.none() | st.integers(0, 2**53 - 1),
    st.none() | st.integers(0, 2**31),
    st.sampled_from(("", "expired", "origin_not_granted")),
)
SESSIONS = st.builds(
    Session,
    st.binary(min_size=16, max_size=16),
    st.binary(min_size=32, max_size=32),
    st.binary(max_size=300),
    st.binary(min_size=64, max_size=64),
    st.binary(max_size=300),
    st.lists(st.from_regex(r"[A-Z][0-9]{2}[a-z]?", fullmatch=True), max_size=4).map(tuple),
)

FIRST = Session(bytes(16), bytes(32), b"", bytes(64), b"", ("C21",))


@given(st.lists(ANSWERS, max_size=50))
def test_answers(answers: list[Answer]) -> None:
    assert checkpoint.unpack_answers(checkpoint.pack_answers(answers)) == answers


@given(SESSIONS)
def test_sessions(session: Session) -> None:
    assert checkpoint.unpack_session(checkpoint.pack_session(session)) == session


@pytest.mark.parametrize("version", [b"", b"\0", b"\x09", b"\xff"])
@pytest.mark.parametrize(
    ("packed", "unpack"),
    [
        (checkpoint.pack_answers([Answer(Outcome.FOUND, 1)]), checkpoint.unpack_answers),
        (checkpoint.pack_session(FIRST), checkpoint.unpack_session),
        (sum_checkpoint.pack_product(Product(b"abc", None)), sum_checkpoint.unpack_product),
        (sum_checkpoint.pack_sum(PeerSum(SumAnswer("B11"), 4, None)), sum_checkpoint.unpack_sum),
    ],
    ids=["answers", "session", "product", "sum"],
)
def test_forms_of_another_release_are_refused(packed, unpack, version) -> None:
    assert unpack(packed)
    with pytest.raises(PreconditionError) as refused:
        unpack(version + packed[1:] if version else b"")
    assert refused.value.details == {"rule": "packed_version"}


def test_answers_of_a_county_stay_small() -> None:
    packed = checkpoint.pack_answers([Answer(Outcome.NOT_FOUND)] * 20_000)
    assert len(packed) < 4_096


def test_memory_checkpoint_forgets_with_a_new_session() -> None:
    kept = MemoryCheckpoint()
    kept.begin(FIRST)
    kept.add_tokens(0, b"t" * 64)
    kept.add_answers("C21", [Answer(Outcome.FOUND, 1)])
    kept.renew(FIRST)
    assert (kept.tokens(), list(kept.answers())) == (b"t" * 64, ["C21"])
    kept.add_answers("C23", [Answer(Outcome.OVER, 1)])  # of the query of another class
    kept.begin(FIRST)
    assert (kept.tokens(), list(kept.answers())) == (b"", ["C23"])


@pytest.mark.parametrize("seconds", [0.0, 0.05])
def test_memory_checkpoint_waits(seconds: float) -> None:
    began = time.monotonic()
    MemoryCheckpoint().wait(seconds)
    assert time.monotonic() - began >= seconds
