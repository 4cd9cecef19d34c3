"""The report service: files of reports, made and signed by the node, for the province's own platforms."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict
from tempfile import TemporaryFile
from typing import Final

from heqiao.platform.v1 import reports_pb2 as pb
from heqiao.platform.v1 import reports_pb2_grpc

from node.context import Node
from node.database import Connection, retention, signing_keys
from node.domain.findings import Report
from node.domain.job_access import JobAccess
from node.domain.jobs import JobRow
from node.errors import InputError, InvalidRequestError
from node.governance.peers import read_known_keys
from node.jobs.kinds import find_kind
from node.jobs.lookup import require_job
from node.reports.checking import check_file
from node.reports.households import of_household
from node.reports.kinds import AnyReport
from node.reports.signature import Signer, Trusted
from node.services.access import access_of
from node.services.renderings import Renderings
from node.transport.interceptors import Call
from node.wire import report_files as wire

MOST_CHECKED: Final = 512 << 20  # bytes of a file: the CSV file of a county has 200 MiB


class ReportServicer(reports_pb2_grpc.ReportServiceServicer):  # type: ignore[misc]  # generated code
    """heqiao.platform.v1.ReportService."""

    def __init__(self, node: Node, renderings: Renderings) -> None:
        self._node, self._renderings = node, renderings

    def StreamReportFile(  # noqa: N802 - the name is the protocol's
        self, request: pb.StreamReportFileRequest, call: Call
    ) -> Iterator[pb.StreamReportFileResponse]:
        """Header, chunks, end. A place is held while the file is made, not while it is sent."""
        access = access_of(self._node, call)
        job, one, lang, household = wire.read_file_request(request)
        row = require_job(self._node, job, access)
        with ExitStack() as stack:
            with self._renderings.take():
                report = self._report(row, household)
                call.require_time()
                made, pieces = stack.enter_context(self._renderings.make(report, one, lang))
            header = pb.ReportFileHeader(name=made.name, number=made.number, size=made.size)
            yield pb.StreamReportFileResponse(header=header)
            for piece in pieces:
                yield pb.StreamReportFileResponse(chunk=piece)
        # Before its end, without which it proves nothing: who has that does not wait for what follows.
        self._note_sent(row, access, whole=not household)
        end = pb.ReportFileEnd(digest=made.digest, signature=made.signature)
        yield pb.StreamReportFileResponse(end=end)

    def CountReportFiles(  # noqa: N802
        self, request: pb.CountReportFilesRequest, call: Call
    ) -> pb.CountReportFilesResponse:
        """Files that the caller has written of a report that it may have."""
        job, files = wire.read_count(request)
        row = require_job(self._node, job, access_of(self._node, call))
        self._node.store.retry_write(
            "count files of a report", lambda tx: retention.count_files(tx, row.id, files)
        )
        return pb.CountReportFilesResponse(files_issued=require_job(self._node, job).files_issued)

    def VerifyReportFile(  # noqa: N802
        self, requests: Iterator[pb.VerifyReportFileRequest], call: Call
    ) -> pb.VerifyReportFileResponse:
        """Whether a file is as this node or a peer signed it; it is on the disk without a name meanwhile."""
        name, signature, chunks = wire.read_check(requests, MOST_CHECKED)
        with self._renderings.take(), self._renderings.folder() as folder, TemporaryFile(dir=folder) as file:
            for chunk in chunks:
                file.write(chunk)
            call.require_time()
            verdict = asdict(check_file(file, name, self._trusted(), signature or None))
        return pb.VerifyReportFileResponse(
            valid=bool(verdict["signed_by"]) and not verdict["altered"] and not verdict["problem"],
            job_id=verdict.pop("job"),
            **{key: value for key, value in verdict.items() if key != "file"},
        )

    def _report(self, row: JobRow, household: str) -> AnyReport:
        report: AnyReport = find_kind(row.kind).results(self._node, row.id)
        if not household:
            return report
        if not isinstance(report, Report):
            raise InvalidRequestError("a sum has no households")
        try:
            return of_household(report, household)
        except InputError as error:
            raise InvalidRequestError(error.message, error.hint) from None

    def _trusted(self) -> Trusted:
        node = self._node
        with node.store.transaction("read signing keys") as tx:
            peers, earlier = read_known_keys(tx), signing_keys.own_earlier_keys(tx)
        found = {key: f"{code} {words}" for key, (code, words) in peers.items()}
        found |= dict.fromkeys(earlier, f"{node.code} this node, an earlier key")
        return Trusted(found | {Signer(node.code, node.keys.signing).key: f"{node.code} this node"})

    def _note_sent(self, row: JobRow, access: JobAccess, *, whole: bool) -> None:
        """The file counts; as after GetReport, a report is kept for a shorter time from when its owner first
        fetched the whole of it.
        """
        now, fetched = self._node.clock(), whole and row.owner == access.owner

        def write(tx: Connection) -> None:
            retention.count_files(tx, row.id)
            if fetched:
                retention.note_fetched(tx, row.id, now)

        self._node.store.retry_write("note file of a report", write)
