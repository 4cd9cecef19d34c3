"""Wall time, CPU time and memory of everything this process has started, and what machine it is.

Memory is the proportional set size (PSS of proc(5), smaps_rollup) of all descendants added up: pages
that processes share are counted once. This process only watches, and is not counted.
"""

import os
import platform
import resource
import secrets
import threading
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Self

import numpy as np
from cryptography.hazmat.backends.openssl import backend as openssl

from matcher import oprf
from matcher.suites import x25519

PAUSE_S = 0.1
SHARE = 0.05  # of the time at most goes into sampling
TICKS = os.sysconf("SC_CLK_TCK")
PACKAGES = ("heqiao", "cryptography", "ipp-crypto", "grpcio", "numpy", "blake3", "gmpy2", "sqlalchemy")


class Meter:
    """`with Meter() as meter:` measures until the block ends: wall_s, cpu_s, peak_mib.

    With a process, the memory is that of it and what it has started. `began` is of time.time().
    """

    def __init__(self, root: int | None = None) -> None:
        self.wall_s = self.cpu_s = self.peak_mib = self.began = 0.0
        self._root = root
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="meter", daemon=True)

    def __enter__(self) -> Self:
        self._cpu, self.began, self._start = cpu_seconds(), time.time(), time.perf_counter()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.wall_s = time.perf_counter() - self._start
        self.cpu_s = cpu_seconds() - self._cpu
        self._stopping.set()
        self._thread.join()

    def _watch(self) -> None:
        while True:
            began = time.perf_counter()
            every = [*descendants(self._root), *([self._root] if self._root else [])]
            self.peak_mib = max(self.peak_mib, sum(map(_pss_kib, every)) / 1024)
            took = time.perf_counter() - began
            if self._stopping.wait(max(PAUSE_S, took / SHARE)):
                return


def descendants(root: int | None = None) -> list[int]:
    """The process ids of everything that a process, by default this one, has started and that lives."""
    children: dict[int, list[int]] = {}
    for pid, fields in _all_stats():
        children.setdefault(int(fields[1]), []).append(pid)
    found, waiting = [], [root or os.getpid()]
    while waiting:
        below = children.get(waiting.pop(), [])
        found += below
        waiting += below
    return found


def cpu_seconds(roots: Iterable[int] | None = None) -> float:
    """CPU seconds of processes, of what they have started, and of the children that these reaped; all of
    ours by default, dead ones too.
    """
    reaped = 0.0
    if roots is None:
        wanted = set(descendants())
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        reaped = usage.ru_utime + usage.ru_stime
    else:
        wanted = {pid for root in roots for pid in (root, *descendants(root))}
    # Fields 14 to 17 of proc(5): user, system, and both of waited-for children.
    return reaped + sum(sum(map(int, fields[11:15])) / TICKS for pid, fields in _all_stats() if pid in wanted)


def describe_machine() -> dict[str, object]:
    """Processor, cores, memory, system and the load before the run."""
    info = _read("/proc/cpuinfo")
    model = next((line.split(":", 1)[1].strip() for line in info.splitlines() if "model name" in line), "")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cpu": model or platform.processor(),
        "ifma": "avx512ifma" in info,
        "cores": os.cpu_count(),
        "memory_gib": round(memory / 2**30, 1),
        "system": f"{platform.system()} {platform.release()}",
        "load_1m": round(os.getloadavg()[0], 2),
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def list_versions(packages: Iterable[str] = PACKAGES) -> dict[str, str]:
    """Versions of Python, OpenSSL and some packages of this environment."""
    found = {"python": platform.python_version(), "openssl": openssl.openssl_version_text()}
    for name in packages:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = ""
    return found


def kernel_us(points: int = 65_536, runs: int = 5) -> float:
    """Microseconds a point of the bare group operation, on all cores: what no index can be faster than.

    The best of a few runs, because other work on the machine can only slow it.
    """
    field = np.random.default_rng(1).integers(0, 256, (points, x25519.POINT_SIZE), dtype=np.uint8)
    field[:, -1] &= 0x3F  # canonical
    scalar, backend = oprf.clamp(secrets.token_bytes(x25519.POINT_SIZE)), x25519.backend()
    walls = []
    for _ in range(runs):
        began = time.perf_counter()
        backend.multiply(scalar, field.tobytes())
        walls.append(time.perf_counter() - began)
    return 1e6 * min(walls) / points


def quantile(walls: Iterable[float], share: float) -> float:
    """The smallest of some figures that is not below `share` of them."""
    ordered = sorted(walls)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


def rounded(figures: Mapping[str, object], digits: int = 3) -> dict[str, object]:
    """The same with floating-point figures rounded."""
    return {k: round(v, digits) if isinstance(v, float) else v for k, v in figures.items()}


def _all_stats() -> Iterable[tuple[int, list[str]]]:
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            text = _read(f"/proc/{entry.name}/stat")
            if text:
                # The command, in brackets, may hold anything; what follows begins with field 3.
                yield int(entry.name), text.rpartition(")")[2].split()


def _pss_kib(pid: int) -> int:
    lines = _read(f"/proc/{pid}/smaps_rollup").splitlines()
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""  # it ended while we looked
