"""Under which catalogue of this node a job was submitted: its answers mean what that one says."""

from dataclasses import dataclass

from sqlalchemy import Connection, insert, select

from node.database.catalogue_tables import job_catalogues


@dataclass(frozen=True, slots=True)
class JobCatalogue:
    """Version and digest (32 bytes) of the whole, and a digest (32) of the definitions of the job's items."""

    version: str
    digest: bytes
    definitions: bytes


def put_catalogue(tx: Connection, job: str, found: JobCatalogue) -> None:
    """Keep it with a new job."""
    row = {"version": found.version, "digest": found.digest, "definitions": found.definitions}
    tx.execute(insert(job_catalogues).values(job=job, **row))


def read_catalogue(tx: Connection, job: str) -> JobCatalogue | None:
    """That of a job; None for an unknown one."""
    row = tx.execute(select(job_catalogues).where(job_catalogues.c.job == job)).one_or_none()
    return None if row is None else JobCatalogue(row.version, bytes(row.digest), bytes(row.definitions))
