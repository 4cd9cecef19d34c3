"""One answer as report.json has it, in all of its places. Pure."""

from typing import Any

from node.domain.findings import Finding


def answer_json(said: Finding) -> dict[str, Any]:
    """A finding without its subject, which comes first."""
    return {"item": said.item, "peer": said.peer, **outcome_json(said)}


def outcome_json(said: Finding) -> dict[str, Any]:
    """What it says; `reused_from` only where an answer was used again."""
    again = said.reused_from
    source = {} if again is None else {"reused_from": {"job": again.job, "day": again.day.isoformat()}}
    return {
        "outcome": said.outcome.value,
        "value": said.value,
        "as_of": None if said.as_of is None else said.as_of.isoformat(),
        "reason": said.reason,
        **source,
    }
