"""The service of sources: this province's own systems read how good the sources of its registers were."""

from heqiao.platform.v1 import sources_pb2 as pb
from heqiao.platform.v1 import sources_pb2_grpc

from node.context import Node
from node.database import quality_reports as rows
from node.errors import NotFoundError
from node.transport.interceptors import Call
from node.wire.admin import read_page
from node.wire.common import MAX_VERSION, require
from node.wire.quality_reports import quality_message, read_item


class SourceServicer(sources_pb2_grpc.SourceServiceServicer):  # type: ignore[misc]  # generated code
    """heqiao.platform.v1.SourceService."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def ListQualityReports(  # noqa: N802 - the name is the protocol's
        self, request: pb.ListQualityReportsRequest, _call: Call
    ) -> pb.ListQualityReportsResponse:
        """A page of them."""
        (limit, offset), item = read_page(request), read_item(request.item)
        with self._node.store.transaction("list quality reports") as tx:
            found, total = rows.list_reports(tx, item, limit, offset)
        return pb.ListQualityReportsResponse(reports=map(quality_message, found), total=total)

    def GetQualityReport(  # noqa: N802
        self, request: pb.GetQualityReportRequest, _call: Call
    ) -> pb.GetQualityReportResponse:
        """One report."""
        require(0 < request.number <= MAX_VERSION, "number is that of a report")
        with self._node.store.transaction("find quality report") as tx:
            found = rows.find_report(tx, request.number)
        if found is None:
            raise NotFoundError("this node keeps no quality report of that number", "list the reports")
        return pb.GetQualityReportResponse(report=quality_message(found))
