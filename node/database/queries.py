"""What peers asked: manifests issued to them, their queries, the granules of these (design.md section 7)."""

import json
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, exists, func, insert, select, update

from matcher.merkle import DIGEST_SIZE
from node.database.query_tables import granules, manifests, queries

OPEN, DONE = "open", "done"
# Built once: it takes longer to build a statement than to run it, and a query of one person runs all of them.
_MINE = (queries.c.peer == bindparam("of_peer"), queries.c.query_id == bindparam("of_query"))
_ISSUED_AT = select(manifests.c.issued_at).where(
    manifests.c.peer == bindparam("of_peer"), manifests.c.digest == bindparam("digest")
)
_FIND = select(queries).where(*_MINE)
_ADD_QUERY, _ADD_GRANULES = insert(queries), insert(granules)
_COUNT = (
    update(queries)
    .where(*_MINE, queries.c.granules == bindparam("first"))
    .values(granules=bindparam("known"))
)
_GRANULES = (
    select(granules.c.digests)
    .where(granules.c.peer == bindparam("of_peer"), granules.c.query_id == bindparam("of_query"))
    .order_by(granules.c.first)
)


@dataclass(frozen=True, slots=True)
class QueryFields:
    """What a query is: the same in each of its streams. `points` are those announced.

    `tokens_until` is the last day on which its requester says to keep tokens, 0 where it keeps none.
    """

    token_class: str
    epoch: int
    items: tuple[str, ...]
    purpose: str
    legal_basis: str
    manifest_digest: bytes
    mandate_root: bytes
    points: int
    tokens_until: int = 0


@dataclass(frozen=True, slots=True)
class QueryRow:
    """A query of a peer; `granules` is how many are known, `charged` the points it was charged for."""

    fields: QueryFields
    charged: int
    granules: int
    points_root: bytes | None
    state: str
    opened_at: datetime
    done_at: datetime | None


def add_manifest(tx: Connection, peer: str, digest: bytes, content: bytes, issued_at: datetime) -> None:
    """Note a manifest that is issued to a peer. Raises ConflictError where it is known."""
    tx.execute(insert(manifests).values(peer=peer, digest=digest, content=content, issued_at=issued_at))


def last_issued(tx: Connection, peer: str, content: bytes) -> datetime | None:
    """When a peer was last issued a manifest that says this."""
    mine = (manifests.c.peer == peer, manifests.c.content == content)
    found: datetime | None = tx.scalar(select(func.max(manifests.c.issued_at)).where(*mine))
    return found


def issued_at(tx: Connection, peer: str, digest: bytes) -> datetime | None:
    """When a manifest was issued to a peer; None for one that never was, or long ago."""
    found: datetime | None = tx.scalar(_ISSUED_AT, {"of_peer": peer, "digest": digest})
    return found


def find_query(tx: Connection, peer: str, query_id: bytes) -> QueryRow | None:
    """A query by its id."""
    row = tx.execute(_FIND, {"of_peer": peer, "of_query": query_id}).one_or_none()
    if row is None:
        return None
    fields = QueryFields(
        row.token_class,
        row.epoch,
        tuple(json.loads(row.items)),
        row.purpose,
        row.legal_basis,
        bytes(row.manifest_digest),
        bytes(row.mandate_root),
        row.points,
        row.tokens_until,
    )
    root = None if row.points_root is None else bytes(row.points_root)
    return QueryRow(fields, row.charged, row.granules, root, row.state, row.opened_at, row.done_at)


def add_query(tx: Connection, peer: str, query_id: bytes, new: QueryRow, digests: bytes) -> None:
    """Open a query with its first granules. Raises ConflictError where the id is known."""
    fields = new.fields
    values = {
        "peer": peer,
        "query_id": query_id,
        "token_class": fields.token_class,
        "epoch": fields.epoch,
        "items": json.dumps(fields.items),
        "purpose": fields.purpose,
        "legal_basis": fields.legal_basis,
        "manifest_digest": fields.manifest_digest,
        "mandate_root": fields.mandate_root,
        "points": fields.points,
        "tokens_until": fields.tokens_until,
        "charged": new.charged,
        "granules": new.granules,
        "points_root": new.points_root,
        "state": new.state,
        "opened_at": new.opened_at,
        "done_at": new.done_at,
    }
    tx.execute(_ADD_QUERY, values)
    tx.execute(_ADD_GRANULES, {"peer": peer, "query_id": query_id, "first": 0, "digests": digests})


def add_granules(tx: Connection, peer: str, query_id: bytes, first: int, digests: bytes) -> bool:
    """Add the digests of the granules from number `first` on; False unless exactly those before are known."""
    known = first + len(digests) // DIGEST_SIZE
    mine = {"of_peer": peer, "of_query": query_id}
    if not tx.execute(_COUNT, {**mine, "first": first, "known": known}).rowcount:
        return False
    tx.execute(_ADD_GRANULES, {"peer": peer, "query_id": query_id, "first": first, "digests": digests})
    return True


def read_granules(tx: Connection, peer: str, query_id: bytes) -> bytes:
    """The digests of all known granules of a query, in order."""
    rows = tx.execute(_GRANULES, {"of_peer": peer, "of_query": query_id})
    return b"".join(bytes(row.digests) for row in rows)


def end_query(tx: Connection, peer: str, query_id: bytes, points_root: bytes, now: datetime) -> None:
    """All points of a query came."""
    mine = (queries.c.peer == peer, queries.c.query_id == query_id, queries.c.state == OPEN)
    tx.execute(update(queries).where(*mine).values(state=DONE, points_root=points_root, done_at=now))


def remove_old(tx: Connection, oldest_epoch: int, issued_before: datetime) -> int:
    """Delete the queries of epochs before one, and manifests issued before a time; how many queries."""
    old = queries.c.epoch < oldest_epoch
    of_it = (queries.c.peer == granules.c.peer, queries.c.query_id == granules.c.query_id)
    tx.execute(delete(granules).where(exists().where(old, *of_it)))
    tx.execute(delete(manifests).where(manifests.c.issued_at < issued_before))
    return tx.execute(delete(queries).where(old)).rowcount
