"""The messages of a sum as dataclasses: the four rounds of design.md section 5."""

from dataclasses import dataclass, field

from matcher import SUITE
from matcher.suites.suite import CURRENT
from matcher.sums.groups import longest_prefix

POINT = CURRENT.sizes.point

BLOCK_ROWS = 256  # of the largest modulus that fits a message of 1 MiB

# In memory until the last one has arrived, since they are answered in another order.
MAX_COHORT_POINTS = 1 << 18
# A cohort of few points would tell whose rows are whose. All are distinct.
MIN_COHORT_POINTS = 64

NO_QUERY = "no_query"  # the rule that refuses rows and sums of an unknown query


@dataclass(frozen=True, slots=True)
class SumGroupOffer:
    """The rows of one item and one area of registration, one version.

    `prefix` is the first 6, 4 or 2 digits of the identity numbers, `00` for documents without an area.
    `digest` is BLAKE3 over the rows in order (point, ciphertext). Dates in days since 1970-01-01.
    """

    item: str
    prefix: str
    version: int
    rows: int
    digest: bytes
    as_of_from: int
    as_of_to: int


@dataclass(frozen=True, slots=True)
class SumOffer:
    """A responder's offer for sums: its Paillier modulus n (big endian) with its proof, its groups.

    `canaries` are k_s * M_c of the public constants, 32 bytes each.
    """

    epoch: int
    modulus: bytes
    proof: bytes = field(repr=False)
    canaries: bytes = field(repr=False)
    max_cohort_points: int
    groups: tuple[SumGroupOffer, ...]

    def group_of(self, item: str, area: str) -> SumGroupOffer | None:
        """The group of an area (six digits, or `00`): the one with the longest offered prefix."""
        of_item = {one.prefix: one for one in self.groups if one.item == item}
        found = longest_prefix(of_item, area)
        return None if found is None else of_item[found]


@dataclass(frozen=True, slots=True)
class CohortStart:
    """Round 1: opens the evaluation of a cohort. The commitment is to the one blind of all its points."""

    epoch: int
    salt_version: int
    manifest_digest: bytes
    query_id: bytes
    points_announced: int
    items: tuple[str, ...]
    purpose: str
    legal_basis: str
    blind_commitment: bytes
    mandate_root: bytes
    suite: str = SUITE


@dataclass(frozen=True, slots=True)
class RowsRequest:
    """Round 2: requests the rows of one group version, from `first_row` on."""

    epoch: int
    query_id: bytes
    item: str
    prefix: str
    version: int
    first_row: int
    suite: str = SUITE


@dataclass(frozen=True, slots=True)
class RowsSlice:
    """Some rows of a group: points S (32 bytes each) and their ciphertexts, one after the other."""

    first_row: int
    points: bytes = field(repr=False)
    ciphertexts: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class OpenRequest:
    """Rounds 3 and 4: one re-randomised ciphertext per item, in the order of `items`."""

    epoch: int
    query_id: bytes
    items: tuple[str, ...]
    ciphertexts: tuple[bytes, ...] = field(repr=False)
    suite: str = SUITE


@dataclass(frozen=True, slots=True)
class SumAnswer:
    """The responder's answer for one item: figures, or the `rule` that suppresses them.

    `total` and `variance` are in the item's unit (fen) and its square; with noise
    there is no variance. A None in `bands` is a cell that is
    too small to show. `epsilon` is the answer's cost in privacy budget, 0 in mode `exact`.
    """

    item: str
    rule: str = ""
    mode: str = ""
    count: int = field(default=0, repr=False)
    total: int = field(default=0, repr=False)
    variance: int | None = field(default=None, repr=False)
    bands: tuple[int | None, ...] = field(default=(), repr=False)
    epsilon: float = 0.0
