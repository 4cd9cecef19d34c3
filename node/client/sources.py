"""How good the sources of the own node's registers were. It needs no database.

with Platform.open(home) as platform:
    for report in Sources(platform).quality_reports("C21").reports:
        ...
"""

from heqiao.platform.v1 import sources_pb2 as pb
from heqiao.platform.v1 import sources_pb2_grpc

from node.client.platform import Platform

# Values of `QualityReport.run` and `.result`.
RUN_CHECK, RUN_IMPORT = pb.QUALITY_RUN_CHECK, pb.QUALITY_RUN_IMPORT
RESULT_GOOD, RESULT_BELOW_FLOOR, RESULT_UNREADABLE = (
    pb.QUALITY_RESULT_GOOD,
    pb.QUALITY_RESULT_BELOW_FLOOR,
    pb.QUALITY_RESULT_UNREADABLE,
)


class Sources:
    """The calls of heqiao.platform.v1.SourceService. Every method raises NodeError kinds."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._stub = sources_pb2_grpc.SourceServiceStub

    def quality_reports(
        self, item: str = "", limit: int = 50, offset: int = 0
    ) -> pb.ListQualityReportsResponse:
        """Reports of an item, or of all, newest first, and how many there are."""
        request = pb.ListQualityReportsRequest(item=item, limit=limit, offset=offset)
        found: pb.ListQualityReportsResponse = self._platform.call(self._stub, "ListQualityReports", request)
        return found

    def quality_report(self, number: int) -> pb.QualityReport:
        """One report. Raises NotFoundError."""
        request = pb.GetQualityReportRequest(number=number)
        found: pb.GetQualityReportResponse = self._platform.call(self._stub, "GetQualityReport", request)
        return found.report
