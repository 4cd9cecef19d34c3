"""How long a peer takes to answer, from the attempts that are stored (domain.md section 11, S9). Pure."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from statistics import median
from typing import Final

from node.domain.jobs import Attempt

_MOST: Final = 0.9  # of the answers came within `most_s`


@dataclass(frozen=True, slots=True)
class AnswerTimes:
    """Attempts at a peer that have ended: how many were answered, and how fast.

    `within` of the answered ones took at most `days` days. Seconds are None where nothing was answered; 90 %
    of the answers came within `most_s`.
    """

    attempts: int
    answered: int
    overdue: int
    within: int
    days: int
    median_s: float | None
    most_s: float | None


def summarise_times(attempts: Iterable[Attempt], days: int) -> AnswerTimes:
    """Count attempts. One that asked about nobody, because all was known, is none."""
    counted = [one for one in attempts if one.points or one.state != "done"]
    times = sorted((one.ended_at - one.asked_at).total_seconds() for one in counted if one.state == "done")
    longest = timedelta(days=days).total_seconds()
    return AnswerTimes(
        attempts=len(counted),
        answered=len(times),
        overdue=sum(one.state == "overdue" for one in counted),
        within=sum(seconds <= longest for seconds in times),
        days=days,
        median_s=median(times) if times else None,
        most_s=times[math.ceil(_MOST * len(times)) - 1] if times else None,
    )
