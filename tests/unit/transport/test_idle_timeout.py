"""The timeout that ends a stream without messages."""

import threading

from node.transport.idle_timeout import IdleGuard

LIMIT_S = 30.0


class Seconds:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def guarded(stopped: bool = False) -> tuple[IdleGuard, Seconds, list[str]]:
    clock, cancelled = Seconds(), []
    return IdleGuard(lambda: cancelled.append("once"), LIMIT_S, lambda: stopped, clock), clock, cancelled


def test_cancels_when_nothing_moves() -> None:
    guard, clock, cancelled = guarded()
    clock.now += LIMIT_S
    assert not guard.look()
    assert not cancelled
    clock.now += 0.1
    assert guard.look()
    assert cancelled == ["once"]


def test_leaves_a_moving_stream_alone() -> None:
    guard, clock, cancelled = guarded()
    for _ in range(100):
        clock.now += LIMIT_S - 1
        guard.moved()
        assert not guard.look()
    assert not cancelled


def test_cancels_at_once_when_the_work_is_to_stop() -> None:
    guard, _, cancelled = guarded(stopped=True)
    assert guard.look()
    assert cancelled == ["once"]


def test_a_thread_looks_and_cancels() -> None:
    cancelled = threading.Event()
    with IdleGuard(cancelled.set, 60, lambda: True):
        assert cancelled.wait(60)


def test_its_thread_ends_with_the_stream() -> None:
    before = set(threading.enumerate())
    started = []
    for _ in range(5):
        with IdleGuard(lambda: None, 60):
            started += [one for one in threading.enumerate() if one not in before]
    assert started
    for thread in started:
        thread.join(60)
    assert not [thread for thread in started if thread.is_alive()]
