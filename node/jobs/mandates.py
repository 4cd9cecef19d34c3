"""Revoked mandates: parts of jobs that begin later ask about nobody under them (design.md section 7)."""

from collections.abc import Collection

from node.context import Node
from node.database import Connection
from node.database import audit_log as audit_rows
from node.database import revoked_mandates as rows
from node.domain.audit_chain import Detail
from node.domain.job_access import NODE
from node.domain.mandate import number_digest


def revoke(node: Node, numbers: Collection[str], owner: str = NODE) -> int:
    """Revoke mandates by their numbers; returns how many were not revoked before.

    The node revokes them for all jobs, a platform for its own, so that none can stop another's. What is
    revoked stays so. The audit event has counts: a mandate's number identifies a person.
    """
    digests = sorted({number_digest(number) for number in numbers})

    def write(tx: Connection) -> int:
        now = node.clock()
        added = rows.add(tx, owner, digests, now)
        details: dict[str, Detail] = {"owner": owner, "mandates": len(digests), "new": added}
        audit_rows.append(tx, "mandates_revoked", details, now)
        return added

    return node.store.retry_write("revoke mandates", write)


def revoked_numbers(node: Node, owner: str, numbers: Collection[str]) -> frozenset[str]:
    """Which of some mandates are revoked for the jobs of an owner."""
    few = list(map(number_digest, numbers)) if len(numbers) <= rows.MOST_READ else None
    with node.store.transaction("read revoked mandates") as tx:
        known = rows.read(tx, {owner, NODE}, few)
    return frozenset(number for number in numbers if number_digest(number) in known) if known else frozenset()
