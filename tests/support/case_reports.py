"""A re-check with what households declare, and texts that a renderer must show as text."""

from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import product

from node.domain.declared import DeclaredHousehold
from node.domain.findings import Finding, Objection, Outcome, PeerSummary, Recheck
from tests.support.reports import CATALOGUE, JUNE, VERIFICATION

FORMULA, MARKUP, TYPST = '=HYPERLINK("http://x","a")', "<script>alert(1)</script>", "#let x = 1; *粗*"
TURNED = "\u202e"
GROUNDS = f"{FORMULA} {MARKUP} {TYPST} {TURNED}反向 \U00020000 " + "异议理由" * 50
RAISED_BY = "=张" + "三" * 197
DECLARED = (
    DeclaredHousehold(
        "H1",
        income=3_600_000,
        assets=5_000_000,
        spending=1_200_000,
        items={"C21": 1, "C23": 100_000, "D34": 240_000, "B11": 5},
        causes=("illness", "schooling"),
        application_no="SQ-2026-0001",
        acceptance_no="SL-2026-0001",
        applicant="H1/01",
        applicant_id_type="resident",
        relatives=("H1/02",),
    ),
    DeclaredHousehold("H2", items={"C21": 2}, causes=("illness",)),
)
EARLIER = tuple(
    replace(one, value=1) if (one.subject, one.item, one.peer) == ("H1/01", "C21", "44") else one
    for one in VERIFICATION.findings
)
RECHECKED = replace(
    VERIFICATION,
    purpose="review",
    declared=DECLARED,
    offices=(("某县民政局", ("H1",)), ("=cmd()<b>另一县", ("H2",))),
    recheck=Recheck(
        "v-0123456789abcdef",
        "450000-20260701-202122530672-0",
        datetime(2026, 7, 1, 8, tzinfo=UTC),
        EARLIER,
        Objection(
            "o-0123456789abcdef",
            date(2026, 7, 2),
            date(2026, 7, 9),
            date(2026, 7, 7),
            RAISED_BY,
            GROUNDS,
        ),
    ),
)

# ---- spending of five provinces, without a gap

_BAND = next(item for item in CATALOGUE.items if item.code == "D34")
SPENDING_CATALOGUE = replace(
    CATALOGUE,
    items=(
        *(item for item in CATALOGUE.items if item.code not in ("D35", "D36")),
        replace(_BAND, code="D35", name_zh="医疗支出", name_en="medical spending", sum=None),
        replace(_BAND, code="D36", name_zh="教育支出", name_en="education spending", sum=None),
    ),
)
_PEERS = tuple(
    PeerSummary(code, name, "done")
    for code, name in (("44", "广东"), ("33", "浙江"), ("51", "四川"), ("32", "江苏"), ("35", "福建"))
)
_ITEMS = ("C21", "D35", "D36")
_HAVE = {
    ("H1/01", "C21", "44"): 1,
    ("H1/01", "C21", "33"): 1,
    ("H1/01", "D35", "44"): 2,
    ("H1/01", "D36", "33"): 1,
    ("H1/01", "D36", "35"): 1,
    ("H1/02", "D36", "51"): 3,  # a relative outside the household
    ("H2/01", "D35", "33"): 3,
}


def _said(subject: str, item: str, peer: str) -> Finding:
    value = _HAVE.get((subject, item, peer))
    outcome = Outcome.NOT_FOUND if value is None else Outcome.FOUND
    return Finding(subject, item, peer, outcome, value, None if value is None else JUNE)


SPENT = replace(
    RECHECKED,
    recheck=None,
    items=_ITEMS,
    peers=_PEERS,
    findings=tuple(
        _said(subject, item, peer.peer) for subject, item, peer in product(RECHECKED.subjects, _ITEMS, _PEERS)
    ),
)
