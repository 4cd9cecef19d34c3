"""A province that holds a query back until a test lets it go, as a fixture."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from node.responder import match


@dataclass
class Gate:
    """Holds the first query at its third chunk."""

    reached: threading.Event
    open: threading.Event


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    """For provinces that are served in this process."""
    found = Gate(threading.Event(), threading.Event())
    answer = match.Evaluation.answer

    def held(self: match.Evaluation, sequence: int, points: bytes) -> bytes:
        if sequence == 2 and not found.reached.is_set():
            found.reached.set()
            found.open.wait(300)
        return answer(self, sequence, points)

    monkeypatch.setattr(match.Evaluation, "answer", held)
    yield found
    found.open.set()
