"""The background of a serving node: which job runs when (design.md section 8)."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from node.context import Node
from node.database import jobs as job_rows
from node.database.leases import job_lease
from node.domain.jobs import JobRequest
from node.errors import NodeError
from node.jobs.engine import run_job
from node.jobs.kinds import count_people
from node.jobs.leases import Leases
from node.jobs.turns import Turns
from node.telemetry import log

SMALL_JOB = 1_000  # subjects; such a job takes a second, one of a county's list minutes


class Runner:
    """Runs jobs in the background of a serving node, each under a lease, so that no other process runs it.

    Resumes open jobs that no process holds: those of a killed process, when its leases have expired, those
    that a stopped one gave back, and those that waited for a peer's quota, when their time has come. Small
    jobs have separate workers: a check of one household never waits for lists to end. Of either, a peer has
    a turn in at most half: a job that waits for turns only gives its worker back, and is taken up again when
    one of them is free.
    """

    def __init__(
        self,
        node: Node,
        leases: Leases,
        poll_s: float,
        jobs_at_once: int = 2,
        elsewhere: Callable[[str], None] | None = None,
    ) -> None:
        """`elsewhere` is given the large jobs, for another process; without it they run here."""
        self._node, self._leases, self._poll_s, self._at_once = node, leases, poll_s, jobs_at_once
        self._elsewhere, self._large = elsewhere, node.config.jobs.large_job if elsewhere else 0
        self._lists = _Workers(jobs_at_once, "job", self._wake)
        self._small = _Workers(2 * jobs_at_once, "small-job", self._wake)
        # Jobs without a worker, by the peers whose turns they wait for, oldest first.
        self._waiting: dict[str, tuple[_Workers, frozenset[str]]] = {}
        self._stopping = threading.Event()
        self._taken: set[str] = set()
        self._lock = threading.Lock()
        self._polling = threading.Thread(target=self._keep_polling, name="open-jobs", daemon=True)

    def resume(self) -> int:
        """Resume every open job that no process holds, now and repeatedly while serving; return how many."""
        found = self._open_jobs()
        self.take_up(found)
        self._polling.start()
        return len(found)

    def start(self, job: str, submitted: JobRequest | None = None) -> None:
        """Run a job soon; a waiting or running one is not started twice.

        `submitted` spares reading the job's request back. Of a job that has to wait it is not kept.
        """
        subjects = self._count(job) if submitted is None else count_people(submitted)
        if self._elsewhere is not None and subjects > self._large:
            self._elsewhere(job)
            return
        with self._lock:
            if job in self._taken or self._stopping.is_set():
                return
            at_once = len(self._taken) < self._at_once
            self._taken.add(job)
            self._waiting.pop(job, None)
            workers = self._small if subjects <= SMALL_JOB else self._lists
            workers.pool.submit(self._run, job, submitted if at_once else None, workers)

    def stop(self) -> None:
        """Let running steps end; unfinished jobs stay open, and their leases are given back."""
        with self._lock:
            self._stopping.set()
        self._leases.interrupt()
        for workers in (self._lists, self._small):
            workers.pool.shutdown(wait=True, cancel_futures=True)
        if self._polling.ident is not None:
            self._polling.join()

    def take_up(self, found: Sequence[str]) -> None:
        """Run open jobs soon, but those that would only wait for turns of their peers again."""
        with self._lock:
            waiting = {job: self._waiting[job] for job in found if job in self._waiting}
        still = set()
        if waiting:
            with self._node.store.transaction("cancelled jobs") as tx:
                still = {
                    job
                    for job, (workers, peers) in waiting.items()
                    if not workers.turns.are_free(peers) and not job_rows.cancel_requested(tx, job)
                }
        for job in found:
            if job not in still:
                self.start(job)

    def _open_jobs(self) -> Sequence[str]:
        with self._node.store.transaction("open jobs") as tx:
            return job_rows.open_jobs(tx, self._node.clock())

    def _keep_polling(self) -> None:
        while not self._stopping.wait(self._poll_s):
            try:
                self.take_up(self._open_jobs())
            except NodeError as error:  # the database is unreachable: tried again later
                log.get_logger().error("open_jobs_not_read", code=error.code, where=log.where(error))

    def _count(self, job: str) -> int:
        with self._node.store.transaction("find job") as tx:
            row = job_rows.find_job(tx, job)
        return 0 if row is None else row.subjects

    def _run(self, job: str, submitted: JobRequest | None, workers: "_Workers") -> None:
        left = frozenset[str]()
        try:
            with self._leases.hold(job_lease(job)) as lease:
                if lease is not None:
                    left = run_job(self._node, job, lease, submitted, workers.turns)
        except NodeError as error:  # no lease while the database is unreachable: resumed later
            log.get_logger().error("job_waits", job=job, code=error.code, where=log.where(error))
        finally:
            with self._lock:
                self._taken.discard(job)
                if left:
                    self._waiting[job] = workers, left
        if left and workers.turns.are_free(left):  # a turn ended before the job was known to wait
            self._resume(job)

    def _wake(self, peer: str) -> None:
        """A turn of a peer has ended: the job that waits longest for it goes on."""
        with self._lock:
            waiting = [(job, workers) for job, (workers, peers) in self._waiting.items() if peer in peers]
        for job, workers in waiting:
            if workers.turns.are_free((peer,)):
                self._resume(job)
                return

    def _resume(self, job: str) -> None:
        try:
            self.start(job)
        except NodeError as error:  # the database is unreachable: found again by polling
            with self._lock:
                self._waiting.pop(job, None)
            log.get_logger().error("job_waits", job=job, code=error.code, where=log.where(error))


class _Workers:
    """Threads that run jobs, and the turns of peers in them."""

    def __init__(self, count: int, name: str, freed: Callable[[str], None]) -> None:
        self.pool = ThreadPoolExecutor(count, thread_name_prefix=name)
        self.turns = Turns(count // 2, freed)
