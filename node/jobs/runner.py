"""The background of a serving node: which job runs when (design.md section 8)."""

import threading
from concurrent.futures import ThreadPoolExecutor

from node.context import Node
from node.database import jobs as job_rows
from node.database.leases import job_lease
from node.domain.jobs import JobRequest
from node.errors import NodeError
from node.jobs.engine import run_job
from node.jobs.kinds import count_people
from node.jobs.leases import Leases
from node.telemetry import log

SMALL_JOB = 1_000  # subjects; such a job takes a second, one of a county's list minutes


class Runner:
    """Runs jobs in the background of a serving node, each under a lease, so that no other process runs it.

    Resumes open jobs that no process holds: those of a killed process, when its leases have expired, those
    that a stopped one gave back, and those that waited for a peer's quota, when their time has come. Small
    jobs have separate workers: a check of one household never waits for lists to end.
    """

    def __init__(self, node: Node, leases: Leases, poll_s: float, jobs_at_once: int = 2) -> None:
        self._node, self._leases, self._poll_s, self._at_once = node, leases, poll_s, jobs_at_once
        self._lists = ThreadPoolExecutor(jobs_at_once, thread_name_prefix="job")
        self._small = ThreadPoolExecutor(jobs_at_once, thread_name_prefix="small-job")
        self._stopping = threading.Event()
        self._taken: set[str] = set()
        self._lock = threading.Lock()
        self._polling = threading.Thread(target=self._keep_polling, name="open-jobs", daemon=True)

    def resume(self) -> int:
        """Resume every open job that no process holds, now and repeatedly while serving; return how many."""
        found = self._take_up()
        self._polling.start()
        return found

    def start(self, job: str, submitted: JobRequest | None = None) -> None:
        """Run a job soon; a waiting or running one is not started twice.

        `submitted` spares reading the job's request back. Of a job that has to wait it is not kept.
        """
        subjects = self._count(job) if submitted is None else count_people(submitted)
        with self._lock:
            if job in self._taken or self._stopping.is_set():
                return
            at_once = len(self._taken) < self._at_once
            self._taken.add(job)
            pool = self._small if subjects <= SMALL_JOB else self._lists
            pool.submit(self._run, job, submitted if at_once else None)

    def stop(self) -> None:
        """Let running steps end; unfinished jobs stay open, and their leases are given back."""
        with self._lock:
            self._stopping.set()
        self._leases.interrupt()
        for pool in (self._lists, self._small):
            pool.shutdown(wait=True, cancel_futures=True)
        if self._polling.ident is not None:
            self._polling.join()

    def _take_up(self) -> int:
        with self._node.store.transaction("open jobs") as tx:
            found = job_rows.open_jobs(tx, self._node.clock())
        for job in found:
            self.start(job)
        return len(found)

    def _keep_polling(self) -> None:
        while not self._stopping.wait(self._poll_s):
            try:
                self._take_up()
            except NodeError as error:  # the database is unreachable: tried again later
                log.get_logger().error("open_jobs_not_read", code=error.code, where=log.where(error))

    def _count(self, job: str) -> int:
        with self._node.store.transaction("find job") as tx:
            row = job_rows.find_job(tx, job)
        return 0 if row is None else row.subjects

    def _run(self, job: str, submitted: JobRequest | None) -> None:
        try:
            with self._leases.hold(job_lease(job)) as lease:
                if lease is not None:
                    run_job(self._node, job, lease, submitted)
        except NodeError as error:  # no lease while the database is unreachable: resumed later
            log.get_logger().error("job_waits", job=job, code=error.code, where=log.where(error))
        finally:
            with self._lock:
                self._taken.discard(job)
