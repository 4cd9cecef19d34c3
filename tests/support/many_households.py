"""A report of forty households, whose files take a while: a test and the processes that it ends share it."""

from dataclasses import replace

from node.domain.findings import Finding, Outcome
from tests.support.reports import VERIFICATION

HOUSEHOLDS = 40
FORMATS = ("html", "json")
SUBJECTS = tuple(f"H{at:02}/1" for at in range(HOUSEHOLDS))
REPORT = replace(
    VERIFICATION,
    subjects=SUBJECTS,
    findings=[Finding(one, "C21", "44", Outcome.NOT_FOUND) for one in SUBJECTS],
)
