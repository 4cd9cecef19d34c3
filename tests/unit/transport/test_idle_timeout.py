"""The timeout that ends a stream without messages."""

import threading

from node.transport.idle_timeout import IdleGuard, Watch

LIMIT_S = 30.0


class Seconds:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def guarded(stopped: bool = False, pace: int = 0) -> tuple[IdleGuard, Seconds, list[str]]:
    clock, cancelled = Seconds(), []
    guard = IdleGuard(lambda: cancelled.append("once"), LIMIT_S, lambda: stopped, clock, pace)
    return guard, clock, cancelled


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


def seconds_until_cancelled(guard: IdleGuard, clock: Seconds, every: float, amount: int) -> float:
    began = clock.now
    while True:
        clock.now += every
        if guard.look():
            return clock.now - began
        guard.moved(amount)


def test_a_message_just_before_each_time_out_does_not_hold_a_stream() -> None:
    guard, clock, _ = guarded(pace=16)
    assert seconds_until_cancelled(guard, clock, LIMIT_S - 1, 1) == 3 * (LIMIT_S - 1)


def test_a_slow_stream_at_the_pace_lives_an_hour() -> None:
    guard, clock, _ = guarded(pace=16)
    assert 3_600 < seconds_until_cancelled(guard, clock, 1, 17) <= 3_601


def test_a_fast_start_does_not_pay_for_a_slow_end() -> None:
    guard, clock, _ = guarded(pace=16)
    guard.moved(16 * 120)
    assert 120 < seconds_until_cancelled(guard, clock, 10, 0) <= 130


def test_a_thread_looks_and_cancels() -> None:
    cancelled = threading.Event()
    with IdleGuard(cancelled.set, 60, lambda: True):
        assert cancelled.wait(60)


def watches() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "idle-guard"]


def test_one_thread_looks_at_all_streams_and_rests_a_while() -> None:
    watch, cancelled = Watch(rest_s=0.01), [threading.Event() for _ in range(5)]
    before = set(watches())
    for one in cancelled:
        watch.add(IdleGuard(one.set, 60, lambda: True))
    (thread,) = set(watches()) - before
    assert all(one.wait(60) for one in cancelled)
    thread.join(60)
    assert not thread.is_alive()
    again = threading.Event()
    watch.add(IdleGuard(again.set, 60, lambda: True))
    assert again.wait(60)


def test_a_stream_whose_guard_fails_ends_alone() -> None:
    watch, failed, stopped = Watch(rest_s=0.01), threading.Event(), threading.Event()
    kept: list[str] = []

    def fail() -> bool:
        raise RuntimeError

    other = IdleGuard(lambda: kept.append("cancelled"), 60)
    watch.add(other)
    watch.add(IdleGuard(failed.set, 60, fail))
    assert failed.wait(60)
    watch.add(IdleGuard(stopped.set, 60, lambda: True))
    assert stopped.wait(60)
    assert not kept
    watch.remove(other)


def test_a_stream_that_has_ended_is_not_cancelled() -> None:
    watch, later, kept = Watch(), threading.Event(), list[str]()
    gone = IdleGuard(lambda: kept.append("cancelled"), 0)
    watch.add(gone)
    watch.remove(gone)
    watch.add(IdleGuard(later.set, 60, lambda: True))
    assert later.wait(60)
    assert not kept
