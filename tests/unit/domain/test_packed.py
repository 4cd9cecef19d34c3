"""Packed forms begin with their version: data of another version is never misread."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher import Identity
from node.domain.findings import Outcome
from node.domain.mandate import REASONS
from node.domain.refusals import pack_refusals, unpack_refusals
from node.domain.subjects import Subject
from node.domain.summation import Summation, in_cohort, pack_summation, unpack_summation
from node.domain.verification import Verification, pack_verification, unpack_verification
from node.errors import PreconditionError
from node.requester.checkpoint import pack_answers, pack_session, unpack_answers, unpack_session
from node.requester.context import Session
from node.requester.match_query import Answer
from node.requester.sum_checkpoint import pack_product, pack_sum, unpack_product, unpack_sum
from node.requester.sum_context import PeerSum, Product
from node.wire.sum_messages import SumAnswer
from tests.support.examples import mandate_for

ONE = Identity("resident", "449999190001010034")
MANDATE = mandate_for(ONE.value, agents=("a",))
VERIFICATION = Verification(
    ("C21",), ("44",), "review", "SA-2026-41", (Subject("h/1", "h", "", (ONE,), "M"),), {"M": MANDATE}
)
SUMMATION = Summation(("B11",), ("44",), "SA-2026-41", in_cohort([[ONE]]))
FORMS = {
    "verification": (VERIFICATION, pack_verification, unpack_verification),
    "sum": (SUMMATION, pack_summation, unpack_summation),
    "refusals": ([{"C21": "expired"}, {}], pack_refusals, unpack_refusals),
    "answers": ([Answer(Outcome.FOUND, 1)], pack_answers, unpack_answers),
    "session": (
        Session(bytes(16), bytes(32), b"m", bytes(64), b"l", ("C21",)),
        pack_session,
        unpack_session,
    ),
    "product": (Product(b"c", (1, 2)), pack_product, unpack_product),
    "peer_sum": (PeerSum(SumAnswer("B11", rule="x"), 1, None), pack_sum, unpack_sum),
}


@pytest.mark.parametrize("name", FORMS)
def test_a_packed_form_is_read_and_no_other_version(name: str) -> None:
    value, pack, unpack = FORMS[name]
    packed = pack(value)
    assert unpack(packed) == value
    assert pack(unpack(packed)) == packed
    for version in (*range(packed[0]), *range(packed[0] + 1, 256)):
        with pytest.raises(PreconditionError, match="another release of this program"):
            unpack(bytes([version]) + packed[1:])
    with pytest.raises(PreconditionError):
        unpack(b"")


REFUSALS = st.dictionaries(st.sampled_from(("C21", "C23", "Z59b")), st.sampled_from(REASONS))


@given(st.lists(REFUSALS, max_size=40))
def test_refusals(refusals: list[dict[str, str]]) -> None:
    assert unpack_refusals(pack_refusals(refusals)) == refusals


def test_refusals_of_a_county_stay_small() -> None:
    shared, own = {"C21": "no_mandate"}, {"C21": "expired"}
    assert len(pack_refusals([shared, own, {}, *[shared] * 20_000])) < 1_024
