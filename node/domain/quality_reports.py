"""Reports of the quality of sources that a node keeps: counts and days, and nothing of a row."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

KEPT_OF_ITEM: Final = 400  # a year of daily imports, with some checks
RUNS: Final = ("check", "import")
RESULTS: Final = ("good", "below_floor", "unreadable")


@dataclass(frozen=True, slots=True)
class QualityReport:
    """One report. `run` and `result` are words of RUNS and RESULTS.

    `content` is JSON as `registers.quality_reports` writes it: counts by name, days in ISO form, `reasons`
    and `missing` as counts by word, `below_floor` as rules with what was found and is allowed.
    """

    number: int
    item: str
    run: str
    result: str
    made_at: datetime
    content: Mapping[str, Any]
