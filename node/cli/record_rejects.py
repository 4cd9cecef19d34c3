"""Rows that cannot be stored: written to a file of rejects, and the command fails with nothing stored."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from node.cli.options import count, require_own_home
from node.domain.records import Reject
from node.domain.scanned_forms import fits, form_type
from node.errors import InputError
from node.tabular import fields
from node.tabular.record_lists import MandateList

FILE = "rejects.csv"
rejects_option: Callable[[Any], Any] = click.option(
    "--rejects",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File for rows that cannot be used, with file, row, field and reason.  [default: rejects.csv "
    "beside LIST]",
)


def refuse_rejects(rejects: Sequence[Reject], folder: Path, outcome: str, path: Path | None = None) -> None:
    """Write rejects, if there are any, and raise InputError: nothing is half imported."""
    if not rejects:
        return
    target = path or folder / FILE
    require_own_home(target)
    fields.write_rejects(target, rejects)
    first = rejects[0]
    raise InputError(
        f"{first.file}: row {first.line}, {first.column}: {first.message} ({count(len(rejects), 'row')} in "
        "all); "
        f"{outcome}",
        f"{target} has every row and its reason; correct the list and run the command again",
    )


def as_rejects(faults: Sequence[Any], source: Path, lines: Sequence[int]) -> list[Reject]:
    """The node's faults about records of a list; `lines` has the row of each record."""
    return [Reject(str(source), lines[one.place], one.field, one.reason, one.message) for one in faults]


def form_rejects(
    source: Path, listed: MandateList, files: Mapping[str, str], folder: Path, most_kib: int
) -> list[Reject]:
    """Scanned forms that cannot be stored, of those in `files` by mandate: each is read before anything is
    stored, and none is kept in memory.
    """

    def judge() -> Iterator[Reject]:
        for one, line in zip(listed.mandates, listed.lines, strict=True):
            name = files.get(one.mandate.number)
            wrong = _form_fault(folder / name, one.mandate.doc_hash, most_kib) if name else None
            if wrong is not None:
                yield Reject(str(source), line, "form_file", *wrong)

    return list(judge())


def _form_fault(path: Path, doc_hash: str, most_kib: int) -> tuple[str, str] | None:
    """Reason and message."""
    try:
        if path.stat().st_size > most_kib * 1024:
            return "form_too_large", f"the scanned form is larger than {most_kib:,} KiB ([mandates] form_kib)"
        content = path.read_bytes()
    except OSError as error:
        return "form_not_read", f"the scanned form cannot be read in that folder: {error.strerror}"
    if form_type(content) is None:
        return "form_type", "a scanned form is a PDF, PNG or JPEG file"
    if not fits(doc_hash, content):
        return "form_differs", "the digest of the scanned form is not the one in doc_hash"
    return None
