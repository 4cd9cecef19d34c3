"""The `heqiao` command in processes of their own, each forked from one that has loaded the command line.

Loading it takes most of a short command's time, and the tests start hundreds. What is forked is
a process as any other: it has its own memory, streams, folder and environment, and is killed as one. What is
seen before the command line is loaded (locale, first signals, the interpreter itself) needs `subprocess`.
"""

import atexit
import gc
import io
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from importlib import import_module
from pathlib import Path
from typing import Any, TextIO

from node.cli import COMMANDS, main
from node.domain import catalogue
from tests.support import shared, unsynced  # noqa: F401  for the commands, too
from tests.support.paths import ROOT

NOWHERE = os.open(os.devnull, os.O_RDWR)
_LONGEST = 256 * 1024  # bytes of a message: arguments, environment, program


class Started:
    """A process that was started, with what `subprocess.Popen` offers of it."""

    def __init__(self, pid: int, status: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self.stderr: TextIO | None = None  # for the caller, who may keep the other end of its pipe here
        self._status = status
        self._lock = threading.Lock()

    def __del__(self) -> None:
        os.close(self._status)  # not before: several threads may wait for it

    def poll(self) -> int | None:
        """Its exit code, or minus the signal that ended it; None while it runs."""
        return self._read(0.0)

    def wait(self, timeout: float | None = None) -> int:
        """The same when it has ended. Raises TimeoutExpired."""
        code = self._read(timeout)
        if code is None:
            raise subprocess.TimeoutExpired("heqiao", timeout or 0.0)
        return code

    def send_signal(self, number: int) -> None:
        """Signal it, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL."""
        self.send_signal(signal.SIGKILL)

    def await_stop(self) -> None:
        """After SIGSTOP: wait until each of its threads has stopped."""
        while any(_state(task) != "T" for task in Path(f"/proc/{self.pid}/task").iterdir()):
            time.sleep(0.005)

    def _read(self, timeout: float | None) -> int | None:
        if self.returncode is None and _readable(self._status, timeout):
            with self._lock:
                if self.returncode is None:
                    self.returncode = int(os.read(self._status, 16))
        return self.returncode


def _readable(descriptor: int, timeout: float | None) -> bool:
    # No `select.select`: it takes no descriptor above 1,023, and a process of the tests may have more files.
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(None if timeout is None else timeout * 1000))


def _state(task: Path) -> str:
    return (task / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]


def _read_all(stream: int) -> str:
    with os.fdopen(stream, encoding="utf-8") as file:
        return file.read()


class CommandServer:
    """Starts commands."""

    def __init__(self, *, forked: bool = False) -> None:
        """A process of its own; `forked` from this one, if it has loaded the commands and has no threads."""
        self._lock = threading.Lock()
        self._line, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._wait = _fork(theirs, self._line) if forked else _start(theirs)

    def start(
        self,
        arguments: Sequence[object],
        *,
        stdout: int = NOWHERE,
        stderr: int = NOWHERE,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        program: str = "",
        group: bool = False,
    ) -> Started:
        """Start `heqiao` with these arguments, or Python text with them as `sys.argv[1:]`.

        `stdout` and `stderr` are file descriptors; without them it writes to nowhere. With `group` it leads a
        process group.
        """
        asked = {
            "arguments": [str(one) for one in arguments],
            "cwd": str(cwd or Path.cwd()),
            "env": dict(os.environ if env is None else env),
            "program": program,
            "group": group,
        }
        status, theirs = os.pipe()
        with self._lock:
            socket.send_fds(self._line, [json.dumps(asked).encode()], [stdout, stderr, theirs])
            os.close(theirs)
            return Started(int(self._line.recv(16)), status)

    def run(
        self, arguments: Sequence[object], timeout: float = 240, **given: Any
    ) -> subprocess.CompletedProcess[str]:
        """Run it to its end, with what it wrote; `given` is as for `start`. Raises TimeoutExpired."""
        ends = [os.pipe(), os.pipe()]
        started = self.start(arguments, stdout=ends[0][1], stderr=ends[1][1], **given)
        for _, write in ends:
            os.close(write)
        with ThreadPoolExecutor(len(ends)) as pool:
            said = [pool.submit(_read_all, read) for read, _ in ends]
            try:
                code = started.wait(timeout)
            except BaseException:
                started.kill()
                raise
        return subprocess.CompletedProcess(
            ["heqiao", *map(str, arguments)], code, *(s.result() for s in said)
        )

    def run_together(self, *commands: Sequence[object]) -> list[subprocess.CompletedProcess[str]]:
        """Run several at once."""
        with ThreadPoolExecutor(len(commands)) as pool:
            return list(pool.map(self.run, commands))

    def close(self) -> None:
        """End it. What it started runs on."""
        self._line.close()
        self._wait()


@cache
def command_server() -> CommandServer:
    """The one of this process; it ends with it."""
    return CommandServer()


def _start(line: socket.socket) -> Callable[[], object]:
    code = f"import sys; sys.path[:0] = {[str(ROOT), *sys.path]!r}; from {__name__} import load, serve"
    return subprocess.Popen([sys.executable, "-c", f"{code}; load(); serve()"], stdin=line).wait


def _fork(line: socket.socket, ours: socket.socket) -> Callable[[], object]:
    child = os.fork()
    if child == 0:
        ours.close()
        os.dup2(line.fileno(), 0)
        code = 1
        try:
            serve()
            code = 0
        except BaseException:
            traceback.print_exc()
            raise
        finally:
            os._exit(code)
    return partial(os.waitpid, child, 0)


# ---- in the process


def load() -> None:
    """What the command line loads when it needs it."""
    for module in COMMANDS.values():
        import_module(module)
    catalogue.load()
    gc.freeze()  # what is loaded is no garbage of the commands


def serve() -> None:
    """Fork and run for each message on the socket that is standard input."""
    line = socket.socket(fileno=os.dup(0))
    woken, wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake)
    running: dict[int, int] = {}
    while True:
        ready = select.select([line, woken], [], [])[0]
        if woken in ready:
            os.read(woken, 4096)
            _reap(running)
        if line in ready:
            message, given, *_ = socket.recv_fds(line, _LONGEST, 3)
            if not message:
                return
            out, err, status = given
            asked = json.loads(message)
            child = os.fork()
            if child == 0:
                _become(asked, out, err)
                return
            if asked["group"]:
                os.setpgid(child, child)  # before the caller learns of it, who may signal the group
            running[child] = status
            os.close(out)
            os.close(err)
            line.send(str(child).encode())


def _reap(running: dict[int, int]) -> None:
    for child in list(running):
        ended, how = os.waitpid(child, os.WNOHANG)
        if ended:
            status = running.pop(child)
            os.write(status, str(os.waitstatus_to_exitcode(how)).encode())
            os.close(status)


def _become(asked: dict[str, Any], out: int, err: int) -> None:
    """Be that process: what is raised here ends it, as it would end the interpreter."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    with Path(os.devnull).open("rb") as nothing:
        for target, source in enumerate((nothing.fileno(), out, err)):
            os.dup2(source, target)
    # As at the start of an interpreter: those that are there remember what the server's streams were.
    files = [io.FileIO(number, mode, closefd=False) for number, mode in enumerate("rww")]
    sys.stdin = io.TextIOWrapper(io.BufferedReader(files[0]))
    sys.stdout = io.TextIOWrapper(io.BufferedWriter(files[1]))
    sys.stderr = io.TextIOWrapper(io.BufferedWriter(files[2]), errors="backslashreplace", line_buffering=True)
    os.closerange(3, 256)
    os.environ.clear()
    os.environ.update(asked["env"])
    time.tzset()
    os.chdir(asked["cwd"])
    sys.dont_write_bytecode = False
    sys.argv = ["heqiao", *asked["arguments"]]
    code: object = None
    try:
        if asked["program"]:
            exec(compile(asked["program"], "<string>", "exec"), {"__name__": "__main__"})
        else:
            main()
    except SystemExit as ended:
        code = ended.code
        if not isinstance(code, int | None):
            raise
    _end(code or 0)


def _end(code: int) -> None:
    """As the interpreter ends, without freeing what was loaded: to free a page it shares, it would copy it,
    which took ten times as long as a short command.
    """
    threading._shutdown()
    atexit._run_exitfuncs()
    try:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
    except OSError:
        return  # which the interpreter reports in its own way
    os._exit(code & 0xFF)
