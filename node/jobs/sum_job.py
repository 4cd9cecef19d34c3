"""A sum as a job of the requester's node: what may be asked, and one peer's part."""

from node.context import Node
from node.domain.summation import Summation
from node.errors import InvalidRequestError, RefusedError
from node.requester.context import QueryContext
from node.requester.sum_checkpoint import StoredSumCheckpoint
from node.requester.sum_context import SumQuestion
from node.requester.sums import ask_sums
from node.transport.peer_client import PeerClient


def check_summation(node: Node, summation: Summation) -> None:
    """What can be seen before anybody is asked, and so costs no budget.

    Raises InvalidRequestError, ItemNotOfferedError (no such item), and RefusedError for a cohort that no peer
    may answer.
    """
    if not summation.legal_basis:
        raise InvalidRequestError("a sum needs a legal basis", "name its code, such as SA-2014-58")
    if len(set(summation.cohort)) != len(summation.cohort) or not all(summation.cohort):
        raise InvalidRequestError("a person of the cohort is given twice, or without an identity")
    for code in summation.items:
        rule = node.catalogue.item(code).sum
        if rule is None:
            raise InvalidRequestError(f"{code} is not an item that can be summed", "see `heqiao catalogue`")
        if len(summation.cohort) < rule.min_cohort:
            raise RefusedError(
                f"a sum of {code} needs at least {rule.min_cohort} people",
                "widen the cohort; nobody was asked",
                {"rule": "min_cohort"},
            )


def ask_part(
    context: QueryContext, link: PeerClient, checkpoint: StoredSumCheckpoint, summation: Summation
) -> None:
    """Ask one peer; the journal keeps what it answered."""
    ask_sums(context, link, checkpoint, SumQuestion(summation.cohort, summation.items, summation.legal_basis))
