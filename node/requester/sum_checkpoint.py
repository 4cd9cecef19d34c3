"""The checkpoint of a part of a sum: more than every part keeps (node/requester/checkpoint.py)."""

import json
from collections.abc import Mapping

from node.database import Connection
from node.database import jobs as job_rows
from node.domain import sealed_names as names
from node.domain.packed import add_version, strip_version
from node.requester.checkpoint import MemoryCheckpoint, StoredCheckpoint
from node.requester.context import Session
from node.requester.sum_context import PeerSum, Product
from node.wire.sum_messages import SumAnswer

PRODUCT_VERSION = 2
SUM_VERSION = 1


class StoredSumCheckpoint(StoredCheckpoint):
    """The checkpoint of a part in the database; survives a kill at any point."""

    def products(self) -> dict[str, Product]:
        """See node.requester.sum_context.SumCheckpoint."""
        with self._node.store.transaction("read running sums") as tx:
            sealed = job_rows.read_products(tx, self._job, self._peer)
        return {item: unpack_product(self._unseal(f"product {item}", data)) for item, data in sealed.items()}

    def add_product(self, item: str, product: Product) -> None:
        """See node.requester.sum_context.SumCheckpoint."""
        sealed = self._seal(f"product {item}", pack_product(product))
        self._write("keep a sum", lambda tx: job_rows.add_product(tx, self._job, self._peer, item, sealed))

    def add_sums(self, sums: Mapping[str, PeerSum]) -> None:
        """See node.requester.sum_context.SumCheckpoint. All at once: they come from one call."""
        sealed = {item: self._seal(item, pack_sum(found), names.of_answers) for item, found in sums.items()}

        def write(tx: Connection) -> None:
            for item, data in sealed.items():
                job_rows.add_answers(tx, self._job, self._peer, item, data)

        self._write("keep answers", write)


class MemorySumCheckpoint(MemoryCheckpoint):
    """The checkpoint of a part in memory; nothing is left when the process ends."""

    def __init__(self) -> None:
        super().__init__()
        self._products: dict[str, Product] = {}

    def begin(self, session: Session) -> None:
        """See node.requester.context.Checkpoint."""
        super().begin(session)
        self._products.clear()

    def products(self) -> dict[str, Product]:
        """See node.requester.sum_context.SumCheckpoint."""
        return dict(self._products)

    def add_product(self, item: str, product: Product) -> None:
        """See node.requester.sum_context.SumCheckpoint."""
        self._products[item] = product

    def add_sums(self, sums: Mapping[str, PeerSum]) -> None:
        """See node.requester.sum_context.SumCheckpoint; the caller has them."""


def pack_product(product: Product) -> bytes:
    """Version, then JSON."""
    rows = [row.hex() for row in sorted(product.rows)]
    text = json.dumps([product.ciphertext.hex(), product.as_of, rows, product.fetched])
    return add_version(PRODUCT_VERSION, text.encode())


def unpack_product(packed: bytes) -> Product:
    """What pack_product made. Raises PreconditionError for that of another release."""
    ciphertext, as_of, rows, fetched = json.loads(strip_version(PRODUCT_VERSION, packed))
    days = None if as_of is None else tuple(as_of)
    return Product(bytes.fromhex(ciphertext), days, frozenset(map(bytes.fromhex, rows)), fetched)


def pack_sum(found: PeerSum) -> bytes:
    """Version, then JSON."""
    one = found.answer
    fields = (one.item, one.rule, one.mode, one.count, one.total, one.variance, one.bands, one.epsilon)
    return add_version(SUM_VERSION, json.dumps([fields, found.asked, found.as_of]).encode())


def unpack_sum(packed: bytes) -> PeerSum:
    """What pack_sum made; called only with bytes that opened under this node's own key.

    Raises PreconditionError for those of another release.
    """
    fields, asked, as_of = json.loads(strip_version(SUM_VERSION, packed))
    item, rule, mode, total_count, total, variance, bands, epsilon = fields
    answer = SumAnswer(item, rule, mode, total_count, total, variance, tuple(bands), epsilon)
    return PeerSum(answer, asked, None if as_of is None else tuple(as_of))
