"""Watch lists: add, remove, look now, look on schedule (design.md section 3.4; domain.md section 2)."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from blake3 import blake3

from node.context import Node
from node.database import Connection
from node.database import alerts as alert_rows
from node.database import audit_log as audit_rows
from node.database import jobs as job_rows
from node.database import watches as rows
from node.domain.days import FIRST_DAY
from node.domain.job_access import NODE, NODE_ACCESS, JobAccess
from node.domain.jobs import WATCH
from node.domain.mandate import CODE, LEGAL_BASIS, MONITORING
from node.domain.new_ids import new_id
from node.domain.sealed_names import of_request, of_watch
from node.domain.subjects import Subjects
from node.domain.verification import Verification, pack_verification
from node.domain.watches import LookRequest, LookRow, Watch, WatchRow, keep_people, unpack_look
from node.errors import InvalidRequestError, JobConflictError, NodeError, NotFoundError, RefusedError
from node.jobs import engine
from node.jobs.match_job import MATCH
from node.jobs.mirrors import mirror_of
from node.jobs.watch_store import open_alert, seal_answers, unseal_answers, unseal_request
from node.jobs.watch_tokens import renumber
from node.telemetry import log

RETRY: Final = timedelta(hours=6)  # after a look that did not end well, where nothing has changed


def add(node: Node, watch: str, request: Verification, owner: str = NODE) -> bool:
    """Store a watch list of an owner; False when it was added before with the same content.

    Raises as `submission`.
    """
    return node.store.retry_write("add watch list", submission(node, watch, request, owner))


def submission(node: Node, watch: str, request: Verification, owner: str) -> Callable[[Connection], bool]:
    """Check a new list; what is returned stores it in a transaction, as `add` does.

    Raises as `check`, and within the transaction JobConflictError for a known id with other content.
    """
    request = replace(request, purpose=MONITORING)
    check(node, watch, request)
    plain = pack_verification(request)
    row = WatchRow(
        id=watch,
        owner=owner,
        items=request.items,
        peers=request.peers,
        legal_basis=request.legal_basis,
        people=len(Subjects.of(request.subjects)),
        revision=1,
        request_digest=blake3(plain, key=node.keys.digest_key).digest(),
        added_at=node.clock(),
    )
    sealed = node.keys.vault.seal(of_watch(watch, "request"), plain)
    details: dict[str, str | int | list[str]] = {
        "watch": watch,
        "owner": owner,
        "people": row.people,
        "items": list(row.items),
        "peers": list(row.peers),
        "legal_basis": row.legal_basis,
    }

    def write(tx: Connection) -> bool:
        known = rows.find_watch(tx, watch)
        if known is None:
            rows.add_watch(tx, row, sealed)
            audit_rows.append(tx, "watch_added", details, row.added_at)
        elif (known.request_digest, known.owner) != (row.request_digest, owner):
            raise _taken()
        return known is None

    return write


def require_new(node: Node, watch: str) -> None:
    """Raises JobConflictError where there is a list of that id."""
    with node.store.transaction("find watch list") as tx:
        if rows.find_watch(tx, watch) is not None:
            raise _taken()


def _taken() -> JobConflictError:
    return JobConflictError("this watch list was added before with other content", "choose another id")


def check(node: Node, watch: str, request: Verification) -> None:
    """Check a list that is added, now or later.

    Raises InvalidRequestError, ItemNotOfferedError, NotFoundError (unknown peer).
    """
    people = len(Subjects.of(request.subjects))
    if not CODE.fullmatch(watch):
        raise InvalidRequestError(
            "a list's id is 1 to 64 of letters, digits, dot, underscore and hyphen, not 15 digits in a row"
        )
    if not request.items or not request.peers or not people:
        raise InvalidRequestError("a watch list needs at least one item, one peer and one person")
    for names in (request.items, request.peers):
        if len(set(names)) != len(names):
            raise InvalidRequestError("an item or a peer is given twice")
    if people > node.config.limits.max_subjects_per_job:
        raise InvalidRequestError("more people than one list may hold", "split the list")
    if not LEGAL_BASIS.fullmatch(request.legal_basis):
        raise InvalidRequestError("the legal basis is not a code")
    MATCH.check(node, request)
    engine.require_peers(node, request.peers)


def require_watch(
    node: Node, watch: str, access: JobAccess = NODE_ACCESS, *, change: bool = False
) -> WatchRow:
    """A list by its id. Raises NotFoundError, also for one that the caller may not see, RefusedError for one
    that it may see and not `change`.
    """
    row = None
    if CODE.fullmatch(watch):
        with node.store.transaction("find watch list") as tx:
            row = rows.find_watch(tx, watch)
    if row is None or not access.may_see(row.owner):
        raise NotFoundError("there is no such watch list", "see `heqiao watch list`")
    if change and not access.may_change(row.owner):
        raise RefusedError(
            "this watch list belongs to another platform",
            "that platform can change it",
            {"rule": "job_owner"},
        )
    return row


def list_watches(node: Node, access: JobAccess = NODE_ACCESS, watch: str | None = None) -> list[Watch]:
    """The lists that a caller may see, oldest first, or one of them."""
    with node.store.transaction("list watch lists") as tx:
        known = [
            one for one in rows.list_watches(tx) if access.may_see(one.owner) and watch in (None, one.id)
        ]
        looks, tokens, opened = rows.list_looks(tx), rows.list_tokens(tx), alert_rows.count_open(tx)
    return [
        Watch(
            row=one,
            looks=tuple(
                next(
                    (each for each in looks if (each.watch, each.peer) == (one.id, peer)),
                    LookRow(one.id, peer),
                )
                for peer in one.peers
            ),
            tokens=tuple(
                (each.peer, each.token_class, each.epoch, FIRST_DAY + timedelta(days=each.until), each.people)
                for each in tokens
                if each.watch == one.id
            ),
            open_alerts=opened.get((one.owner, one.id), 0),
        )
        for one in known
    ]


def remove(node: Node, watch: str, refs: Collection[str] = (), access: JobAccess = NODE_ACCESS) -> int:
    """Remove some people of a list, or the whole list; how many people.

    Their tokens, answers and alerts are erased in the same transaction. A list without people is removed.
    Raises NotFoundError (also for a person who is not on it), RefusedError.
    """
    require_watch(node, watch, access, change=True)
    removed = node.store.retry_write("remove from watch list", partial(_remove, node, watch, frozenset(refs)))
    node.store.clear_log()
    return removed


def _remove(node: Node, watch: str, refs: frozenset[str], tx: Connection) -> int:
    row, sealed = rows.lock_watch(tx, watch), rows.read_request(tx, watch)
    if row is None or sealed is None:
        raise NotFoundError("there is no such watch list", "see `heqiao watch list`")
    request = unseal_request(node, watch, sealed)
    known = Subjects.of(request.subjects).refs
    if not refs <= set(known):
        raise NotFoundError(
            "a person is not on the list", "give the references of the list, household/member"
        )
    left = [place for place, ref in enumerate(known) if ref not in refs] if refs else []
    removed = len(known) - len(left)
    if left:
        _keep(node, tx, row, request, left)
        gone = [
            one.id
            for one in alert_rows.list_alerts(tx, None, watch=watch)
            if open_alert(node, one).ref in refs
        ]
        alert_rows.remove_alerts(tx, gone)
    else:
        rows.remove_watch(tx, watch)
    details: dict[str, str | int] = {"watch": watch, "people": removed, "left": len(left)}
    audit_rows.append(tx, "watch_removed", details, node.clock())
    return removed


def _keep(node: Node, tx: Connection, row: WatchRow, request: Verification, left: Sequence[int]) -> None:
    """Write a list, its tokens and its answers anew without those who leave."""
    plain = pack_verification(keep_people(request, left))
    rows.replace_people(tx, row, len(left), node.keys.vault.seal(of_watch(row.id, "request"), plain))
    places = [-1] * row.people
    for new, old in enumerate(left):
        places[old] = new
    held = rows.list_tokens(tx, row.id)
    for old_row, new_row in zip(held, renumber(node, held, places), strict=True):
        if new_row is None:
            rows.erase_tokens(tx, old_row.watch, old_row.peer, old_row.token_class)
        else:
            rows.put_tokens(tx, new_row)
    for peer in rows.answered_peers(tx, row.id):
        fewer = {}
        for item, content in rows.read_answers(tx, row.id, peer).items():
            said = unseal_answers(node, row.id, peer, item, content)
            fewer[item] = seal_answers(node, row.id, peer, item, [said[place] for place in left])
        rows.put_answers(tx, row.id, peer, fewer)


def run(
    node: Node, watch: str, peers: Sequence[str] = (), access: JobAccess = NODE_ACCESS, job: str | None = None
) -> str:
    """Submit a look at some peers of a list, or at all; its job.

    Raises NotFoundError, RefusedError, InvalidRequestError for a peer that the list does not name.
    """
    row = require_watch(node, watch, access, change=True)
    if not set(peers) <= set(row.peers):
        raise InvalidRequestError("the watch list does not name this peer", "see `heqiao watch show`")
    job = job or new_id("look")
    request = LookRequest(row.id, row.people, row.items, tuple(peers) or row.peers, row.legal_basis)
    engine.submit(node, job, request, row.owner)
    return job


def submit_due(node: Node, watch: str | None = None) -> list[str]:
    """Submit the looks of all lists, or of one, that are due now and have no open job; their jobs.

    A list that cannot be submitted is logged.
    """
    with node.store.transaction("list watch lists") as tx:
        known = [one for one in rows.list_watches(tx) if watch in (None, one.id)]
        looks = {(one.watch, one.peer): one for one in rows.list_looks(tx)}
        running = job_rows.open_requests(tx, WATCH)
    opened = [unpack_look(node.keys.vault.unseal(of_request(job), sealed)) for job, sealed in running.items()]
    busy = {(one.watch, peer) for one in opened for peer in one.peers}
    now, submitted = node.clock(), []
    for row in known:
        free = [peer for peer in row.peers if (row.id, peer) not in busy]
        due = {peer: why for peer in free if (why := _why_due(node, row, peer, looks, now))}
        if not due:
            continue
        # The same reasons are the same job, whichever process finds them first.
        text = repr((row.id, row.revision, sorted(due.items())))
        job = f"look-{blake3(text.encode()).hexdigest(12)}"
        try:
            run(node, row.id, tuple(due), job=job)
        except NodeError as error:
            log.get_logger().warning("look_not_submitted", job=job, code=error.code)
        else:
            submitted.append(job)
    return submitted


def _why_due(
    node: Node, row: WatchRow, peer: str, looks: dict[tuple[str, str], LookRow], now: datetime
) -> str:
    """Why a look at a peer is due, empty where it is not: the same text for the same reason."""
    last = looks.get((row.id, peer), LookRow(row.id, peer))
    slot = int(now.timestamp() // RETRY.total_seconds())
    if last.reason or not last.look:
        return f"again {slot}" if last.tried_at is None or last.tried_at < now - RETRY else ""
    folder = mirror_of(node, peer)
    kept = next(iter(folder.manifests()), None)
    wanted = [] if kept is None else [one for one in kept.content.partitions if one.item in row.items]
    if kept is None or not wanted or not all(map(folder.is_whole, wanted)):
        every = timedelta(days=node.config.watch.query_days)
        return f"query {last.look}" if last.looked_at is None or last.looked_at < now - every else ""
    versions = {f"{one.item}/{one.origin}": one.version for one in wanted}
    seen = last.versions or {}
    is_new = kept.content.epoch != last.epoch or any(
        version > seen.get(place, 0) for place, version in versions.items()
    )
    return f"version {kept.content.epoch} {sorted(versions.items())}" if is_new else ""
