"""Under which catalogue of this node a job was submitted: its answers mean what that one says."""

from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, insert, select

from node.database.catalogue_tables import job_catalogues

# Built once: it takes longer to build a statement than to run it.
_ADD = insert(job_catalogues)
_FIND = select(job_catalogues).where(job_catalogues.c.job == bindparam("of_job"))


@dataclass(frozen=True, slots=True)
class JobCatalogue:
    """Version and digest (32 bytes) of the whole, and a digest (32) of the definitions of the job's items."""

    version: str
    digest: bytes
    definitions: bytes


def put_catalogue(tx: Connection, job: str, found: JobCatalogue) -> None:
    """Keep it with a new job."""
    row = {"version": found.version, "digest": found.digest, "definitions": found.definitions}
    tx.execute(_ADD, {"job": job, **row})


def read_catalogue(tx: Connection, job: str) -> JobCatalogue | None:
    """That of a job; None for an unknown one."""
    row = tx.execute(_FIND, {"of_job": job}).one_or_none()
    return None if row is None else JobCatalogue(row.version, bytes(row.digest), bytes(row.definitions))
