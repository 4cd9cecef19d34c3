"""Two reports that the tests of reports share: every outcome, and provinces that answered in part or not at all."""
# ruff: noqa: E501  (a case of a table is one line)

from dataclasses import replace
from datetime import UTC, date, datetime

from node.domain.catalogue import load
from node.domain.findings import Finding, Outcome, PeerSummary, Report
from node.domain.sum_findings import SumFinding, SumOutcome, SumReport

CATALOGUE = load()

# ---- a verification

MAY, JUNE = date(2026, 5, 31), date(2026, 6, 30)
F = Finding
O = Outcome  # noqa: E741  (short, for the table below)

ANSWERS = (
    # two vehicles at home and one in another province add up for one person
    F("H1/01", "C21", "44", O.FOUND, 2, JUNE),
    F("H1/01", "C21", "33", O.FOUND, 1, MAY),
    F("H1/02", "C21", "44", O.STALE, 1, date(2025, 1, 1)),
    F("H1/02", "C21", "33", O.NOT_FOUND),
    F("H2/01", "C21", "44", O.NOT_FOUND),
    F("H2/01", "C21", "33", O.NAME_MISMATCH, None, JUNE),
    # one province has no deposits, which does not mean "not over"
    F("H1/01", "C23", "44", O.OVER, 1, JUNE),
    F("H1/02", "C23", "44", O.NOT_OVER),
    F("H2/01", "C23", "44", O.NOT_MANDATED, None, None, "item_not_covered"),
    *(F(subject, "C23", "33", O.NOT_CONNECTED) for subject in ("H1/01", "H1/02", "H2/01")),
    # bands
    F("H1/01", "D34", "44", O.FOUND, 3, JUNE),
    F("H1/02", "D34", "44", O.FOUND, 0, MAY),
    F("H2/01", "D34", "44", O.FOUND, 0, JUNE),
    *(F(subject, "D34", "33", O.REFUSED, None, None, "grant") for subject in ("H1/01", "H1/02", "H2/01")),
    # nobody answered from 51
    *(F(s, i, "51", O.UNAVAILABLE, None, None, "=cmd()") for s in ("H1/01", "H1/02", "H2/01") for i in ("C21", "C23", "D34")),
)  # fmt: skip
_PLANS = "C21 buckets: no_room; C21 changed; C22 buckets: no_room"
_ASKED = PeerSummary("44", "广东", "done", "", 3, 60, 1920, 2_500_000, 1.25, "buckets", _PLANS)
PEERS = (
    replace(_ASKED, answered_at=datetime(2026, 7, 1, 8, 0, 30, tzinfo=UTC)),
    PeerSummary("33", "浙江", "done", "", 1, 60, 999, 123_456, 0.5, "buckets"),
    PeerSummary("51", "四川", "unavailable", "no route [red]\x1b[31m"),
)
VERIFICATION = Report(
    job="job-1",
    requester="45",
    requester_name="广西",
    purpose="new_application",
    legal_basis="SA-2014-58",
    catalogue_version=CATALOGUE.version,
    catalogue_digest=CATALOGUE.digest.hex(),
    created_at=datetime(2026, 7, 1, 8, 0, tzinfo=UTC),
    finished_at=datetime(2026, 7, 1, 8, 1, tzinfo=UTC),
    due_at=datetime(2026, 7, 8, 8, 0, tzinfo=UTC),
    items=("C21", "C23", "D34"),
    subjects=("H1/01", "H1/02", "H2/01"),
    peers=PEERS,
    findings=ANSWERS,
)

# ---- sums

NOW = datetime(2026, 11, 25, 8, 0, tzinfo=UTC)
SUM_DAYS = (date(2026, 1, 31), date(2026, 10, 31))
EXACT = SumFinding(
    "B11", "44", SumOutcome.RELEASED, 500, "", "exact", 300, 1_234_567_891, 9_000_000_000_001,
    (None, 7, 100, 93, 97, None), 0.0, SUM_DAYS,
)  # fmt: skip
NOISY = SumFinding(
    "D35", "44", SumOutcome.RELEASED, 500, "", "dp", -2, -150_050, None, (3, -1, 0, 9, 2), 0.5, SUM_DAYS
)
HELD = SumFinding("B11", "33", SumOutcome.SUPPRESSED, 500, "min_cohort", as_of=SUM_DAYS)
SUM_ANSWERS = (
    EXACT,
    HELD,
    SumFinding("B11", "32", SumOutcome.UNAVAILABLE, 500, "unavailable"),
    NOISY,
    SumFinding("D35", "33", SumOutcome.NOT_CONNECTED, 500),
    SumFinding("D35", "32", SumOutcome.REFUSED, 500, "quota.sums.30_days"),
)
SUMS = SumReport(
    "s-1", "done", "45", "广西", "SA-2014-58", CATALOGUE.version, CATALOGUE.digest.hex(), NOW, NOW, NOW,
    ("B11", "D35"), 500,
    tuple(PeerSummary(code, name, "done") for code, name in (("44", "广东"), ("33", "浙江"), ("32", "江苏"))),
    SUM_ANSWERS,
)  # fmt: skip

# ---- by name: the cases of tests/unit/reports/expected

REPORTS: dict[str, Report | SumReport] = {
    "verification": VERIFICATION,
    "verification_without_answers": replace(
        VERIFICATION, findings=(), peers=(), legal_basis="", finished_at=None, state="cancelled"
    ),
    "verification_other_catalogue": replace(
        VERIFICATION,
        catalogue_digest="00",
        items=("X99",),
        findings=(F("H1/01", "X99", "44", O.FOUND, 7), F("H1/01", "X99", "33", O.OVERDUE)),
    ),
    "sums": SUMS,
    "sums_without_figures": replace(SUMS, finished_at=None, state="cancelled", findings=(HELD,)),
    "sums_other_catalogue": replace(
        SUMS, catalogue_digest="00", items=("X99",), findings=(replace(EXACT, item="X99"),)
    ),
}
