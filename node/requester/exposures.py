"""What a peer has opened for this home, counted before each sum is returned (design.md section 5).

The rows of each set are kept sealed while their epoch may be answered: only then can they be told from
others.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from keys.store.vault import Vault
from matcher.sums.exposure import OpenedSet, may_open
from node.database import Connection, Store, sum_exposures
from node.database import peers as peer_rows
from node.database.sum_exposures import ExposureRow
from node.domain.packed import add_version, strip_version
from node.domain.sealed_names import of_exposure

ROWS_VERSION: Final = 1
ROW_NAME_SIZE: Final = 16  # bytes of a point that tell rows apart; points are pseudorandom


@dataclass(frozen=True, slots=True)
class Exposures:
    """What one peer has opened for this home."""

    store: Store = field(repr=False)
    vault: Vault = field(repr=False)
    peer: str

    def admit(self, epoch: int, query: bytes, wanted: Mapping[str, tuple[OpenedSet, int]]) -> set[str]:
        """Count the items of a query that may be opened; the others.

        `wanted` are the rows of each item, and how many were fetched. What was counted before is the same
        ciphertext again, and tells nothing new.
        """

        def write(tx: Connection) -> set[str]:
            peer_rows.lock_peer(tx, self.peer)
            # The epoch before may still be answered.
            sum_exposures.forget_exposures(tx, self.peer, epoch - 1)
            rows = sum_exposures.exposures_of(tx, self.peer, epoch)
            known = {(row.query_id, row.item): self._open(row) for row in rows}
            refused = set()
            for item, (new, fetched) in wanted.items():
                if (query, item) in known:
                    refused |= {item} if known[query, item].rows != new.rows else set()
                elif may_open(new, known.values(), fetched):
                    sum_exposures.add_exposure(tx, self._seal(epoch, query, item, new))
                    known[query, item] = new
                else:
                    refused.add(item)
            return refused

        return self.store.retry_write("count what a peer opens", write)

    def _seal(self, epoch: int, query: bytes, item: str, new: OpenedSet) -> ExposureRow:
        packed = add_version(ROWS_VERSION, b"".join(sorted(new.rows)))
        sealed = self.vault.seal(of_exposure(self.peer, query, item), packed)
        return ExposureRow(self.peer, query, item, epoch, new.equations, sealed)

    def _open(self, row: ExposureRow) -> OpenedSet:
        opened = self.vault.unseal(of_exposure(row.peer, row.query_id, row.item), row.rows_sealed)
        packed = strip_version(ROWS_VERSION, opened)
        names = (packed[at : at + ROW_NAME_SIZE] for at in range(0, len(packed), ROW_NAME_SIZE))
        return OpenedSet(frozenset(names), row.equations)
