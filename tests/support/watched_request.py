"""The request of a watch list: people under a mandate each."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from matcher import identity
from node.domain.mandate import Mandate
from node.domain.subjects import Subject
from node.domain.verification import Verification
from tests.support.examples import mandate_for


def request(people: Sequence[str], *more: Mandate, **changes: Any) -> Verification:
    """People by their numbers, as h0/1, h1/1, under mandates M0, M1; `more` replace some of these."""
    known = {f"M{place}": mandate_for(one, number=f"M{place}") for place, one in enumerate(people)}
    known |= {one.number: one for one in more}
    subjects = tuple(
        Subject(f"h{place}/1", f"h{place}", "", (identity.parse(one),), f"M{place}")
        for place, one in enumerate(people)
    )
    return replace(Verification(("C21",), ("44",), "monitoring", "SA-2026-46", subjects, known), **changes)
