"""The rows of a sum at the requester: fetched group by group, checked, added up (design.md section 5)."""

from blake3 import blake3

from matcher import identity
from matcher.errors import MatcherError
from matcher.sums import cohort as cohorts
from matcher.sums.groups import AREA_DIGITS, NO_AREA
from matcher.sums.paillier import PublicKey
from node.errors import UnavailableError
from node.requester.context import dishonest, with_retries
from node.requester.exposures import ROW_NAME_SIZE
from node.requester.sum_context import Product, Round, SumQuery, SumQuestion
from node.wire.sum_messages import RowsRequest, RowsSlice, SumGroupOffer, SumOffer


def make_product(run: Round, query: SumQuery, cohort: frozenset[bytes], item: str) -> Product:
    """Rounds 2 and 3: fetch the rows of an item, add those of the cohort, re-randomise.

    Of several rows with one point one counts: a peer may not make a sum look like one of more people.
    """
    groups = groups_of(query.offer, item, run.question)
    kept: dict[bytes, bytes] = {}
    done, total = 0, sum(group.rows for group in groups)
    for group in groups:
        kept |= _match_group(run, query, cohort, group, done, total)
        done += group.rows
    days = (min(g.as_of_from for g in groups), max(g.as_of_to for g in groups)) if groups else None
    summed = cohorts.add_rows(query.public, kept.values(), run.context.random_bytes)
    return Product(summed, days, frozenset(point[:ROW_NAME_SIZE] for point in kept), total)


def groups_of(offer: SumOffer, item: str, question: SumQuestion) -> list[SumGroupOffer]:
    """The groups that may contain people of the cohort."""
    areas = {
        found.value[:AREA_DIGITS] if identity.origin(found) != identity.NO_ORIGIN else NO_AREA
        for person in question.cohort
        for found in person
    }
    found = {offer.group_of(item, area) for area in areas} - {None}
    return sorted((group for group in found if group), key=lambda group: group.prefix)


def _match_group(
    run: Round, query: SumQuery, cohort: frozenset[bytes], group: SumGroupOffer, before: int, total: int
) -> dict[bytes, bytes]:
    """The ciphertexts of the cohort's rows in a group by their points; all rows were checked."""
    fetch, seen = _GroupFetch(run, query, cohort, group, before, total), run.context.verified_groups
    with_retries(run.context, fetch.run)
    if fetch.digest.digest() != group.digest:
        raise dishonest("rows are not those of the signed manifest", "rows_digest")
    seen.add(query.public.n, group.digest)
    return fetch.kept


class _GroupFetch:
    """The rows of one group; a broken stream is resumed after the last row received."""

    def __init__(
        self,
        run: Round,
        query: SumQuery,
        cohort: frozenset[bytes],
        group: SumGroupOffer,
        before: int,
        total: int,
    ) -> None:
        self._run, self._query, self._cohort, self._group = run, query, cohort, group
        self._before, self._total, self._row = before, total, 0
        self._known = run.context.verified_groups.holds(query.public.n, group.digest)
        self.digest, self.kept = blake3(), dict[bytes, bytes]()

    def run(self) -> None:
        """Fetch the other rows. Raises UnavailableError when the stream ends early, DishonestPeerError."""
        query, group, row = self._query, self._group, self._row
        if row < group.rows:
            opened, epoch = query.opened, query.offer.epoch
            request = RowsRequest(
                epoch,
                opened.session.query_id,
                group.item,
                group.prefix,
                group.version,
                row,
                opened.suite.name,
            )
            for part in self._run.calls.fetch_rows(request, query.public.ciphertext_size):
                self._take(part)
        if self._row < group.rows:
            raise UnavailableError("the peer ended the stream early")

    def _take(self, part: RowsSlice) -> None:
        public, point = self._query.public, self._query.opened.suite.sizes.point
        size, rows = public.ciphertext_size, len(part.points) // point
        if part.first_row != self._row or self._row + rows > self._group.rows:
            raise dishonest("the peer sends rows out of order", "rows_order")
        self.digest.update(cohorts.interleave(part.points, part.ciphertexts, point, size))
        if not self._known:
            check_rows(part, public)
        self.kept |= cohorts.choose_rows(self._cohort, part.points, part.ciphertexts, point, size)
        self._row += rows
        done, epoch = self._before + self._row, self._query.offer.epoch
        self._run.checkpoint.progress("fetch", done, self._total, epoch)


def check_rows(part: RowsSlice, public: PublicKey) -> None:
    """Check every row, matched or not (see `cohort.require_rows`). Raises DishonestPeerError."""
    try:
        cohorts.require_rows(public, part.ciphertexts)
    except MatcherError:
        raise dishonest("a row is no ciphertext of the peer's key", "ciphertext") from None
