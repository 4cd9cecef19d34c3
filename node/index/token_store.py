"""Reads and writes the token blocks of a class and epoch in the database (design.md section 3.1)."""

from collections.abc import Iterator, Mapping, Sequence

from keys.errors import StoreDamagedError
from keys.store.vault import OVERHEAD
from matcher.types import TokenClass
from node.context import Node
from node.database import token_blocks
from node.database.token_blocks import TokenBlockRow
from node.domain import sealed_names as names
from node.errors import ConflictError
from node.index.token_blocks import COUNT_SIZE, SLOT_SIZE, Blocks, damaged

_OVERHEAD = COUNT_SIZE + OVERHEAD  # bytes of a sealed block that are no slots


class TokenStore:
    """The stored blocks of one class and epoch.

    `mend`: a block that does not open counts as empty and is replaced, as a full import does.
    """

    def __init__(self, node: Node, token_class: TokenClass, epoch: int, *, mend: bool = False) -> None:
        self._node, self._class, self._epoch, self._mend = node, token_class, epoch, mend
        self._seen: dict[int, int] = {}

    def read(self, prefixes: Sequence[int]) -> dict[int, bytes]:
        """Those of some blocks that exist. Raises UnavailableError for one that does not open."""
        return {row.prefix: self.open(row) for row in self.rows(prefixes)}

    def rows(self, prefixes: Sequence[int]) -> list[TokenBlockRow]:
        """The same, sealed; `write` refuses to replace later versions than these."""
        with self._node.store.transaction("read tokens") as tx:
            found = token_blocks.read_blocks(tx, self._class, self._epoch, prefixes)
        self._seen |= dict.fromkeys(prefixes, 0) | {row.prefix: row.version for row in found}
        return found

    def open(self, row: TokenBlockRow) -> bytes:
        """The content of a block. Raises UnavailableError where it does not open."""
        try:
            return self._node.keys.vault.unseal(self._place(row.prefix, row.version), row.sealed)
        except StoreDamagedError:
            if self._mend:
                return b""
            raise damaged() from None

    def write(self, changed: Blocks, sources: Mapping[int, int] | None = None) -> bool:
        """Write blocks that were read before, all or none; False where another run has written one since.

        `sources` are the versions they were made from, by prefix, in a rotation.
        """
        if not changed:
            return True
        rows = [self._seal(prefix, content, sources or {}) for prefix, content in changed.items()]
        try:
            with self._node.store.transaction("write tokens", write=True) as tx:
                token_blocks.write_blocks(tx, self._class, self._epoch, rows, self._seen)
        except ConflictError:
            return False
        self._seen |= {prefix: self._seen[prefix] + 1 for prefix in changed}
        return True

    def _seal(self, prefix: int, content: bytes, sources: Mapping[int, int]) -> TokenBlockRow:
        version = self._seen[prefix] + 1
        sealed = self._node.keys.vault.seal(self._place(prefix, version), content)
        return TokenBlockRow(prefix, version, sources.get(prefix, 0), sealed)

    def count(self) -> int:
        """How many slots there are, by the size of the blocks."""
        with self._node.store.transaction("count tokens") as tx:
            blocks, size = token_blocks.block_sizes(tx, self._epoch).get(self._class, (0, 0))
        return (size - blocks * _OVERHEAD) // SLOT_SIZE

    def slices(self) -> Iterator[dict[int, bytes]]:
        """All blocks, some at a time."""
        return (self.read(some) for some in self.ranges())

    def ranges(self) -> list[range]:
        """All prefixes, some neighbouring ones at a time, as many as `read` should load."""
        with self._node.store.transaction("find tokens") as tx:
            return token_blocks.prefix_ranges(tx, self._epoch, [self._class])

    def _place(self, prefix: int, version: int) -> str:
        return names.of_tokens(self._class.value, self._epoch, prefix, version)
