"""Messages of the report service: files of reports in pieces, and what a check of one found."""

from collections.abc import Iterable, Iterator
from typing import Final

from heqiao.platform.v1 import reports_pb2 as pb

from node.errors import InvalidRequestError
from node.wire.common import first_start, require

FORMATS: Final = {
    "text": pb.REPORT_FORMAT_TEXT,
    "json": pb.REPORT_FORMAT_JSON,
    "csv": pb.REPORT_FORMAT_CSV,
    "xlsx": pb.REPORT_FORMAT_XLSX,
    "html": pb.REPORT_FORMAT_HTML,
    "pdf": pb.REPORT_FORMAT_PDF,
}
LANGUAGES: Final = ("zh", "en")
MAX_NAME: Final = 200
MOST_COUNTED: Final = 1_000_000  # files at once: every format of a county's households
MAX_SIGNATURE: Final = 512 << 10  # bytes of a report.sig.json
_NAMES: Final[dict[int, str]] = {number: name for name, number in FORMATS.items()}


def file_request(job: str, one: str, lang: str, household: str) -> pb.StreamReportFileRequest:
    """What asks for a file. Raises InvalidRequestError for an unknown format."""
    if one not in FORMATS:
        raise InvalidRequestError(f"a report has no format {one!r}", f"choose of {', '.join(FORMATS)}")
    return pb.StreamReportFileRequest(job_id=job, format=FORMATS[one], language=lang, household=household)


def read_file_request(message: pb.StreamReportFileRequest) -> tuple[str, str, str, str]:
    """Job, format, language and household of a request. Raises InvalidRequestError."""
    one = _NAMES.get(message.format, "")
    require(bool(one), "a report has no such format")
    lang = message.language or LANGUAGES[0]
    require(lang in LANGUAGES, "a report has no such language")
    require(len(message.household) <= MAX_NAME, "the number of a household is too long")
    return message.job_id, one, lang, message.household


def read_count(message: pb.CountReportFilesRequest) -> tuple[str, int]:
    """Job and number of files that its caller has written. Raises InvalidRequestError."""
    require(1 <= message.files <= MOST_COUNTED, "the number of files is outside 1 to 1,000,000")
    return message.job_id, message.files


def check_messages(
    name: str, signature: bytes, chunks: Iterable[bytes]
) -> Iterator[pb.VerifyReportFileRequest]:
    """What has a file checked."""
    yield pb.VerifyReportFileRequest(start=pb.VerifyReportFileStart(name=name, signature=signature))
    for chunk in chunks:
        yield pb.VerifyReportFileRequest(chunk=chunk)


def read_check(
    messages: Iterable[pb.VerifyReportFileRequest], most: int
) -> tuple[str, bytes, Iterator[bytes]]:
    """Name, report.sig.json and chunks of a file of at most `most` bytes. Raises InvalidRequestError."""
    rest = iter(messages)
    start = first_start(rest)
    require(0 < len(start.name) <= MAX_NAME and "/" not in start.name, "the file's name is not a plain name")
    require(len(start.signature) <= MAX_SIGNATURE, "the signature is too long")
    return start.name, start.signature, _chunks(rest, most)


def _chunks(messages: Iterable[pb.VerifyReportFileRequest], most: int) -> Iterator[bytes]:
    read = 0
    for message in messages:
        require(message.WhichOneof("message") == "chunk", "a chunk of the file is due")
        read += len(message.chunk)
        require(read <= most, "the file is larger than a file of a report")
        yield message.chunk
