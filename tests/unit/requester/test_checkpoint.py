"""What a part keeps, packed and read back."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.domain.findings import Outcome
from node.requester import checkpoint
from node.requester.checkpoint import MemoryCheckpoint
from node.requester.context import Session
from node.requester.match_query import Answer

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
    st.binary(min_size=32, max_size=32),
    st.binary(max_size=300),
    st.binary(min_size=64, max_size=64),
    st.binary(max_size=300),
)


@given(st.lists(ANSWERS, max_size=50))
def test_answers(answers: list[Answer]) -> None:
    assert checkpoint.unpack_answers(checkpoint.pack_answers(answers)) == answers


@given(SESSIONS)
def test_sessions(session: Session) -> None:
    assert checkpoint.unpack_session(checkpoint.pack_session(session)) == session


def test_answers_of_a_county_stay_small() -> None:
    packed = checkpoint.pack_answers([Answer(Outcome.NOT_FOUND)] * 20_000)
    assert len(packed) < 4_096


def test_memory_journal_forgets_with_a_new_session() -> None:
    kept = MemoryCheckpoint()
    first = Session(bytes(16), bytes(32), bytes(32), b"", bytes(64), b"")
    kept.begin(first)
    kept.add_tokens(0, b"t" * 64)
    kept.add_answers("C21", [Answer(Outcome.FOUND, 1)])
    kept.renew(first)
    assert (kept.tokens(), list(kept.answers())) == (b"t" * 64, ["C21"])
    kept.begin(first)
    assert (kept.tokens(), kept.answers()) == (b"", {})


@pytest.mark.parametrize("seconds", [0.0, 0.05])
def test_memory_journal_waits(seconds: float) -> None:
    began = time.monotonic()
    MemoryCheckpoint().wait(seconds)
    assert time.monotonic() - began >= seconds
