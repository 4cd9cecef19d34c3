"""The background of a serving node: which job runs when (design.md section 8)."""

import threading
from concurrent.futures import ThreadPoolExecutor

from node.context import Node
from node.database import jobs as job_rows
from node.jobs.engine import JobRequest, count_people, run_job

SMALL_JOB = 1_000  # subjects; such a job takes a second, one of a county's list minutes


class Runner:
    """Runs jobs in the background of a serving node, and takes up those that a killed one left.

    Small jobs have workers of their own: a check of one household never waits for lists to end.
    """

    def __init__(self, node: Node, jobs_at_once: int = 2) -> None:
        self._node, self._at_once = node, jobs_at_once
        self._lists = ThreadPoolExecutor(jobs_at_once, thread_name_prefix="job")
        self._small = ThreadPoolExecutor(jobs_at_once, thread_name_prefix="small-job")
        self._stopping = threading.Event()
        self._taken: set[str] = set()
        self._lock = threading.Lock()

    def resume(self) -> int:
        """Take up every open job; return how many."""
        with self._node.store.transaction("open jobs") as tx:
            found = job_rows.open_jobs(tx)
        for job in found:
            self.start(job)
        return len(found)

    def start(self, job: str, submitted: JobRequest | None = None) -> None:
        """Run a job soon; one that is waiting or running already is left alone.

        `submitted` spares reading the job's request back. Of a job that has to wait it is not kept.
        """
        subjects = self._count(job) if submitted is None else count_people(submitted)
        with self._lock:
            if job in self._taken:
                return
            at_once = len(self._taken) < self._at_once
            self._taken.add(job)
        pool = self._small if subjects <= SMALL_JOB else self._lists
        pool.submit(self._run, job, submitted if at_once else None)

    def _count(self, job: str) -> int:
        with self._node.store.transaction("find job") as tx:
            row = job_rows.find_job(tx, job)
        return 0 if row is None else row.subjects

    def _run(self, job: str, submitted: JobRequest | None) -> None:
        try:
            run_job(self._node, job, self._stopping, submitted)
        finally:
            with self._lock:
                self._taken.discard(job)

    def stop(self) -> None:
        """Let running steps end; unfinished jobs stay open and are taken up at the next start."""
        self._stopping.set()
        for pool in (self._lists, self._small):
            pool.shutdown(wait=True, cancel_futures=True)
