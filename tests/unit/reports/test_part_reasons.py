"""Why a province has not answered, in words."""

import pytest

from node import errors
from node.reports.part_reasons import REASONS, part_reason_text

# Ends of a part that have a state of their own, faults of the own node alone, and what no peer sends.
OTHERS = {
    "audit_broken", "bad_config", "bad_input", "cancelled", "invalid_points", "job_conflict",
    "peer_answer_wrong", "session_ended", "sign_in",
}  # fmt: skip


def codes_of(kind: type[errors.NodeError]) -> set[str]:
    return {kind.code}.union(*map(codes_of, kind.__subclasses__()))


def test_every_error_has_words() -> None:
    assert codes_of(errors.NodeError) - OTHERS - set(REASONS) == set()


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_words_have_no_code_in_them(lang: str) -> None:
    for code in REASONS:
        text = part_reason_text(code, lang)
        assert text.isascii() == (lang == "en")
        assert "_" not in text
    assert part_reason_text("quota.points.hour", lang) != "quota.points.hour"
    assert "canary" in part_reason_text("peer_answer_wrong:canary", lang)
    assert part_reason_text("of_a_later_version", lang) == "of_a_later_version"
