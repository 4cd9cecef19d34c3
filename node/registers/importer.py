"""Import: source rows of one item to published partitions (design.md sections 2, 3 and 9).

    read -> combine -> map to curve -> evaluate -> tag, seal -> cut into buckets -> publish

Raw rows pass through memory, and through sealed temporary files under a key that is never written. The
work is spread over the cores (node/compute/engine.py, node/registers/tasks.py). All
partitions of the item become current in one transaction: readers see the old version or the new one, and an
import that is killed leaves the old one served. node/registers/delta.py replaces or removes single subjects.
"""

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from itertools import chain
from pathlib import Path

from matcher import identity, pads
from matcher.suites.suite import CURRENT
from matcher.types import TokenClass
from node.compute.engine import Engine, Workers, choose_workers, open_engine
from node.compute.scratch import KEY_SIZE
from node.compute.types import Usage
from node.context import Node
from node.credentials.keyring import KeyRing
from node.credentials.sum_keys import SumKeys
from node.database import partition_versions, sum_tables
from node.database.imported_items import read_contents
from node.domain.catalogue import Item
from node.domain.days import china_day
from node.domain.records import Tally
from node.errors import InputError, PreconditionError
from node.files import write_atomically
from node.index.layout import PART_ROWS, BuildSpec, part_bits
from node.index.offering import gathers
from node.index.people import ReadOptions
from node.index.planted import planted_value
from node.index.sum_table_writer import SumChange, SumTableWriter
from node.index.tasks import Plants
from node.index.token_store import TokenStore
from node.index.update_lock import Workspace, open_workspace
from node.registers import delta, shrinking, sources
from node.registers.code_lists import CodeLists
from node.registers.publish import PreparedVersion, publish
from node.registers.reading import IndexedRows, RegisterReader, Tokens
from node.registers.replace import FullImport
from node.registers.requests import Mode
from node.registers.shrinking import Confirm
from node.registers.sources import Files, Source
from node.tabular.csv_writer import csv_lines
from node.tabular.delimited import TO_FIND
from node.tabular.text_form import TextForm
from node.tabular.units import check_unit
from node.telemetry.progress import Progress, Stopwatch

SHRUNK = 0.5  # of the rows before: registers change by a few per cent from one export to the next
_ROW_BYTES = 20  # of the narrowest row there is: an identity number and a line end


Gate = Callable[[int, int], None]
NO_CODES: CodeLists = {}


def open_gate(_read: int, _usable: int) -> None:
    """Refuses nothing."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did. `origins` are the partitions that hold people, by their entries.

    `accepted_before` are the rows that the full import before this one accepted, None for the first.
    `changes` counts entries by what an upsert or delete did to them. `seconds` is wall time by stage.
    `rolled_back`: an earlier import had not ended, and what it left was removed. `salts` are the salt
    versions that it was written under, that of the active epoch first. `waits`: peers get it at the time of
    day in `[index] publish_at`.
    """

    item: str
    tally: Tally
    origins: dict[str, int]
    rejects_file: Path | None
    accepted_before: int | None = None
    mode: Mode = "full"
    changes: Mapping[str, int] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)
    usage: Usage = field(default=Usage(0, 0))
    workers: int = 0
    rolled_back: bool = False
    salts: tuple[int, ...] = ()
    waits: bool = False

    @property
    def shrunk(self) -> bool:
        """Whether so many rows are missing that this may be a part of the register only."""
        if self.accepted_before is None or self.mode != "full":
            return False
        return self.tally.accepted < self.accepted_before * SHRUNK

    @property
    def rate(self) -> float:
        """Rows a second."""
        return self.tally.read / max(sum(self.seconds.values()), 1e-9)


def import_item(
    node: Node,
    code: str,
    source: Source | Sequence[Path],
    *,
    mode: Mode = "full",
    columns: Mapping[str, str] | None = None,
    default_as_of: date | None = None,
    rejects_file: Path | None = None,
    allow_empty: bool = False,
    form: TextForm = TO_FIND,
    unit: str | None = None,
    keep_zeros: bool = False,
    source_digest: bytes = b"",
    workers: Workers | int | None = None,
    progress: Progress = lambda _stage, _done, _total: None,
    wait: bool = False,
    confirm: Confirm | None = None,
    codes: CodeLists = NO_CODES,
    gate: Gate = open_gate,
) -> Imported:
    """Import the rows of a source for one item.

    `full` replaces all of it (the source is a full export), `upsert` the records of the subjects in the
    source, `delete` removes those. Bad rows do not stop it: they go to `rejects_file` with line and reason,
    and are counted. `form` is what is known of text files, `unit` that of the amounts where no header names
    it; with `keep_zeros` long record numbers may end in zeros. `source_digest` is stored with the import, so
    that a repetition is recognised (`node.registers.imports`). `workers` are the processes that do the work,
    or how many to start: by default one a core, none for a small source. With `wait` it waits for another
    import or a rotation. Under dual control `confirm` is asked before an item shrinks. `codes` are code
    lists. `gate` is given how many rows were read and how many can be used before anything is made of them,
    and may refuse them.

    Raises ItemNotOfferedError for an unknown code; InputError for a source that cannot be used or, without
    `allow_empty`, one without a usable row: a wrong file must not erase the register; PreconditionError for
    an upsert or delete before the first full import; ConflictError while another import runs;
    UnavailableError for a source, disk or database that fails; what `confirm` raises. What was published
    before does not change when this raises.

    While the federation changes its salt, the same is done for the epochs under the other salt, and published
    in the same transaction: all are equally new (docs/rotation.md).
    """
    item = node.catalogue.item(code)
    today = china_day(node.clock())
    sources.check_as_of(default_as_of, today)
    source = source if not isinstance(source, Sequence) else Files(source)
    unit = None if unit is None else check_unit(item, unit)
    reading = sources.Reading(
        item, columns or {}, allow_empty, mode == "delete", form, unit, keep_zeros, codes
    )
    if mode != "full":
        _require_changeable(node, item)
    as_of = default_as_of or today
    watch = Stopwatch()
    how = _How(
        mode,
        source,
        reading,
        today,
        as_of,
        rejects_file,
        source_digest,
        workers,
        watch,
        progress,
        confirm,
        gate,
    )
    return _import(node, item, how, wait=wait)


def _require_changeable(node: Node, item: Item) -> None:
    """Raises PreconditionError where a full import must come before single subjects are changed."""
    present = delta.present_partitions(node, item)
    if not present:
        raise PreconditionError(
            f"{item.code}: nothing was imported yet, so there is nothing to change",
            "import a full export of the register first, without --upsert and --delete",
        )
    if any(part.token_class is not item.token_class for part in present.values()):
        raise PreconditionError(
            f"{item.code}: the catalogue has made it {item.token_class} since the last full import",
            "import a full export, without --upsert and --delete; until then the item is not served",
        )
    with node.store.transaction("read content of items") as tx:
        content = read_contents(tx).get(item.code)
    if content != item.content:
        raise PreconditionError(
            f"{item.code}: its entries were made under another definition than the catalogue has now",
            "the catalogue has changed: import a full export of the register first",
        )


def _import(node: Node, item: Item, how: "_How", *, wait: bool) -> Imported:
    """Prepare under every salt, publish all in one transaction, retire what was current before."""
    with open_workspace(node, wait=wait) as space:
        run = _prepare(node, item, space, how)
        runs = [run, *_prepare_other_salts(node, item, space, how, run)]
        space.require_lock()
        shrinks = shrinking.find(node, item, how.mode, run.change, how.source_digest)
        approved = shrinking.require_approved(node, shrinks, how.confirm)
        before = publish(node, item, how.mode, runs, how.source_digest, approved=approved)
        how.watch.lap("publish")
        for each in runs:
            _retire(each.node, item)
        how.watch.lap("retire")
    planted, plants = run.indexed.planted, len(_planted_values(node, item))
    people = {code: count - plants * (code in planted) for code, count in run.indexed.origins.items()}
    return Imported(
        item=item.code,
        tally=run.indexed.tally,
        origins={f"{code:02}": count for code, count in sorted(people.items()) if count},
        rejects_file=run.rejects_file,
        accepted_before=before,
        mode=how.mode,
        changes=run.change.counts,
        seconds=how.watch.seconds,
        usage=_add_usage(runs),
        workers=run.workers,
        rolled_back=space.rolled_back,
        salts=tuple(each.node.keys.salt_version for each in runs),
        waits=how.mode != "full" and gathers(node),
    )


@dataclass(frozen=True, slots=True)
class _How:
    """What all runs over one source have in common."""

    mode: Mode
    source: Source
    reading: sources.Reading
    today: date  # in China, when the import began
    default_as_of: date
    rejects_file: Path | None
    source_digest: bytes
    workers: Workers | int | None
    watch: Stopwatch
    progress: Progress
    confirm: Confirm | None
    gate: "Gate"


def _prepare(node: Node, item: Item, space: Workspace, how: _How) -> PreparedVersion:
    """One pass over the source. Raises what import_item does."""
    source, mode, watch, progress = how.source, how.mode, how.watch, how.progress
    workers = choose_workers(source.size) if how.workers is None else how.workers
    work = _build_spec(
        node, item, space, how, several=bool(workers if isinstance(workers, int) else workers.count)
    )
    with open_engine(work, workers) as engine:
        reader = RegisterReader(engine, work, _open_tokens(node, item, mode), watch, progress)
        reader.read_blocks(source.blocks(how.reading), source.size)
        reader.refuse_rounded(item.code, keep_zeros=how.reading.keep_zeros or mode == "delete")
        written = _write_rejects(how.rejects_file, reader)
        how.gate(reader.read, reader.usable)
        if not reader.usable and not how.reading.allow_empty:
            raise InputError(
                f"{item.code}: none of the {reader.read} rows can be used, so the register is left as it was",
                f"{how.rejects_file or 'the list of rejects'} says why; "
                "--allow-empty publishes an empty register",
            )
        present = delta.present_partitions(node, item)
        plants = _plants(node, item, mode, frozenset(present))
        # An upsert keeps the date of the last full import, which all partitions of an item have.
        day = reader.usual_day() if mode == "full" else next(iter(present.values())).date
        indexed = reader.index(plants, day)
        if mode == "full":
            run = FullImport(node, item, engine, work, tuple(plants.values), watch, progress)
            change = run.replace_all(indexed, present)
        else:
            change = delta.apply(node, item, engine, work, indexed, present, plants.values, watch, progress)
        if work.sums is not None:
            change = replace(change, sums=_change_sums(node, item, work.sums, engine, mode, indexed))
            watch.lap("sums")
        return PreparedVersion(node, indexed, change, written, engine.usage(), engine.workers)


def _prepare_other_salts(
    node: Node, item: Item, space: Workspace, how: _How, first: PreparedVersion
) -> Iterator[PreparedVersion]:
    """The same rows under every other salt that is served or pending, in a separate pass each.

    An upsert or delete changes an epoch only where that holds the item already. Raises InputError when
    the source has changed since the first pass.
    """
    for keys in node.keys.other_salts(node.clock()):
        other = replace(node, ring=KeyRing.fixed(keys))
        if how.mode != "full" and not delta.present_partitions(other, item):
            continue
        # Workers that were started earlier have ended with the first pass.
        again = how.workers if isinstance(how.workers, int) else None
        found = _prepare(other, item, space, replace(how, rejects_file=None, workers=again))
        if found.indexed.tally != first.indexed.tally:
            raise InputError(
                f"{item.code}: the source changed while it was read, once for each salt",
                "nothing was published; run the import again when nobody writes to the source",
            )
        yield found


def _add_usage(runs: Sequence[PreparedVersion]) -> Usage:
    """Of all runs: an upper bound, since this process is counted in each."""
    return Usage(sum(each.usage.cpu_s for each in runs), max(each.usage.peak for each in runs))


def _retire(node: Node, item: Item) -> None:
    keys = node.keys
    partition_versions.retire(node.store, item.code, keys.epoch)
    if keys.sums is not None and item.sum:
        node.store.retry_write(
            "retire sums", partial(sum_tables.retire, item=item.code, epoch=keys.sums.epoch)
        )


def _build_spec(node: Node, item: Item, space: Workspace, how: _How, *, several: bool) -> BuildSpec:
    size = how.source.size
    rows = max(size // _ROW_BYTES, 8 * PART_ROWS if several else 0) if size else 64 * PART_ROWS
    held = max(TokenStore(node, each, node.keys.epoch).count() for each in TokenClass)
    keys = CURRENT.class_keys(node.keys.oprf)
    key = keys.pop(item.token_class)
    (other,) = keys.values()
    return BuildSpec(
        terms=ReadOptions(item, node.keys.salt, how.default_as_of.toordinal(), how.today),
        epoch=node.keys.epoch,
        oprf=key,
        other_oprf=other,
        folder=space.folder,
        scratch_key=secrets.token_bytes(KEY_SIZE),
        record_key=node.keys.record,
        pad_key=pads.pad_key(key),
        part_bits=part_bits(max(rows, held)),
        every=how.mode != "full",
        hidden=how.mode == "delete",
        sums=node.keys.sums if item.sum else None,
    )


def _open_tokens(node: Node, item: Item, mode: Mode) -> Tokens:
    """A full import replaces blocks that are damaged; whoever changes single subjects needs all of them."""
    epoch, full = node.keys.epoch, mode == "full"
    (other,) = (TokenStore(node, each, epoch, mend=full) for each in TokenClass if each != item.token_class)
    return Tokens(TokenStore(node, item.token_class, epoch, mend=full), other if other.count() else None)


def _change_sums(
    node: Node, item: Item, keys: SumKeys, engine: Engine, mode: Mode, indexed: IndexedRows
) -> SumChange:
    column = SumTableWriter(node, item, keys, engine.scratch)
    return column.replace_all(indexed.sums) if mode == "full" else column.change(indexed.sums)


def _plants(node: Node, item: Item, mode: Mode, present: frozenset[int]) -> Plants:
    """At a full import every origin gets a partition, so that an empty one reveals nothing."""
    values = _planted_values(node, item)
    if mode != "full":
        return Plants(values, frozenset(), present)
    # Also one that has become empty: otherwise its old version would still be served.
    return Plants(values, frozenset(map(int, (*identity.PROVINCES, identity.NO_ORIGIN))) | present)


def _planted_values(node: Node, item: Item) -> tuple[tuple[str, int], ...]:
    """The test subjects of a partition (design.md section 2): the same names and values in every version."""
    count = node.config.limits.planted_per_partition
    return tuple((f"hit-{number}", planted_value(item, number)) for number in range(count))


def _write_rejects(path: Path | None, reader: RegisterReader) -> Path | None:
    """The list of rejected rows; an old list is replaced even when there are none now."""
    rejected = reader.read > reader.usable
    if path is None or not (rejected or path.exists()):
        return None
    header = csv_lines([("file", "line", "column", "reason", "message")], mark=True)
    write_atomically(path, chain(header, reader.reject_lines()))
    return path if rejected else None
