"""A question about households on record keeps every word on its way to the node."""

from dataclasses import fields

from node.client.records import HouseholdChoice
from node.wire.households import question_message, read_question


def test_it_comes_as_it_was_asked():
    asked = HouseholdChoice(
        items=("C21",),
        peers=("auto",),
        purpose="review",
        legal_basis="SA-2026-41",
        numbers=("H1",),
        matter="01",
        urgent=True,
        reuse=True,
    )
    sent = {one.name: getattr(asked, one.name) for one in fields(asked) if one.name != "declared"}
    assert read_question(question_message(asked)) == sent
