"""The guard that ends a stream on which nothing moves."""

import threading
import time

from node.transport.idle_timeout import IdleGuard


def test_cancels_when_nothing_moves() -> None:
    cancelled = threading.Event()
    with IdleGuard(cancelled.set, 0.1):
        assert cancelled.wait(2)


def test_leaves_a_moving_stream_alone() -> None:
    cancelled = threading.Event()
    with IdleGuard(cancelled.set, 0.6) as guard:
        for _ in range(10):
            time.sleep(0.1)
            guard.moved()
    assert not cancelled.is_set()


def test_cancels_at_once_when_the_work_is_to_stop() -> None:
    cancelled = threading.Event()
    with IdleGuard(cancelled.set, 60, lambda: True):
        assert cancelled.wait(2)


def test_its_thread_ends_with_the_stream() -> None:
    for _ in range(5):
        with IdleGuard(lambda: None, 60):
            pass
    time.sleep(0.5)
    assert not [thread for thread in threading.enumerate() if thread.name == "idle-guard"]
