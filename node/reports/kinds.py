"""The kinds of reports and their files. A new kind is one module and one entry of KINDS."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from node.domain.catalogue import Catalogue
from node.domain.findings import Report
from node.domain.sum_findings import SumReport
from node.errors import InputError
from node.files import write_atomically
from node.reports import columns, csv, household, json, sheets, sums, text, verification
from node.reports.document import Document, Record, Sheet
from node.reports.wording import LANGUAGES

AnyReport = Report | SumReport
JSON_FILE, TEXT_FILE = "report.json", "summary.txt"
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class ReportKind(Generic[R]):
    """What differs between the reports of different kinds of jobs."""

    form: type[R]
    format: str  # the first key of its report.json
    command: str  # that writes it
    csv_file: str
    short: tuple[str, ...]  # the keys of its report.json that a command shows
    document: Callable[[R, Catalogue, str], Document]
    record: Callable[[R, Catalogue], Record]
    printed: Callable[[R, Catalogue, str, str], Document]
    sheets: Callable[[R, Catalogue, str], tuple[Sheet, ...]]
    problem: Callable[[R], str]
    json_lines: Callable[[Mapping[str, Any]], Iterator[bytes]]


VERIFICATION = ReportKind(
    form=Report,
    format="heqiao-report/1",
    command="heqiao verify",
    csv_file="findings.csv",
    short=("job", "state", "summary", "peers", "left_out"),
    document=verification.document,
    record=verification.record,
    printed=household.document,
    sheets=sheets.sheets,
    problem=verification.problem,
    json_lines=json.finding_a_line,
)
SUMS = ReportKind(
    form=SumReport,
    format="heqiao-sums/1",
    command="heqiao sum",
    csv_file="sums.csv",
    short=("job", "state", "people", "findings", "peers"),
    document=sums.document,
    record=sums.record,
    printed=sums.printed,
    sheets=sums.sheets,
    problem=sums.problem,
    json_lines=json.indented,
)
KINDS: tuple[ReportKind[Any], ...] = (VERIFICATION, SUMS)


def kind_of(report: AnyReport) -> ReportKind[Any]:
    """The kind of a report."""
    return next(kind for kind in KINDS if isinstance(report, kind.form))


def document(report: AnyReport, catalogue: Catalogue, lang: str) -> Document:
    """A report as people read it. Raises InputError for an unknown language."""
    return kind_of(report).document(report, catalogue, lang)


def to_json(report: AnyReport, catalogue: Catalogue) -> dict[str, Any]:
    """A report as plain JSON values; `findings` is the last key."""
    kind = kind_of(report)
    plain = plain_of(kind, kind.record(report, catalogue))
    return {**plain, "findings": list(plain["findings"])}


def is_large(report: AnyReport) -> bool:
    """Whether its report.json has columns instead of one object for each finding."""
    return isinstance(report, Report) and len(report.findings) > columns.MOST_OBJECTS


def json_chunks(report: AnyReport, catalogue: Catalogue) -> Iterator[bytes]:
    """The bytes of a report.json without signature, piece by piece."""
    kind = kind_of(report)
    return kind.json_lines(plain_of(kind, kind.record(report, catalogue)))


def to_short_json(report: AnyReport, catalogue: Catalogue) -> dict[str, Any]:
    """The figures of a report as plain JSON values, without what fills its files."""
    kind = kind_of(report)
    plain = plain_of(kind, kind.record(report, catalogue))
    return {key: plain[key] for key in kind.short if key in plain}


def file_names(report: AnyReport) -> tuple[str, str, str]:
    """The files that `write` makes of a report."""
    return JSON_FILE, kind_of(report).csv_file, TEXT_FILE


def write(report: AnyReport, catalogue: Catalogue, folder: Path) -> None:
    """Write report.json, the CSV file and summary.txt, each of them whole or not at all.

    Raises UnavailableError.
    """
    kind = kind_of(report)
    record = kind.record(report, catalogue)
    documents = (kind.document(report, catalogue, lang) for lang in LANGUAGES)
    write_atomically(folder / kind.csv_file, csv.render(record.listing))
    write_atomically(folder / TEXT_FILE, [text.text_file(documents)])
    # Last, so that a program that waits for report.json finds the others in place.
    write_atomically(folder / JSON_FILE, kind.json_lines(plain_of(kind, record)))


def load(path: Path) -> AnyReport:
    """The report of a report.json; raises InputError naming the file and the key."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}", "check the path") from None
    format_ = json.read_format(path, content, _hint(VERIFICATION))
    if format_ == columns.FORMAT:
        return columns.read(path, content, _hint(VERIFICATION))
    kind = next((one for one in KINDS if one.format == format_), None)
    if kind is None:
        known = " or ".join(repr(one) for one in (*(kind.format for kind in KINDS), columns.FORMAT))
        raise InputError(f"{path}: format: Input should be {known}", _hint(VERIFICATION))
    report: AnyReport = json.read(path, content, kind.form, _hint(kind))
    problem = kind.problem(report)
    if problem:
        raise InputError(f"{path}: {problem}", "ask for the report again")
    return report


def plain_of(kind: ReportKind[Any], record: Record) -> dict[str, Any]:
    """The keys of report.json in their order; `findings` is the last."""
    return {"format": record.format or kind.format, **record.facts, "findings": record.findings}


def _hint(kind: ReportKind[Any]) -> str:
    return f"a report is a {JSON_FILE} that {kind.command} has written"
