"""What a running part of a sum keeps besides what every part keeps (node/requester/checkpoint.py)."""

import json
from collections.abc import Mapping

from node.database import Connection
from node.database import jobs as job_rows
from node.domain.packed import add_version, strip_version
from node.requester.checkpoint import MemoryCheckpoint, StoredCheckpoint
from node.requester.context import Session
from node.requester.sum_context import PeerSum, Product
from node.wire.sum_messages import SumAnswer

_PRODUCT_FORM = _SUM_FORM = 1


class StoredSumCheckpoint(StoredCheckpoint):
    """A part's journal in the database; survives a kill at any point."""

    def products(self) -> dict[str, Product]:
        """See node.aggregate.session.SumJournal."""
        with self._node.store.transaction("read sums under way") as tx:
            sealed = job_rows.read_products(tx, self._job, self._peer)
        return {item: unpack_product(self._unseal(f"product {item}", data)) for item, data in sealed.items()}

    def add_product(self, item: str, product: Product) -> None:
        """See node.aggregate.session.SumJournal."""
        sealed = self._seal(f"product {item}", pack_product(product))
        self._write("keep a sum", lambda tx: job_rows.add_product(tx, self._job, self._peer, item, sealed))

    def add_sums(self, sums: Mapping[str, PeerSum]) -> None:
        """See node.aggregate.session.SumJournal. All at once: they are of one opening."""
        sealed = {item: self._seal(item, pack_sum(found), "answers") for item, found in sums.items()}

        def write(tx: Connection) -> None:
            for item, data in sealed.items():
                job_rows.add_answers(tx, self._job, self._peer, item, data)

        self._write("keep answers", write)


class MemorySumCheckpoint(MemoryCheckpoint):
    """A journal of one process; nothing is kept when it ends."""

    def __init__(self) -> None:
        super().__init__()
        self._products: dict[str, Product] = {}

    def begin(self, session: Session) -> None:
        """See node.session.Journal."""
        super().begin(session)
        self._products.clear()

    def products(self) -> dict[str, Product]:
        """See node.aggregate.session.SumJournal."""
        return dict(self._products)

    def add_product(self, item: str, product: Product) -> None:
        """See node.aggregate.session.SumJournal."""
        self._products[item] = product

    def add_sums(self, sums: Mapping[str, PeerSum]) -> None:
        """See node.aggregate.session.SumJournal; the caller has them."""


def pack_product(product: Product) -> bytes:
    """JSON."""
    return add_version(_PRODUCT_FORM, json.dumps([product.ciphertext.hex(), product.as_of]).encode())


def unpack_product(packed: bytes) -> Product:
    """What pack_product made."""
    ciphertext, as_of = json.loads(strip_version(_PRODUCT_FORM, packed))
    return Product(bytes.fromhex(ciphertext), None if as_of is None else tuple(as_of))


def pack_sum(found: PeerSum) -> bytes:
    """JSON."""
    one = found.answer
    fields = (one.item, one.rule, one.mode, one.count, one.total, one.variance, one.bands, one.epsilon)
    return add_version(_SUM_FORM, json.dumps([fields, found.asked, found.as_of]).encode())


def unpack_sum(packed: bytes) -> PeerSum:
    """What pack_sum made; only ever given bytes that opened under this node's own key."""
    (item, rule, mode, total_count, total, variance, bands, epsilon), asked, as_of = json.loads(
        strip_version(_SUM_FORM, packed)
    )
    answer = SumAnswer(item, rule, mode, total_count, total, variance, tuple(bands), epsilon)
    return PeerSum(answer, asked, None if as_of is None else tuple(as_of))
