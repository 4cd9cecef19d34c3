"""Statistics of the jobs that a caller may see, counted by the database (ADR 41)."""

import re
from collections.abc import Collection
from datetime import date
from typing import Final

from node.context import Node
from node.database import job_statistics as rows
from node.domain.days import china_day, month_number
from node.domain.job_statistics import Statistics, last_months, make_statistics
from node.errors import InvalidRequestError

_MONTH: Final = re.compile(r"[0-9]{4}-[0-9]{2}")


def read_statistics(
    node: Node, month: str, owners: Collection[str] | None, entrusted: bool = False
) -> Statistics:
    """Of one of the last months, YYYY-MM, or the running one where it is empty; of some owners' jobs or all.
    `entrusted`: with what peers asked of this node.

    Raises InvalidRequestError for another month.
    """
    months = last_months(china_day(node.clock()))
    firsts = {_name(first): first for first in months}
    chosen = month or next(reversed(firsts))
    if not _MONTH.fullmatch(chosen) or chosen not in firsts:
        raise InvalidRequestError(
            f"there are statistics of the last {len(firsts)} months only", "name one of them, as 2026-11"
        )
    days = node.config.deadlines.report_days
    with node.store.transaction("count jobs") as tx:
        jobs = rows.count_jobs(tx, month_number(months[0]), month_number(months[-1]), owners)
        parts = rows.count_parts(tx, month_number(firsts[chosen]), days, owners)
        objections = rows.count_objections(tx, months[0], months[-1], owners)
        asked = rows.count_entrusted(tx, months) if entrusted else []
    return make_statistics(chosen, days, jobs, parts, objections, asked)


def _name(first: date) -> str:
    return f"{first.year}-{first.month:02}"
