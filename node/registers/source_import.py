"""Checks and imports a source of the home: its quality first, whole or by its changes (docs/sources.md).

By its changes, the rows are those of all people with a row whose watermark has grown, as an upsert. It is a
full import again after `full_days`, when the source's file or the item has changed, and when another import
of the item came in between: a watermark counts only on top of the import that it was noted with.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import BinaryIO, Final

from blake3 import blake3

from keys.errors import KeyringError
from node.acting import acting_person
from node.compute.engine import Workers
from node.context import Node
from node.database.imports import newest_import
from node.domain.catalogue import Catalogue, Item
from node.domain.days import china_day
from node.errors import InputError, NodeError
from node.files import disk_errors
from node.registers.check import check_request, find_problem
from node.registers.import_folder import TakenFiles
from node.registers.importer import Imported
from node.registers.imports import perform
from node.registers.kept_quality import keep
from node.registers.quality import SAMPLE_ROWS, Finding, Quality, QualityCounter, judge
from node.registers.requests import ImportRequest
from node.registers.source_file import SourceFile, make_request
from node.registers.source_store import Attempt, SourceFolder, SourceState
from node.registers.sources import Query, source_of
from node.tabular.changes import Changes, move_back
from node.tabular.sql import newest_watermark
from node.telemetry.progress import Progress

_FLOOR: Final = (
    "nothing was imported; `heqiao sources check` shows the report; correct the source, or [floor]"
)
_RULE: Final = {"rule": "floor"}


@dataclass(frozen=True, slots=True)
class Examined:
    """The quality of a source, the rules of its floor that it does not keep, why it cannot be read at all."""

    item: Item
    quality: Quality
    findings: Sequence[Finding]
    problem: InputError | None

    @property
    def error(self) -> InputError | None:
        """Why it is not imported, None where it is."""
        if self.problem or not self.findings:
            return self.problem
        said = "; ".join(map(str, self.findings))
        return InputError(f"{self.item.code}: the source is below its floor: {said}", _FLOOR, _RULE)


@dataclass(frozen=True, slots=True)
class SourceRun:
    """What a run did; `imported` is None where nothing had changed. `number` is that of the import."""

    imported: Imported | None
    examined: Examined | None
    watermark: str
    number: int = 0


def examine(
    found: SourceFile, request: ImportRequest, catalogue: Catalogue, today: date, progress: Progress
) -> Examined:
    """Read a source as an import would, and judge it. Raises InputError where it does not fit the item."""
    item = catalogue.item(found.item)
    counter = QualityCounter(item, today)
    checks = check_request(request, item, today, progress, counter.look)
    quality = counter.result(checks)
    findings = judge(quality, found.floor, changes=request.changes is not None)
    return Examined(item, quality, findings, find_problem(checks, request))


def import_source(
    node: Node,
    sources: SourceFolder,
    item: str,
    rejects_file: Path,
    workers: Workers | int,
    progress: Progress,
    *,
    full: bool,
    wait: bool,
    taken: TakenFiles | None = None,
) -> SourceRun:
    """Check a source and import it; with `full` all of it, with `taken` these files instead of those that it
    names. How it ended is noted, also where this raises.

    Raises InputError where it is below its floor, PreconditionError where files that were taken change, and
    as `SourceFolder.read` and `import_item` do.
    """
    account = acting_person().get("user", "")
    try:
        done = _import(
            node, sources, item, rejects_file, workers, progress, full=full, wait=wait, taken=taken
        )
    except (NodeError, KeyringError) as error:
        sources.note(item, Attempt(node.clock().isoformat(), "failed", error.code, account=account))
        raise
    state, rows = ("imported", done.imported.tally.read) if done.imported else ("unchanged", 0)
    rejects = _rejects_digest(sources.rejects_path(item), done.imported)
    sources.note(item, Attempt(node.clock().isoformat(), state, "", rows, account, done.number, rejects))
    return done


def _rejects_digest(path: Path, done: Imported | None) -> str:
    """The digest of the list of rejects beside the sources, empty where it is not of this import."""
    if done is None or done.rejects_file != path:
        return ""
    with disk_errors("the import is published"), path.open("rb") as file:
        return file_digest(file)


def file_digest(file: BinaryIO) -> str:
    """Of a list of rejects, from where it is open."""
    whole = blake3()
    while chunk := file.read(1 << 20):
        whole.update(chunk)
    return whole.hexdigest()


def _import(
    node: Node,
    sources: SourceFolder,
    code: str,
    rejects_file: Path,
    workers: Workers | int,
    progress: Progress,
    *,
    full: bool,
    wait: bool,
    taken: TakenFiles | None,
) -> SourceRun:
    found, began = sources.read(code), node.clock()
    files = None if taken is None else taken.paths
    whole = make_request(found, node.catalogue, node.config.folder, china_day(began), files)
    item = node.catalogue.item(code)
    digest = blake3((sources.digest(code) + json.dumps(asdict(item), default=str)).encode()).hexdigest()
    top, state = _newest_watermark(found, whole), sources.state(code)
    since = "" if full or not top else _usable_watermark(node, found, state, digest, began)
    if since and since == top:
        return SourceRun(None, None, top)
    request = _by_changes(found, whole, since) if since else whole
    # No changed row is no fault: the one with the greatest watermark was deleted.
    looked = replace(request, allow_empty=True) if since else request
    examined = examine(found, looked, node.catalogue, china_day(began), progress)
    keep(node.store, examined, "import", node.clock(), changes_only=bool(since))
    if examined.error is not None:
        raise examined.error
    if since and not examined.quality.rows:
        return SourceRun(None, None, since)
    gate = Gate(found, request, taken)
    done = perform(node, request, rejects_file, workers, progress, wait=wait, gate=gate)
    with node.store.transaction("find import") as tx:
        number, at = newest_import(tx, code) or (0, began)
    full_at = state.full_at if since else began.isoformat()
    sources.note(code, SourceState(top, full_at, number, at.isoformat(), digest))
    return SourceRun(done, examined, top, number)


@dataclass(frozen=True, slots=True)
class Gate:
    """The source may have changed since it was checked: what is imported is judged again by its counts, and
    files that were `taken` by their content.
    """

    found: SourceFile
    request: ImportRequest
    taken: TakenFiles | None = None

    def __call__(self, read: int, usable: int) -> None:
        """Raise InputError where the counts are below the floor."""
        floor, changes = self.found.floor, self.request.changes is not None
        if changes and read < SAMPLE_ROWS:
            return  # only of a database
        few = not changes and read < floor.least_rows
        if few or read - usable > floor.rejected_share * read:
            raise InputError(
                f"{self.found.item}: the source changed while it was read, and is below its floor",
                _FLOOR,
                _RULE,
            )
        if self.taken is not None:
            self.taken.require_unchanged()


def _newest_watermark(found: SourceFile, request: ImportRequest) -> str:
    source = source_of(request)
    if found.database is None or not found.database.watermark or not isinstance(source, Query):
        return ""
    return newest_watermark(source.url(), source.query, found.columns["id_no"], found.database.watermark)


def _usable_watermark(node: Node, found: SourceFile, state: SourceState, digest: str, now: datetime) -> str:
    """Where an import by changes begins, "" where a full one is due."""
    if found.database is None or not state.watermark or state.source_file != digest:
        return ""
    with node.store.transaction("find import") as tx:
        newest = newest_import(tx, found.item)
    if newest is None or (newest[0], newest[1].isoformat()) != (state.import_number, state.imported_at):
        return ""
    due = datetime.fromisoformat(state.full_at) + timedelta(days=found.database.full_days)
    return state.watermark if now < due else ""


def _by_changes(found: SourceFile, whole: ImportRequest, since: str) -> ImportRequest:
    where = found.database
    if where is None:
        return whole
    begin = move_back(since, where.overlap_minutes)
    return replace(whole, mode="upsert", changes=Changes(found.columns["id_no"], where.watermark, begin))
