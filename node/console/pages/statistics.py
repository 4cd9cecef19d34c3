"""Counts of the unit's jobs by month, item and province; small ones are not shown exactly."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from starlette.responses import Response

from node.console.render import show
from node.console.visits import Visit
from node.domain.days import china_day
from node.domain.job_progress import JobProgress

LEAST: Final = 10  # a smaller count might be a person
_MOST: Final = 1_000  # jobs, the newest
_LATE: Final = ("overdue", "unavailable")


def show_statistics(visit: Visit) -> Response:
    """Of the newest jobs that the person may see."""
    found = visit.node.jobs(_MOST)
    jobs = found.jobs
    values = {
        "months": by_month(jobs),
        "items": _counted(code for job in jobs for code in job.items),
        "peers": by_peer(jobs),
        "total": len(jobs),
        "is_cut": bool(found.next),
    }
    return show(visit, "statistics.html", values)


def by_month(jobs: Sequence[JobProgress]) -> list[tuple[str, str, str, str]]:
    """Month (YYYY-MM), jobs, people, jobs that are done; the newest month first."""
    count, people, done = Counter[str](), Counter[str](), Counter[str]()
    for job in jobs:
        day = china_day(job.created_at)
        month = f"{day.year}-{day.month:02}"
        count[month] += 1
        people[month] += job.subjects
        done[month] += job.state == "done"
    return [
        (month, shown(count[month]), shown(people[month]), shown(done[month]))
        for month in sorted(count, reverse=True)
    ]


def by_peer(jobs: Sequence[JobProgress]) -> list[tuple[str, str, str, str, str]]:
    """Province, parts, those that were answered, refused, late or away."""
    states: dict[str, Counter[str]] = {}
    for part in (part for job in jobs for part in job.parts):
        states.setdefault(part.peer, Counter())[part.state] += 1
    return [
        (
            peer,
            shown(found.total()),
            shown(found["done"]),
            shown(found["refused"]),
            shown(sum(found[state] for state in _LATE)),
        )
        for peer, found in sorted(states.items())
    ]


def _counted(codes: Iterable[str]) -> list[tuple[str, str]]:
    return [(code, shown(number)) for code, number in sorted(Counter(codes).items())]


def shown(number: int) -> str:
    """A count as it is shown: from 1 to 9 only that it is less than 10."""
    return f"<{LEAST}" if 0 < number < LEAST else f"{number:,}"
