"""Carries out an import request, and knows it again when it is repeated (docs/import.md, "Everything").

An import is known by a digest of its source (of each file the path, size and time of change; or the query)
and of all that decides what is made of it: mode, options, the item in the catalogue, sizes of buckets.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from blake3 import blake3

from node.compute.engine import Workers
from node.context import Node
from node.database import Connection
from node.database import partitions as index_rows
from node.database.imports import ImportRow, find_import, forget_sources
from node.registers.importer import Gate, Imported, import_item, open_gate
from node.registers.requests import ImportRequest
from node.registers.shrinking import Confirm
from node.registers.sources import source_of
from node.telemetry.progress import Progress

QUERY_COUNTS: Final = timedelta(hours=12)  # a killed run is begun again on the same day


def perform(
    node: Node,
    request: ImportRequest,
    rejects_file: Path,
    workers: Workers | int,
    progress: Progress,
    *,
    wait: bool,
    confirm: Confirm | None = None,
    gate: Gate = open_gate,
) -> Imported:
    """Import what is asked for; `wait` for another import or a rotation. Raises what `import_item` does."""
    return import_item(
        node,
        request.item,
        source_of(request),
        mode=request.mode,
        columns=request.columns,
        default_as_of=request.as_of,
        rejects_file=rejects_file,
        allow_empty=request.allow_empty,
        form=request.form,
        unit=request.unit,
        keep_zeros=request.keep_zeros,
        source_digest=source_digest(node, request),
        workers=workers,
        progress=progress,
        wait=wait,
        confirm=confirm,
        codes=request.codes,
        gate=gate,
    )


def source_digest(node: Node, request: ImportRequest) -> bytes:
    """32 bytes that change with the source, the options, the item or the sizes of partitions; keyed, since a
    query may name a person.

    A file counts by its path, size and time of change; a query by its text and the file of its URL: whether
    rows have changed in a database cannot be seen.
    """
    config, item = node.config, node.catalogue.item(request.item)
    named = (*request.files, *([request.url_file] if request.url_file else ()))
    facts = {
        "what": "import source",
        "request": asdict(replace(request, files=(), url_file=None)),
        "files": [_stamp(path) for path in named],
        "item": asdict(item),
        "sizes": [config.limits.k_anonymity, config.limits.planted_per_partition],
    }
    text = json.dumps(facts, sort_keys=True, default=str)
    return blake3(text.encode("utf-8", "surrogateescape"), key=node.keys.digest_key).digest()


def _stamp(path: Path) -> tuple[str, int, int]:
    try:
        found = path.stat()
    except OSError:
        return str(path.absolute()), 0, 0  # opening it raises the error
    return str(path.resolve()), found.st_size, found.st_mtime_ns


@dataclass(frozen=True, slots=True)
class Before:
    """An import that need not be repeated: its row counts, and when it was."""

    tally: dict[str, Any]
    finished_at: datetime


def find_before(node: Node, request: ImportRequest) -> Before | None:
    """The import that has done already what is asked for, None where it must be done.

    It does not count where an epoch that imports write, such as one under the next salt, lacks the item; nor,
    for a query, after QUERY_COUNTS.
    """
    item, now = node.catalogue.item(request.item), node.clock()
    digest = source_digest(node, request)
    epochs = [node.keys.epoch, *(keys.epoch for keys in node.keys.other_salts(now))]

    def read(tx: Connection) -> ImportRow | None:
        if any(item.code not in index_rows.current_items(tx, epoch) for epoch in epochs):
            return None
        return find_import(tx, item.code, request.mode, digest)

    with node.store.transaction("find import") as tx:
        found = read(tx)
    if found is None or (request.query is not None and now - found.finished_at > QUERY_COUNTS):
        return None
    return Before(found.tally, found.finished_at)


def forget_queries(node: Node, requests: Sequence[ImportRequest]) -> None:
    """At the end of a run: the next one asks every query again."""
    asked = [request for request in requests if request.query is not None]
    digests = [source_digest(node, each) for each in asked]
    if digests:
        node.store.retry_write("forget sources", lambda tx: forget_sources(tx, digests))
