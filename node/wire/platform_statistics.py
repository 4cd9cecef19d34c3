"""Statistics of jobs as messages."""

from collections.abc import Iterable

from heqiao.platform.v1 import jobs_pb2 as pb

from node.domain.job_statistics import COLUMNS, Statistics, StatisticsRow
from node.domain.small_counts import HIDDEN, SMALL, Shown


def statistics_message(found: Statistics) -> pb.GetStatisticsResponse:
    """All tables."""
    tables = {name: map(_row_message, getattr(found, name)) for name in COLUMNS}
    return pb.GetStatisticsResponse(month=found.month, in_time_days=found.days, **tables)


def read_statistics_message(message: pb.GetStatisticsResponse) -> Statistics:
    """All tables."""
    tables = {name: _rows(getattr(message, name)) for name in COLUMNS}
    return Statistics(message.month, message.in_time_days, **tables)


def _row_message(row: StatisticsRow) -> pb.StatisticsRow:
    return pb.StatisticsRow(name=row.name, cells=map(_cell_message, row.cells))


def _cell_message(cell: Shown) -> pb.StatisticsCell:
    if isinstance(cell, int):
        return pb.StatisticsCell(count=cell)
    return pb.StatisticsCell(small=cell == SMALL)


def _rows(messages: Iterable[pb.StatisticsRow]) -> tuple[StatisticsRow, ...]:
    return tuple(StatisticsRow(one.name, tuple(map(_cell, one.cells))) for one in messages)


def _cell(message: pb.StatisticsCell) -> Shown:
    if message.HasField("count"):
        return int(message.count)
    return SMALL if message.small else HIDDEN
