"""Make the planner choose one plan."""

import pytest

from matcher.retrieval_plan import Choice, Plan
from node.requester import retrieval


def force(monkeypatch: pytest.MonkeyPatch, plan: Plan) -> None:
    """Make the planner choose one plan; everything else is real."""
    monkeypatch.setattr(retrieval.plans, "choose", lambda sizes, floor: Choice(plan, "forced", ((plan, 0),)))
