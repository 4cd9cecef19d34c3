"""Whether the node can answer: its keys open and its database is there, looked at again and again."""

import threading
from collections.abc import Callable
from functools import partial
from typing import Final

from keys.errors import KeyringError
from node.context import Node
from node.errors import NodeError
from node.telemetry import log

EVERY_S: Final = 2.0  # a look costs some milliseconds, and no caller waits for it
LATE_S: Final = 10.0  # a look without an answer for so long is a bad one: the database hangs


class HealthWatch:
    """Says after every look whether the node can answer, from a thread of its own.

    Only a change is logged, with its reason, which may name a file: it never leaves this node.
    """

    def __init__(self, node: Node, report: Callable[[bool], None]) -> None:
        self._node, self._report = node, report
        self._reason = ""
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="health", daemon=True)

    def start(self) -> None:
        """Begin in the background. The node was just opened, so it is good until the first look."""
        self._report(True)
        self._thread.start()

    def stop(self) -> None:
        """End the background; wait for a look, but not for a database that hangs."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join(LATE_S)

    def _watch(self) -> None:
        while not self._stopping.wait(EVERY_S):
            found: list[str] = []
            look = threading.Thread(target=partial(_look, self._node, found), name="look", daemon=True)
            look.start()
            look.join(LATE_S)
            self._judge(found[0] if found else "no answer in time")
            while look.is_alive() and not self._stopping.is_set():  # never two at once
                look.join(EVERY_S)

    def _judge(self, reason: str) -> None:
        if reason != self._reason and reason:
            log.get_logger().error("health", status="not_serving", reason=reason)
        elif reason != self._reason:
            log.get_logger().info("health", status="serving")
        self._reason = reason
        self._report(not reason)


def _look(node: Node, into: list[str]) -> None:
    into.append(find_fault(node))


def find_fault(node: Node) -> str:
    """Why the node cannot answer; empty where it can. Keys are opened from their files again, because those
    in memory say nothing about the next start.
    """
    try:
        node.store.follow_file()
        node.ring.check()
    except (NodeError, KeyringError) as error:
        return str(error)
    except Exception as error:  # noqa: BLE001 - whatever it is, this node is not well
        return type(error).__name__
    return ""
