"""Turns of peers: one that answers slowly holds some of this node's workers, never all (design.md section 8).

A job works on the parts of all its peers at once, and keeps a worker until they have ended. So that a peer
which sends a message now and then does not keep every worker, few jobs at a time have a part of it. A job
that waits for turns only gives its worker back.
"""

import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, contextmanager


class Turns:
    """How many jobs have a part of each peer at once: `most`, or one.

    `freed` is called with a peer's code whenever one of its turns ends.
    """

    def __init__(self, most: int, freed: Callable[[str], None] = lambda _peer: None) -> None:
        self._most, self._freed = max(most, 1), freed
        self._held: Counter[str] = Counter()
        self._changed = threading.Condition()

    def are_free(self, peers: Collection[str]) -> bool:
        """Whether one of these peers has a turn left."""
        with self._changed:
            return any(self._held[peer] < self._most for peer in peers)

    def begin(self, peers: Collection[str]) -> "JobTurns":
        """Take the turns that are free now."""
        with self._changed:
            taken = {peer for peer in peers if self._held[peer] < self._most}
            self._held.update(taken)
        return JobTurns(self, taken)

    @contextmanager
    def _hold(self, peer: str, job: "JobTurns") -> Iterator[bool]:
        with self._changed:
            if peer not in job.taken:
                self._changed.wait_for(lambda: self._held[peer] < self._most or not job.taken)
                if self._held[peer] < self._most:
                    self._held[peer] += 1
                    job.taken.add(peer)
            has_turn = peer in job.taken
        try:
            yield has_turn
        finally:
            if has_turn:
                self._end({peer}, job)

    def _end(self, peers: Collection[str], job: "JobTurns") -> None:
        with self._changed:
            ended = job.taken & set(peers)
            job.taken -= ended
            self._held.subtract(ended)
            self._changed.notify_all()
        for peer in ended:
            self._freed(peer)


class JobTurns:
    """The turns of one job while it runs; `taken` are the peers whose turns it has."""

    def __init__(self, turns: Turns, taken: set[str]) -> None:
        self._turns, self.taken = turns, taken

    def hold(self, peer: str) -> AbstractContextManager[bool]:
        """A block for a peer's part: true with a turn, which it waits for while other parts of the job run.

        False once the job would wait for nothing else: the part is left for later.
        """
        return self._turns._hold(peer, self)  # noqa: SLF001 - the two are one

    def give_back(self) -> None:
        """End the turns of parts that did not begin."""
        self._turns._end(set(self.taken), self)  # noqa: SLF001
