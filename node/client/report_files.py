"""Files of reports that the own node makes and signs; imports without a database.

    with Platform.open(home) as platform:
        made = ReportFiles(platform).save(job, "pdf", Path("out"), household="4599990000001")

The node does not give a file that is half made: `save` compares the digest, and writes the file whole or not
at all, with its signature beside it.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from heqiao.platform.v1 import reports_pb2 as pb
from heqiao.platform.v1 import reports_pb2_grpc

from node.client.platform import Platform
from node.errors import InvalidRequestError, UnavailableError
from node.files import write_atomically
from node.wire import report_files as wire

SIGNATURE_FILE: Final = "report.sig.json"
_PIECE: Final = 512 << 10
_STUB: Final = reports_pb2_grpc.ReportServiceStub


@dataclass(frozen=True, slots=True)
class SavedFile:
    """A file and its report.sig.json; `number` is that of the report, `digest` SHA-256 in hex."""

    path: Path
    signature: Path
    number: str
    size: int
    digest: str


class ReportFiles:
    """The calls over a platform's connection. Every method raises NodeError kinds; LimitError: try later."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def save(self, job: str, one: str, folder: Path, lang: str = "zh", household: str = "") -> SavedFile:
        """One file of a job's report into a folder: `one` is text, json, csv, xlsx, html or pdf.

        A report.sig.json there is replaced: give each file a folder of its own, since it signs one.
        """
        request = wire.file_request(job, one, lang, household)
        responses = self._platform.stream(_STUB, "StreamReportFile", request)
        first = next(responses, None)
        if first is None or first.WhichOneof("message") != "header":
            raise InvalidRequestError("the file has no header")
        header = first.header
        if Path(header.name).name != header.name or header.name.startswith("."):
            raise InvalidRequestError("the file's name is not a plain name")
        whole = _Whole(responses)
        write_atomically(folder / header.name, whole.chunks())
        write_atomically(folder / SIGNATURE_FILE, [whole.end.signature])
        path, size = folder / header.name, whole.size
        return SavedFile(path, folder / SIGNATURE_FILE, header.number, size, whole.end.digest.hex())

    def count(self, job: str, files: int) -> int:
        """Files of a job's report that this caller has written itself count as issued; how many there are."""
        request = pb.CountReportFilesRequest(job_id=job, files=files)
        found: pb.CountReportFilesResponse = self._platform.call(_STUB, "CountReportFiles", request)
        return found.files_issued

    def check(self, path: Path, signature: Path | None = None) -> pb.VerifyReportFileResponse:
        """Whether a file is as a node signed it, by the keys that the own node knows.

        `signature` is its report.sig.json, by default the one beside it; a report.json needs none.
        """
        beside = signature or path.with_name(SIGNATURE_FILE)
        try:
            signed = beside.read_bytes() if beside.is_file() else b""
            with path.open("rb") as file:
                messages = wire.check_messages(path.name, signed, _pieces(file))
                found: pb.VerifyReportFileResponse = self._platform.call(_STUB, "VerifyReportFile", messages)
                return found
        except OSError as error:
            raise UnavailableError(f"{error.filename}: cannot be read: {error.strerror}") from None


class _Whole:
    """The chunks of a file that came with its end, and whose digest is right."""

    def __init__(self, responses: Iterator[pb.StreamReportFileResponse]) -> None:
        self._responses = responses
        self.end = pb.ReportFileEnd()
        self.size = 0

    def chunks(self) -> Iterator[bytes]:
        """Raises UnavailableError at the end of a file that is not whole, so that it is not kept."""
        found = hashlib.sha256()
        for response in self._responses:
            if response.WhichOneof("message") == "end":
                self.end = response.end
                break
            found.update(response.chunk)
            self.size += len(response.chunk)
            yield response.chunk
        if self.end.digest != found.digest():
            raise UnavailableError("the file did not come whole from the node", "fetch it again")


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    while piece := file.read(_PIECE):
        yield piece
