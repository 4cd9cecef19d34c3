"""The files of every household of a verification, by several processes, and their index (ADR 0034).

A run that was stopped, or killed, goes on where it was: what is there already, signed, of the same content
and unaltered, is left. The index is written at the end and when a run is stopped.
"""

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Final

from node.compute.engine import Workers, cores, open_engine, prepare_workers
from node.compute.scratch import KEY_SIZE, SealedScratch
from node.domain.catalogue import Catalogue
from node.domain.findings import Report
from node.errors import InputError
from node.files import write_atomically
from node.reports.common import number_of
from node.reports.files import FORMATS, Household, write_household
from node.reports.households import each_household, household_of
from node.reports.signature import Signer
from node.tabular.csv_writer import csv_lines

INDEX_FILE: Final = "index.csv"
COLUMNS: Final = ("household", "number", "file", "sha256")
_AT_ONCE: Final = 4  # households that a process is given: about half a second of its work
_FEW: Final = 24  # households that are not worth starting processes for
_MODULES: Final = ("node.reports.files", "node.reports.each")

Chunk = Sequence[tuple[str, Report]]
Told = Callable[[int, int], None]  # households that are done, of how many


@dataclass(frozen=True, slots=True)
class Run:
    """What every process of a run is given. `out` has a folder for each household."""

    out: Path
    catalogue: Catalogue
    formats: tuple[str, ...]
    lang: str
    signer: Signer | None = field(repr=False)
    folder: Path  # of temporary files, of which this run makes none
    scratch_key: bytes = field(default=bytes(KEY_SIZE), repr=False)

    @classmethod
    def of(
        cls, out: Path, catalogue: Catalogue, formats: Sequence[str], lang: str, signer: Signer | None = None
    ) -> "Run":
        """A run into a folder. Raises InputError for an unknown format."""
        unknown = [one for one in formats if one not in FORMATS]
        if unknown:
            raise InputError(f"a report has no format {unknown[0]!r}", f"choose of {', '.join(FORMATS)}")
        return cls(out, catalogue, tuple(formats), lang, signer, out)


def prepare() -> Callable[[int], Workers]:
    """What starts the processes of a run. Call it before this process knows a key."""
    return prepare_workers(_MODULES)


def write_each(
    report: Report,
    run: Run,
    start: Callable[[int], Workers] | None = None,
    told: Told = lambda _done, _total: None,
) -> list[Household]:
    """Write the files of every household, each into a folder called by its number, and index.csv.

    `start` starts processes (`prepare`); without it, and for few households, this process does the work.
    Raises InputError for two households of one number, ConfigError without the extra `report`,
    UnavailableError naming the file where the disk is full, and KeyboardInterrupt after the index of
    what was made.
    """
    total = len({household_of(one) for one in report.subjects})
    workers = start(cores()) if start is not None and total > _FEW else 0
    made: list[Household] = []
    try:
        with open_engine(run, workers) as engine, closing(_chunks(report)) as chunks:
            for found in engine.map(_write_chunk, chunks):
                made += found
                told(len(made), total)
    finally:
        if made:
            write_atomically(run.out / INDEX_FILE, index_lines(made))
    return made


def index_lines(made: Iterable[Household]) -> Iterator[bytes]:
    """The index as a CSV file: a row for each file, with its path from the index and its SHA-256."""
    rows = (
        (one.name, one.number, f"{one.number}/{name}", digest)
        for one in made
        for name, digest in one.files.items()
    )
    return csv_lines((COLUMNS, *rows), mark=True)


def _chunks(report: Report) -> Generator[Chunk]:
    """Some households at a time. Raises InputError where two have one number."""
    households, seen = each_household(report), set[str]()
    while chunk := list(islice(households, _AT_ONCE)):
        for _, part in chunk:
            number = number_of(part)
            if number in seen:
                raise InputError(
                    f"two households have the report number {number}",
                    "write one of them with --household into another folder",
                )
            seen.add(number)
        yield chunk


def _write_chunk(run: Run, _scratch: SealedScratch, chunk: Chunk) -> list[Household]:
    """A worker's part."""
    return [
        write_household(name, part, run.catalogue, run.out, run.formats, run.lang, run.signer)
        for name, part in chunk
    ]


def plain(made: Sequence[Household]) -> Mapping[str, Any]:
    """The figures of a run as plain JSON values."""
    return {"households": len(made), "new": sum(one.is_new for one in made), "index": INDEX_FILE}
