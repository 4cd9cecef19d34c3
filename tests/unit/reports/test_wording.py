"""Words of reports for what is kept in codes."""

import pytest

from matcher.retrieval_plan import Plan, Reason
from node.reports.wording import plan_reason_text
from node.requester.match import CHANGED, RESTARTED


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_plan_and_reason_has_words(lang):
    codes = [
        *(f"{plan}: {reason}" for plan in Plan for reason in Reason),
        CHANGED,
        RESTARTED,
        "mirror: tokens kept",
    ]
    texts = {code: plan_reason_text(code, lang) for code in codes}
    assert len(set(texts.values())) == len(codes)
    for code, text in texts.items():
        assert code not in text
        assert text.isascii() == (lang == "en"), code


def test_what_a_later_version_says_stays_as_it_is():
    assert plan_reason_text("swarm: novel", "en") == "swarm, novel"
