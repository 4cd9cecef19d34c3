"""The service of what is on record: queries of peers, audit events, imports. No record names a subject."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from itertools import islice

from heqiao.admin.v1 import records_pb2 as pb
from heqiao.admin.v1 import records_pb2_grpc

from node.context import Node
from node.database import Connection, audit_log, audit_pages, incoming
from node.database import imports as import_rows
from node.database import partitions as index_rows
from node.database.audit_pages import EventChoice
from node.database.imports import ListedImport
from node.database.incoming import IncomingQuery
from node.domain.audit_chain import AuditEvent, Detail
from node.domain.days import china_day
from node.governance.audit import find_broken
from node.registers.source_states import SourceListing, list_sources, next_run
from node.registers.source_store import FOLDER, SourceFolder
from node.transport.interceptors import Call
from node.wire.admin import read_days, read_page, read_peer_or_all, read_word
from node.wire.common import day_of, timestamp

MOST_EXPORTED = 100_000
_AT_ONCE = 500
_WARNINGS = ("name_conflicts", "contradictions", "unknown_area", "rounded")


class RecordServicer(records_pb2_grpc.RecordServiceServicer):  # type: ignore[misc]  # generated code
    """heqiao.admin.v1.RecordService."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def ListIncomingQueries(  # noqa: N802
        self, request: pb.ListIncomingQueriesRequest, _call: Call
    ) -> pb.ListIncomingQueriesResponse:
        """A page of them."""
        limit, offset = read_page(request)
        with self._node.store.transaction("list queries of peers") as tx:
            found, total = incoming.list_incoming(tx, read_peer_or_all(request.peer), limit, offset)
        return pb.ListIncomingQueriesResponse(queries=map(_query, found), total=total)

    def ListEvents(self, request: pb.ListEventsRequest, _call: Call) -> pb.ListEventsResponse:  # noqa: N802
        """A page of them."""
        limit, offset = read_page(request)
        with self._node.store.transaction("list events") as tx:
            found, total = audit_pages.page(tx, _choice(request.filter), limit, offset)
        return pb.ListEventsResponse(events=map(_event, found), total=total)

    def ExportEvents(  # noqa: N802
        self, request: pb.ExportEventsRequest, _call: Call
    ) -> Iterator[pb.ExportEventsResponse]:
        """In order."""
        node, choice = self._node, _choice(request.filter)
        with node.store.transaction("export events") as tx:
            found = list(audit_pages.in_order(tx, choice, MOST_EXPORTED))
        details: dict[str, Detail] = {
            "events": len(found),
            "event_name": choice.event,
            "of_user": choice.user,
        }

        def note(tx: Connection) -> None:
            audit_log.append(tx, "audit_exported", details, node.clock())

        node.store.retry_write("note an export", note)
        rest = iter(found)
        while some := list(islice(rest, _AT_ONCE)):
            yield pb.ExportEventsResponse(events=map(_event, some))

    def VerifyChain(self, _request: pb.VerifyChainRequest, _call: Call) -> pb.VerifyChainResponse:  # noqa: N802
        """As `heqiao audit verify`."""
        count, broken, head = find_broken(self._node.config, self._node.store)
        return pb.VerifyChainResponse(events=count, broken_at=broken, head=head)

    def ListSources(self, _request: pb.ListSourcesRequest, _call: Call) -> pb.ListSourcesResponse:  # noqa: N802
        """As `heqiao sources list`."""
        folder = SourceFolder(self._node.config.folder)
        found = list_sources(folder)
        return pb.ListSourcesResponse(sources=map(partial(_source, folder, now=self._node.clock()), found))

    def ListImports(self, request: pb.ListImportsRequest, _call: Call) -> pb.ListImportsResponse:  # noqa: N802
        """A page of them, and what is served now."""
        limit, offset = read_page(request)
        with self._node.store.transaction("list imports") as tx:
            found, total = import_rows.list_imports(tx, limit, offset)
            served = index_rows.totals(tx, self._node.keys.epoch)
        items = [self._item(item, entries, oldest) for item, _, entries, oldest in served]
        return pb.ListImportsResponse(imports=map(import_message, found), total=total, items=items)

    def _item(self, item: str, entries: int, oldest: int) -> pb.ItemState:
        as_of = day_of(oldest)
        fresh = timedelta(days=self._node.catalogue.item(item).freshness_days)
        is_fresh = china_day(self._node.clock()) - as_of <= fresh
        return pb.ItemState(item=item, entries=entries, as_of=as_of.isoformat(), fresh=is_fresh)


def _choice(given: pb.EventFilter) -> EventChoice:
    since, until = read_days(given.from_day, given.to_day)
    return EventChoice(
        read_word(given.event), read_word(given.user), read_peer_or_all(given.peer), since, until
    )


def _query(one: IncomingQuery) -> pb.IncomingQuery:
    message = pb.IncomingQuery(
        peer=one.peer,
        kind=one.kind,
        at=timestamp(one.at),
        items=one.items,
        purpose=one.purpose,
        legal_basis=one.legal_basis,
        size_class=1 << max(one.points - 1, 0).bit_length(),
        mandate_root=one.mandate_root,
        state=one.state,
        rule=one.rule,
        epoch=one.epoch,
    )
    if one.ended_at is not None:
        message.ended_at.CopyFrom(timestamp(one.ended_at))
    return message


def _event(one: AuditEvent) -> pb.Event:
    return pb.Event(
        seq=one.seq, at=timestamp(one.at), event=one.event, details=one.details, digest=one.digest
    )


def _source(folder: SourceFolder, listing: SourceListing, now: datetime) -> pb.Source:
    stored, last, lines = listing.stored, listing.last, folder.lines(listing.stored.item)
    message = pb.Source(
        item=stored.item,
        kind=listing.kind,
        file=f"{FOLDER}/{stored.item}.toml",
        at_line=lines.get("at", 0),
        every_line=lines.get("every", 0),
    )
    if stored.file is None:
        message.fault = getattr(stored.error, "code", "bad_config")
        return message
    message.title = stored.file.source.title
    timed, coming = stored.file.schedule, next_run(stored.file, now)
    if timed is not None and coming is not None:
        message.at, message.every = timed.at, timed.every
        message.next_at.CopyFrom(timestamp(coming))
    if last is not None:
        message.last_state, message.last_code, message.last_rows = last.state, last.code, last.rows
        message.last_account = last.account
        message.last_at.CopyFrom(timestamp(datetime.fromisoformat(last.at)))
    return message


def import_message(one: ListedImport) -> pb.Import:
    """An import with its counts."""
    tally = one.tally
    return pb.Import(
        number=one.number,
        item=one.item,
        mode=one.mode,
        finished_at=timestamp(one.finished_at),
        read=tally["read"],
        accepted=tally["accepted"],
        duplicates=tally["duplicates"],
        rejected=tally["rejected"],
        reasons=dict(tally.get("reasons", {})),
        held=one.held,
        warnings=sum(int(tally.get(name, 0)) for name in _WARNINGS),
    )
