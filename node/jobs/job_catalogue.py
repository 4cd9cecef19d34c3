"""A job is answered under one catalogue of this node, from its submission to its report.

Places of bands and codes mean what the catalogue says under which they were asked. A node that is restarted
with another definition of one of a job's items ends the parts that are still open, so that one report never
mixes two definitions.
"""

from collections.abc import Sequence

from blake3 import blake3

from node.context import Node
from node.database import Connection
from node.database.job_catalogues import JobCatalogue, put_catalogue, read_catalogue
from node.errors import PreconditionError


def note_catalogue(node: Node, tx: Connection, job: str, items: Sequence[str]) -> None:
    """Keep the catalogue of this node with a new job."""
    put_catalogue(tx, job, _current(node, items))


def require_same_catalogue(node: Node, job: str, items: Sequence[str]) -> None:
    """Raises PreconditionError (`catalogue_changed`) where an item is not defined as at submission."""
    with node.store.transaction("read catalogue of a job") as tx:
        found = read_catalogue(tx, job)
    if found is not None and found.definitions != _current(node, items).definitions:
        raise PreconditionError(
            "this node's catalogue has changed since the job was submitted",
            "submit the job again: its items mean something else now",
            {"rule": "catalogue_changed"},
        )


def catalogue_of(node: Node, tx: Connection, job: str) -> tuple[str, str]:
    """Version and digest (hexadecimal) of the catalogue that a job's answers follow."""
    found = read_catalogue(tx, job) or _current(node, ())
    return found.version, found.digest.hex()


def _current(node: Node, items: Sequence[str]) -> JobCatalogue:
    own, digest = node.catalogue.definitions, blake3()
    for code in sorted(items):
        digest.update(code.encode() + b"\0" + own.get(code, bytes(32)))
    return JobCatalogue(node.catalogue.version, node.catalogue.digest, digest.digest())
