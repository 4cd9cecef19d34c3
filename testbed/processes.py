"""Child processes of the demo and the cluster: each with a log, all ended by their own ids."""

import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import NoReturn

TAIL_LINES = 12
STOP_S = 15.0  # a node drains for up to 10 s
POLL_S = 0.05
SCRIPTS = Path(sys.executable).parent  # not resolved: the scripts are in the environment


class ChildError(Exception):
    """A process failed, or something blocks it; `hint` says what to do."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True)
class Child:
    """A running process; its standard output and error go to `log`."""

    name: str
    log: Path
    process: subprocess.Popen[bytes]

    def check(self) -> None:
        """Raises ChildError if it has ended."""
        code = self.process.poll()
        if code is not None:
            raise _failed(self.name, code, self.log)

    def kill(self) -> None:
        """End it and what it started with kill -9, as a machine that fails."""
        _signal_group(self, signal.SIGKILL)
        self.process.wait()

    def peak_memory_kib(self) -> int:
        """`peak_kib_of` it."""
        return peak_kib_of(self.process.pid)


class Children:
    """Processes that end with this one: `with Children(logs) as children`.

    Each is the leader of its own session, so that Ctrl-C reaches them in order, through `stop`, and never
    twice; a signal to its group ends what it started too.
    """

    def __init__(self, logs: Path, env: Mapping[str, str] | None = None) -> None:
        self._logs = logs
        self._env = {
            **os.environ,
            "PATH": f"{SCRIPTS}{os.pathsep}{os.environ.get('PATH', '')}",
            **(env or {}),
        }
        self._running: list[Child] = []
        self._lock = threading.Lock()
        self._stopped = False
        self._cause: ChildError | None = None

    def __enter__(self) -> "Children":
        self._logs.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self, name: str, command: Sequence[str], env: Mapping[str, str] | None = None) -> Child:
        """Start a process; its log is LOGS/name.log, begun anew."""
        log = self._logs / f"{name}.log"
        with self._lock, log.open("wb") as output:
            if self._stopped:  # Ctrl-C came while a thread was between two commands
                raise ChildError(f"{name} was not started", "run it again")
            try:
                process = subprocess.Popen(
                    list(command),
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    env={**self._env, **(env or {})},
                    start_new_session=True,
                )
            except OSError as error:
                raise ChildError(
                    f"cannot start {command[0]}: {error.strerror}", "delete .venv/.ready and run make again"
                ) from None
            child = Child(name, log, process)
            self._running.append(child)
        return child

    def run(self, name: str, command: Sequence[str], env: Mapping[str, str] | None = None) -> str:
        """Run a command to its end and return what it printed. Raises ChildError when it fails."""
        child = self.start(name, command, env)
        code = child.process.wait()
        with self._lock:
            if child in self._running:
                self._running.remove(child)
        if code:
            raise _failed(f"{name} ({shlex.join(command)})", code, child.log)
        return child.log.read_text(encoding="utf-8", errors="replace")

    def together(self, *tasks: Callable[[], object]) -> None:
        """Do several things at once; when one of them fails, the children of the others are ended."""
        with ThreadPoolExecutor(len(tasks)) as pool:
            try:
                futures = [pool.submit(self._note_cause, task) for task in tasks]
                for future in wait(futures, return_when=FIRST_EXCEPTION).done:
                    future.result()
            except ChildError as error:
                self.stop()
                raise self._cause or error from None
            except BaseException:
                self.stop()
                raise

    def _note_cause(self, task: Callable[[], object]) -> object:
        """What fails after the others were ended is no cause."""
        try:
            return task()
        except ChildError as error:
            with self._lock:
                if self._cause is None and not self._stopped:
                    self._cause = error
            raise

    def stop(self) -> None:
        """End all of them, by their ids: a request first, and force for those that do not listen."""
        with self._lock:
            self._stopped = True
            children, self._running = self._running, []
        for number in (signal.SIGTERM, signal.SIGKILL):
            for child in children:
                if child.process.poll() is None:
                    _signal_group(child, number)
            deadline = time.monotonic() + STOP_S
            while time.monotonic() < deadline and any(child.process.poll() is None for child in children):
                time.sleep(POLL_S)


def wait_until(
    what: str, children: Sequence[Child], ready: Callable[[], bool], timeout_s: float = 60.0
) -> None:
    """Wait for something while all these children live. Raises ChildError."""
    deadline = time.monotonic() + timeout_s
    while not ready():
        for child in children:
            child.check()
        if time.monotonic() > deadline:
            logs = ", ".join(str(child.log) for child in children)
            raise ChildError(f"{what}: nothing after {timeout_s:.0f} s", f"the reason may be in {logs}")
        time.sleep(POLL_S)


@contextmanager
def stoppable() -> Iterator[None]:
    """Treat SIGTERM and SIGHUP as Ctrl-C, so that children are ended on every way out.

    Only the first counts: a second must not break off the stopping.
    """
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
        for number in numbers:
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    # Set even where it was ignored: a shell starts background jobs so, and Ctrl-C must work all the same.
    kept = {number: signal.signal(number, interrupt) for number in numbers}
    try:
        yield
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)


def peak_kib_of(pid: int) -> int:
    """The most memory a process has held (VmHWM of proc(5)) in KiB; 0 where the system does not say."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return 0
    found = (line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(next(found, "0"))


def _signal_group(child: Child, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(child.process.pid, number)


def _failed(what: str, code: int, log: Path) -> ChildError:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-TAIL_LINES:]
    how = f"ended by signal {-code}" if code < 0 else f"exit code {code}"
    shown = "\n".join(f"    {line}" for line in lines) or "    (it printed nothing)"
    return ChildError(
        f"{what}: {how}; its last lines:\n{shown}",
        f"do what the last lines say and run the command again; the whole log is {log}",
    )
