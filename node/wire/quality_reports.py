"""Reports of the quality of sources as messages of the platform port."""

import re
from typing import Any, Final

from heqiao.platform.v1 import sources_pb2 as pb

from node.domain.catalogue import CODE_PATTERN
from node.domain.quality_reports import RESULTS, RUNS, QualityReport
from node.wire.common import require, timestamp

_RUNS: Final = {word: getattr(pb, f"QUALITY_RUN_{word.upper()}") for word in RUNS}
_RESULTS: Final = {word: getattr(pb, f"QUALITY_RESULT_{word.upper()}") for word in RESULTS}
_DAYS: Final = ("oldest", "usual", "newest")
# Fields with the names that they have in the content of a report.
_SAME: Final = (
    "changes_only",
    "rows",
    "usable",
    "rejected",
    "reasons",
    "valid_numbers",
    "duplicates",
    "duplicates_estimated",
    "missing",
    "amounts",
    "outliers",
    "stale",
    "private_names",
    "unknown_area",
    "unknown_county",
    "county_not_then",
)


def quality_message(report: QualityReport) -> pb.QualityReport:
    """One report."""
    content = report.content
    same: dict[str, Any] = {name: content[name] for name in _SAME}
    same |= {name: content[name] or "" for name in _DAYS}
    return pb.QualityReport(
        number=report.number,
        item=report.item,
        run=_RUNS[report.run],
        result=_RESULTS[report.result],
        made_at=timestamp(report.made_at),
        below_floor=[pb.FloorFinding(**one) for one in content["below_floor"]],
        **same,
    )


def read_item(code: str) -> str:
    """The code of an item, or empty for all. Raises InvalidRequestError."""
    require(not code or re.fullmatch(CODE_PATTERN, code) is not None, "item is a code of the catalogue")
    return code
