"""Signed files of a report, and hostile texts, that the tests of reports share."""

import json
from dataclasses import replace

from node.reports import files
from node.reports.signature import Signer, Trusted
from tests.support.reports import CATALOGUE, VERIFICATION

SIGNER = Signer("45", bytes(range(32)))
STRANGER = Signer("45", bytes(32))
TRUSTED = Trusted({SIGNER.key: "45 广西"})
NAMES = ("summary.txt", "findings.csv", "report.xlsx", "report.html", "report.pdf")

# What a spreadsheet, a browser, a terminal or typst would read as something else than text.
FORMULA = '=HYPERLINK("http://a.example","x")'
MARKUP = "<script>alert(1)</script>&amp; *b* #panic() $x$ `r` @ref //c"
TURNED = "\u202e\u2066反\u2069"
RARE = "𠮷\ue863"  # a character of extension B, and one of the private area
LONG = "阿" * 100 + "W" * 100
HOSTILE = (FORMULA, "+1", "@SUM(A1)", "-1+1", MARKUP, TURNED, RARE, LONG, "_x0041_", "a\x07b")


def hostile_report():
    """A verification whose texts from outside are hostile."""
    peers = (replace(VERIFICATION.peers[0], name=LONG), *VERIFICATION.peers[1:])
    return replace(
        VERIFICATION,
        requester_name=MARKUP + TURNED + RARE,
        legal_basis=" ".join(HOSTILE),
        purpose=FORMULA,
        peers=(*peers[:-1], replace(peers[-1], name="@SUM(A1)", reason="+1")),
    )


def write_all(folder, report=VERIFICATION, lang="zh", signer=SIGNER):
    """All files of a report."""
    files.write(report, CATALOGUE, folder, files.FORMATS, lang, signer)
    return folder


def load(path):
    return json.loads(path.read_text(encoding="utf-8"))
