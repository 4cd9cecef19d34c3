"""The requester's own rules before it returns a sum (design.md section 5, docs/adr/0020).

The peer opens a sum also when it then suppresses it, and knows its own rows: a sum of few matches names them,
and several sums of one set of rows narrow it down. Neither is sent.
"""

from collections.abc import Mapping

from matcher.sums.exposure import OpenedSet, item_equations
from node.domain.sum_findings import EXPOSURE, MIN_OPENED
from node.domain.sum_rules import SumRule
from node.requester.sum_context import Product, Round, SumQuery


def fewest_rows(rule: SumRule, min_opened: int) -> int:
    """The fewest people whose sum is returned to a peer; below its minimum cohort it would not answer."""
    return max(min_opened, rule.min_cohort)


def hold_back(run: Round, query: SumQuery, products: Mapping[str, Product]) -> dict[str, str]:
    """The items whose sum is not returned to the peer, with the rule."""
    held: dict[str, str] = {}
    wanted: dict[str, tuple[OpenedSet, int]] = {}
    for code in query.held:
        rule, product = run.context.catalogue.item(code).sum, products[code]
        if rule is None or len(product.rows) < fewest_rows(rule, run.context.settings.min_opened):
            held[code] = MIN_OPENED
        else:
            bands = rule.layout.band_slots
            wanted[code] = OpenedSet(product.rows, item_equations(bands)), product.fetched
    exposures, session = run.context.exposures, query.opened.session
    if exposures is None:  # nobody counts: nothing is opened
        return held | dict.fromkeys(wanted, EXPOSURE)
    refused = exposures.admit(query.offer.epoch, session.query_id, wanted) if wanted else set()
    return held | dict.fromkeys(refused, EXPOSURE)
