"""Long work of administrators in the background of a serving node: one thread each, with its progress.

What runs is known to this process alone, and ends with it; every kind of work goes on where it stopped when
it is begun again. Beginning and end are in the audit chain.
"""

import contextvars
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from keys.errors import KeyringError
from matcher.errors import MatcherError
from node.context import Node
from node.database import Connection
from node.database import audit_log as audit_rows
from node.domain.audit_chain import Detail
from node.domain.new_ids import new_id
from node.errors import ConflictError, NodeError
from node.telemetry import log
from node.telemetry.progress import Progress

MOST_KEPT: Final = 50
MOST_RUNNING: Final = 4
_END_S: Final = 30


@dataclass(frozen=True, slots=True)
class Work:
    """One piece of work: `state` is running, done or failed; `code`, `text` and `rule` say why it failed."""

    id: str
    kind: str
    subject: str
    account: str
    started_at: datetime
    state: str = "running"
    stage: str = ""
    done: int = 0
    total: int = 0
    ended_at: datetime | None = None
    code: str = ""
    text: str = ""
    rule: str = ""


# What is done: told its progress, and when to stop.
Act = Callable[[Progress, threading.Event], None]


class Works:
    """The work of one serving process."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._lock = threading.Lock()
        self._known: dict[str, Work] = {}
        self._threads: list[threading.Thread] = []
        self._stopping = threading.Event()

    def start(self, kind: str, subject: str, account: str, act: Act) -> Work:
        """Begin; raises ConflictError while the same runs, or too much does."""
        with self._lock:
            running = [one for one in self._known.values() if one.state == "running"]
            if any((one.kind, one.subject) == (kind, subject) for one in running):
                raise ConflictError("this runs already", "see how far it is", {"rule": "work_running"})
            if len(running) >= MOST_RUNNING:
                raise ConflictError("too much runs already", "wait for one to end", {"rule": "work_running"})
            work = Work(new_id("w"), kind, subject, account, self._node.clock())
            self._known[work.id] = work
            for old in [one.id for one in self._known.values() if one.state != "running"][:-MOST_KEPT]:
                del self._known[old]
        self._note("work_started", work)
        # With who acts, for what the work itself writes into the audit chain.
        context = contextvars.copy_context()
        thread = threading.Thread(
            target=context.run, args=(self._run, work.id, act), name=f"work {kind}", daemon=True
        )
        self._threads = [*(one for one in self._threads if one.is_alive()), thread]
        thread.start()
        return work

    def list(self) -> list[Work]:
        """Newest first."""
        with self._lock:
            return sorted(self._known.values(), key=lambda one: one.started_at, reverse=True)

    def stop(self) -> None:
        """Let what runs end soon."""
        self._stopping.set()
        for thread in self._threads:
            thread.join(_END_S)

    def _run(self, work: str, act: Act) -> None:
        def progress(stage: str, done: int, total: int) -> None:
            self._change(work, stage=stage, done=done, total=total)

        try:
            act(progress, self._stopping)
        except NodeError as error:
            rule = error.details.get("rule", "")
            self._end(work, state="failed", code=error.code, text=str(error), rule=rule)
        except KeyringError as error:
            self._end(work, state="failed", code=error.code, text=str(error))
        except MatcherError as error:
            self._end(work, state="failed", code="matcher", text=str(error))
        except OSError as error:
            self._end(work, state="failed", code="disk", text=error.strerror or "")
        except Exception as error:  # noqa: BLE001 - its text may hold anything
            log.get_logger().error("work_failed", kind=type(error).__name__, where=log.where(error))
            self._end(work, state="failed", code="internal")
        else:
            self._end(work, state="done")

    def _end(self, work: str, **changed: str) -> None:
        self._change(work, **changed, ended_at=self._node.clock())
        self._note("work_ended", self._known[work])

    def _change(self, work: str, **changed: object) -> None:
        with self._lock:
            self._known[work] = replace(self._known[work], **changed)  # type: ignore[arg-type]

    def _note(self, event: str, work: Work) -> None:
        details: dict[str, Detail] = {"work": work.id, "kind": work.kind, "subject": work.subject}
        if work.state != "running":
            details |= {"state": work.state, "code": work.code}

        def write(tx: Connection) -> None:
            audit_rows.append(tx, event, details, self._node.clock())

        self._node.store.retry_write("note work", write)
