"""The files of a report in every format, and report.sig.json that signs them (ADR 0024)."""

import hashlib
import io
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from node.domain.catalogue import Catalogue
from node.errors import InputError, UnavailableError
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


def _untold(_what: str, _done: int, _total: int) -> None:
    """Nobody listens."""


class _Writer:
    """Writes the files of one report, and remembers the digest of each."""

    def __init__(self, report: AnyReport, catalogue: Catalogue, folder: Path, signer: Signer | None) -> None:
        self._report, self._catalogue, self._folder, self._signer = report, catalogue, folder, signer
        self._kind: ReportKind[Any] = kinds.kind_of(report)
        self._record: Record = self._kind.record(report, catalogue)
        self._number = number_of(report)
        self._signed: dict[str, SignedFile] = {}
        self._written: dict[str, str] = {}
        self._plain = kinds.plain_of(self._kind, self._record)
        self._groups = digests_of(self._plain) if signer else {}
        if signer:
            statement = signer.sign(self._number, report.job, self._groups)
            self._plain[SIGNATURE] = statement.model_dump(mode="json")

    def names(self, formats: Sequence[str]) -> list[str]:
        """The files that will be there, in the order of FORMATS."""
        found = [self._name(one) for one in FORMATS if one in formats]
        return [*found, SIGNATURE_FILE] if self._signer else found

    def is_there(self, formats: Sequence[str]) -> dict[str, str] | None:
        """The digests by name where these files are there already: of the same content, signed by the same
        key, none altered. Else None.
        """
        if self._signer is None:
            return None
        try:
            statement = read_statement((self._folder / SIGNATURE_FILE).read_bytes(), SIGNATURE_FILE)
            found = {name: _file_digest(self._folder / name) for name in self.names(formats)}
        except (InputError, OSError):
            return None
        wanted = {name: one.digest for name, one in statement.files.items()}
        if "json" in formats:
            wanted[JSON_FILE] = _digest(self._kind.json_lines(self._plain))
        wanted[SIGNATURE_FILE] = found[SIGNATURE_FILE]
        same = statement.groups == self._groups and wanted == found
        return found if same and not fault(statement, Trusted({}, [self._signer.fingerprint])) else None

    def write(self, formats: Sequence[str], lang: str, told: Told) -> None:
        """All files, report.json last: a program that waits for it finds the others in place."""
        printed = self._printed(formats, lang)
        for one in FORMATS:
            if one in formats and one != "json":
                told(one, 0, 1)
                self._save(one, self._chunks(one, printed, lang, told))
                told(one, 1, 1)
        if self._signer:
            statement = self._signer.sign(self._number, self._report.job, self._groups, self._signed)
            self._put(SIGNATURE_FILE, [statement.to_json()])
        if "json" in formats:
            self._put(JSON_FILE, self._kind.json_lines(self._plain))

    def stream(self, one: str, lang: str, take: Callable[[bytes], None]) -> tuple[str, bytes]:
        """Give the bytes of one format to `take`; the name of the file, and report.sig.json."""
        name = self._name(one)
        if one == "json":
            for chunk in self._kind.json_lines(self._plain):
                take(chunk)
        else:
            for chunk in self._with_parts(one, self._chunks(one, self._printed([one], lang), lang, _untold)):
                take(chunk)
        if self._signer is None:
            return name, b""
        statement = self._signer.sign(self._number, self._report.job, self._groups, self._signed)
        return name, statement.to_json()

    def digests(self) -> dict[str, str]:
        """SHA-256 of each file that was written, by name."""
        return dict(self._written)

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

        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix=".sheets.", dir=self._folder) as folder:
                return xlsx.render(printed, pages, Path(folder), heard)
        except OSError as error:
            raise UnavailableError(
                f"{self._folder}: cannot be written: {error.strerror}",
                "check the folder and the free space, then run the command again",
            ) from None

    def _printed(self, formats: Sequence[str], lang: str) -> Document | None:
        if not {"xlsx", "html", "pdf"} & set(formats):
            return None
        key = self._signer.fingerprint if self._signer else ""
        return self._kind.printed(self._report, self._catalogue, lang, key)

    def _save(self, one: str, chunks: Iterable[bytes]) -> None:
        name = self._name(one)
        write_atomically(self._folder / name, self._with_parts(one, chunks))
        self._written[name] = self._signed[name].digest

    def _with_parts(self, one: str, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """The chunks of a file; at the end its digests are noted."""
        found, parts = hashlib.sha256(), dict[str, str]()
        for chunk in chunks:
            found.update(chunk)
            parts.update(part_digests(io.BytesIO(chunk)) if one in ("html", "xlsx") else {})
            yield chunk
        self._signed[self._name(one)] = SignedFile(digest=found.hexdigest(), parts=parts)

    def _put(self, name: str, chunks: Iterable[bytes]) -> None:
        found = hashlib.sha256()

        def hashed() -> Iterator[bytes]:
            for chunk in chunks:
                found.update(chunk)
                yield chunk

        write_atomically(self._folder / name, hashed())
        self._written[name] = found.hexdigest()


class Household(NamedTuple):
    """The files of one household: its report's number, whether they are new, and SHA-256 by file name."""

    name: str
    number: str
    is_new: bool
    files: dict[str, str]


def write_household(
    name: str,
    report: AnyReport,
    catalogue: Catalogue,
    folder: Path,
    formats: Sequence[str],
    lang: str,
    signer: Signer | None = None,
) -> Household:
    """Write the report of one household into a folder called by its number.

    What is there already, signed, of the same content and unaltered, is left. Raises as `write` does.
    """
    number = number_of(report)
    writer = _Writer(report, catalogue, folder / number, signer)
    kept = writer.is_there(formats)
    if kept is None:
        writer.write(formats, lang, _untold)
    return Household(name, number, kept is None, writer.digests() if kept is None else kept)


def render(
    report: AnyReport,
    catalogue: Catalogue,
    one: str,
    lang: str,
    signer: Signer | None,
    folder: Path,
    take: Callable[[bytes], None],
) -> tuple[str, bytes]:
    """Give the bytes of one file of a report to `take`, and return its name and the report.sig.json for it.

    `folder` is for temporary files. Raises as `write` does.
    """
    return _Writer(report, catalogue, folder, signer).stream(one, lang, take)


def _file_digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _digest(chunks: Iterable[bytes]) -> str:
    found = hashlib.sha256()
    for chunk in chunks:
        found.update(chunk)
    return found.hexdigest()


def write(
    report: AnyReport,
    catalogue: Catalogue,
    folder: Path,
    formats: Sequence[str],
    lang: str,
    signer: Signer | None = None,
    told: Told = _untold,
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
