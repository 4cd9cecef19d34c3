"""The files of a report in every format, and report.sig.json that signs them (ADR 0024)."""

import hashlib
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from node.domain.catalogue import Catalogue
from node.errors import InputError
from node.files import write_atomically
from node.reports import csv, html, kinds, pdf, text, xlsx
from node.reports.common import number_of
from node.reports.document import Document, Record
from node.reports.groups import SIGNATURE, digests_of
from node.reports.kinds import JSON_FILE, TEXT_FILE, AnyReport, ReportKind
from node.reports.parts import part_digests
from node.reports.signature import SignedFile, Signer, Trusted, fault, read_statement
from node.reports.wording import LANGUAGES

SIGNATURE_FILE: Final = "report.sig.json"
FORMATS: Final = ("text", "json", "csv", "xlsx", "html", "pdf")
DEFAULT: Final = ("text", "json", "csv")
_MOST_ATTACHED: Final = 50_000  # findings of a record that a PDF carries: some megabytes
Told = Callable[[str, int, int], None]  # what is written, how much of it, of how much


class _Writer:
    """Writes the files of one report, and remembers the digest of each."""

    def __init__(self, report: AnyReport, catalogue: Catalogue, folder: Path, signer: Signer | None) -> None:
        self._report, self._catalogue, self._folder, self._signer = report, catalogue, folder, signer
        self._kind: ReportKind[Any] = kinds.kind_of(report)
        self._record: Record = self._kind.record(report, catalogue)
        self._number = number_of(report)
        self._signed: dict[str, SignedFile] = {}
        self._plain = kinds.plain_of(self._kind, self._record)
        self._groups = digests_of(self._plain) if signer else {}
        if signer:
            statement = signer.sign(self._number, report.job, self._groups)
            self._plain[SIGNATURE] = statement.model_dump(mode="json")

    def names(self, formats: Sequence[str]) -> list[str]:
        """The files that will be there, in the order of FORMATS."""
        found = [self._name(one) for one in FORMATS if one in formats]
        return [*found, SIGNATURE_FILE] if self._signer else found

    def is_there(self, formats: Sequence[str]) -> bool:
        """Whether these files are there already, with the same groups signed by the same key."""
        if self._signer is None or not all((self._folder / name).is_file() for name in self.names(formats)):
            return False
        try:
            statement = read_statement((self._folder / SIGNATURE_FILE).read_bytes(), SIGNATURE_FILE)
        except InputError:
            return False
        signed = {self._name(one) for one in formats if one != "json"}
        same = statement.groups == self._groups and set(statement.files) == signed
        return same and not fault(statement, Trusted({}, [self._signer.fingerprint]))

    def write(self, formats: Sequence[str], lang: str, told: Told) -> None:
        """All files, report.json last: a program that waits for it finds the others in place."""
        printed: Document | None = None
        if {"xlsx", "html", "pdf"} & set(formats):
            key = self._signer.fingerprint if self._signer else ""
            printed = self._kind.printed(self._report, self._catalogue, lang, key)
        for one in FORMATS:
            if one in formats and one != "json":
                told(one, 0, 1)
                self._save(one, self._chunks(one, printed, lang, told))
                told(one, 1, 1)
        if self._signer:
            statement = self._signer.sign(self._number, self._report.job, self._groups, self._signed)
            write_atomically(self._folder / SIGNATURE_FILE, [statement.to_json()])
        if "json" in formats:
            write_atomically(self._folder / JSON_FILE, self._kind.json_lines(self._plain))

    def _name(self, one: str) -> str:
        special = {"text": TEXT_FILE, "csv": self._kind.csv_file, "json": JSON_FILE}
        return special.get(one, f"report.{one}")

    def _chunks(self, one: str, printed: Document | None, lang: str, told: Told) -> Iterable[bytes]:
        if one == "csv":
            return csv.render(self._record.listing)
        if one == "text" or printed is None:
            both = (self._kind.document(self._report, self._catalogue, each) for each in LANGUAGES)
            return [text.text_file(both)]
        if one == "html":
            return [b"".join(html.render(printed))]
        return [self._pdf(printed)] if one == "pdf" else [self._xlsx(printed, lang, told)]

    def _pdf(self, printed: Document) -> bytes:
        small = self._signer is not None and len(self._report.findings) <= _MOST_ATTACHED
        record = b"".join(self._kind.json_lines(self._plain)) if small else b""
        return pdf.render(printed, self._number, self._report.finished_at or self._report.created_at, record)

    def _xlsx(self, printed: Document, lang: str, told: Told) -> bytes:
        pages = self._kind.sheets(self._report, self._catalogue, lang)
        total, done = sum(one.count for one in pages), 0

        def heard(rows: int) -> None:
            nonlocal done
            done += rows
            told("xlsx", done, max(total, 1))

        with tempfile.TemporaryDirectory(prefix=".sheets.", dir=self._folder) as folder:
            return xlsx.render(printed, pages, Path(folder), heard)

    def _save(self, one: str, chunks: Iterable[bytes]) -> None:
        found = hashlib.sha256()

        def hashed() -> Iterator[bytes]:
            for chunk in chunks:
                found.update(chunk)
                parts.update(part_digests(chunk) if one in ("html", "xlsx") else {})
                yield chunk

        parts: dict[str, str] = {}
        write_atomically(self._folder / self._name(one), hashed())
        self._signed[self._name(one)] = SignedFile(digest=found.hexdigest(), parts=parts)


def write_each(
    parts: Iterable[tuple[str, AnyReport]],
    catalogue: Catalogue,
    folder: Path,
    formats: Sequence[str],
    lang: str,
    signer: Signer | None = None,
) -> Iterator[tuple[str, str, bool]]:
    """Write many reports, each into a folder called by its number.

    Yields the name, the number and whether the files are new.
    What is there already, signed and of the same content, is left: a run that was stopped goes on.
    """
    seen = set[str]()
    for name, report in parts:
        number = number_of(report)
        if number in seen:
            raise InputError(
                f"two households have the report number {number}",
                "write one of them with --household into another folder",
            )
        seen.add(number)
        writer = _Writer(report, catalogue, folder / number, signer)
        is_new = not writer.is_there(formats)
        if is_new:
            writer.write(formats, lang, lambda _what, _done, _total: None)
        yield name, number, is_new


def write(
    report: AnyReport,
    catalogue: Catalogue,
    folder: Path,
    formats: Sequence[str],
    lang: str,
    signer: Signer | None = None,
    told: Told = lambda _what, _done, _total: None,
) -> list[str]:
    """Write a report's files, each whole or not at all, and sign them; the names of the files.

    `formats` are of FORMATS. Raises InputError, ConfigError without the extra `report`, UnavailableError.
    """
    unknown = [one for one in formats if one not in FORMATS]
    if unknown:
        raise InputError(f"a report has no format {unknown[0]!r}", f"choose of {', '.join(FORMATS)}")
    writer = _Writer(report, catalogue, folder, signer)
    writer.write(formats, lang, told)
    return writer.names(formats)
