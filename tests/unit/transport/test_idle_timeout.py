"""The guard that ends a stream on which nothing moves."""

import threading

from node.transport.idle_timeout import IdleGuard

PATIENCE_S = 60


class Stream:
    """What a guard sees: a clock that the test moves, and each of its looks counted."""

    def __init__(self) -> None:
        self.now = 0.0
        self.cancelled, self.looks = threading.Event(), threading.Semaphore(0)

    def seconds(self) -> float:
        return self.now

    def looked(self) -> bool:
        self.looks.release()
        return False

    def guard(self, limit_s: float) -> IdleGuard:
        return IdleGuard(self.cancelled.set, limit_s, self.looked, self.seconds)


def test_cancels_when_nothing_moves() -> None:
    stream = Stream()
    with stream.guard(30):
        assert stream.looks.acquire(timeout=PATIENCE_S)
        assert not stream.cancelled.is_set()
        stream.now = 31
        assert stream.cancelled.wait(PATIENCE_S)


def test_leaves_a_moving_stream_alone() -> None:
    stream = Stream()
    with stream.guard(30) as guard:
        for _ in range(4):
            stream.now += 20
            guard.moved()
            assert stream.looks.acquire(timeout=PATIENCE_S)
    assert not stream.cancelled.is_set()


def test_cancels_at_once_when_the_work_is_to_stop() -> None:
    cancelled = threading.Event()
    with IdleGuard(cancelled.set, 60, lambda: True):
        assert cancelled.wait(PATIENCE_S)


def test_its_thread_ends_with_the_stream() -> None:
    for _ in range(5):
        with IdleGuard(lambda: None, 60):
            pass
    for thread in threading.enumerate():
        if thread.name == "idle-guard":
            thread.join(PATIENCE_S)
            assert not thread.is_alive()
