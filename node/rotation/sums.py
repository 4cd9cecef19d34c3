"""Rotation of the keys of sums: sum key, Paillier key and check secret as one epoch (docs/adr/0009).

Every group of rows is encrypted under them from its sealed values, unpublished, over the cores
(sums_tasks.py); then the aliases. After a kill the next run continues after the last complete group.
"""

import secrets
from collections.abc import Iterator, Mapping
from functools import partial

from keys import KeyStore
from keys.store.kinds import generate_secret
from node.compute.engine import Engine, cores, open_engine
from node.compute.scratch import KEY_SIZE
from node.context import Node
from node.credentials.sum_keys import SUM_PURPOSES, SumKeys
from node.database import Connection, Store, sum_epoch_switch
from node.database import sum_tables as sum_rows
from node.database.sum_tables import GroupRow, NewGroup
from node.domain.sum_rules import SumRule
from node.index.sum_aliases import open_aliases, seal_aliases
from node.index.sum_blocks import read_rows
from node.index.sum_table_writer import GroupWriter
from node.rotation.epochs import make_epoch, read_keyring
from node.rotation.oprf import draw_key
from node.rotation.run import Amount, Home, Keyring, Rotation, Run, require_node
from node.rotation.sums_tasks import Batch, Sorter, SumRekeying, move_aliases, rekey_rows
from node.telemetry.progress import Progress

SUM = SUM_PURPOSES[0]
SMALL_ROWS = 2_000  # below this, starting processes and their tables costs more than it gains
_ALIASES = 5_000  # moved at once


class SumsRotation(Rotation):
    """Rotation of the three keys of sums."""

    purposes = SUM_PURPOSES

    def read(self, home: Home, keys: KeyStore) -> Keyring:
        """All epochs of the three keys. Raises KeyMissingError for a home from before there were sums."""
        return read_keyring(home, keys, self.purposes)

    def measure(self, home: Home) -> Amount:
        """Groups and rows under the active keys."""
        node = require_node(home)
        if node.keys.sums is None:
            return Amount()
        with node.store.transaction("count rows of sums") as tx:
            groups = sum_epoch_switch.current_groups(tx, node.keys.sums.epoch, sum_rules(node))
        return Amount(len(groups), sum(group.rows for group in groups))

    def make(self, run: Run) -> None:
        """Three keys; the sum key is one that the stored points can be brought under."""
        old = run.keys.get(f"{SUM}.{run.old(SUM).epoch}")

        def draw(purpose: str) -> bytes:
            if purpose == SUM:
                return draw_key(SUM, old, run.home.random_bytes)
            return generate_secret(purpose)

        make_epoch(run, self.purposes, draw)

    def rekey(self, run: Run) -> Amount:
        """Every group that has no counterpart yet, and all aliases. Raises UnavailableError for damage."""
        old, new = run.old(SUM).epoch, SumKeys.of(run.keys, run.epoch(SUM))
        before, key = run.keys.get(f"{SUM}.{old}"), secrets.token_bytes(KEY_SIZE)
        work = SumRekeying(before, new, sum_rules(run.node), run.require_folder(), key)
        return _rekey_all(run.node, work, old, run.workers, run.progress)

    def switch(self, tx: Connection, run: Run) -> Amount:
        """Groups become current. Raises ConflictError unless all are there."""
        old, new, now = run.old(SUM).epoch, run.epoch(SUM), run.home.clock()
        return Amount(*sum_epoch_switch.publish_epoch(tx, old, new, _packings(sum_rules(run.node)), now))

    def retire(self, store: Store, epoch: int) -> None:
        """Remove its rows and aliases."""
        sum_epoch_switch.forget_epoch(store, epoch)


def sum_rules(node: Node) -> dict[str, SumRule]:
    """The rule of each item that can be summed. Rows of other items are served to nobody, are not moved, and
    go with their epoch.
    """
    every = (node.catalogue.item(code) for code in node.catalogue.codes)
    return {item.code: item.sum for item in every if item.sum is not None}


def _packings(rules: Mapping[str, SumRule]) -> dict[str, bytes]:
    return {item: rule.packing for item, rule in rules.items()}


def _rekey_all(node: Node, work: SumRekeying, old: int, workers: int | None, progress: Progress) -> Amount:
    with node.store.transaction("find groups of sums") as tx:
        found = sum_epoch_switch.split_prepared(tx, old, work.new.epoch, _packings(work.rules))
    missing, outdated = found
    node.store.retry_write("drop outdated groups", partial(sum_rows.remove, groups=outdated))
    total, done = sum(group.rows for group in missing), 0
    if workers is None:
        workers = cores() if total >= SMALL_ROWS else 0
    with open_engine(work, workers) as engine:
        for group in missing:
            for rows in _rekey_group(node, work, engine, group):
                done += rows
                progress("rekey", done, total)
        _move_aliases(node, work, old)
        return Amount(len(missing), total, engine.usage(), workers)


def _rekey_group(node: Node, work: SumRekeying, engine: Engine, group: GroupRow) -> Iterator[int]:
    """Write the counterpart of a group; yield rows as they are done."""
    size = work.new.private.public.ciphertext_size
    sorter = Sorter(engine.scratch, group.rows, size)
    stored = (
        Batch(group.item, rows["point"].tobytes(), rows["day"], rows["value"])
        for rows in read_rows(node, group)
    )
    for rows in engine.map(rekey_rows, stored):
        sorter.add(rows)
        yield len(rows)
    packing = work.rules[group.item].packing
    new = NewGroup(group.item, group.prefix, work.new.epoch, packing, group.version)
    writer = GroupWriter.open(node, new, size)
    for rows in sorter.sorted():
        writer.add(rows)
    writer.finish()


def _move_aliases(node: Node, work: SumRekeying, old: int) -> None:
    """Convert the aliases of all items again: an import may have changed them since an earlier run."""
    sum_epoch_switch.forget_aliases(node.store, work.new.epoch)
    for item in work.rules:
        after = b""
        while True:
            with node.store.transaction("read aliases") as tx:
                found = sum_epoch_switch.read_aliases(tx, item, old, after, _ALIASES)
            if not found:
                break
            moved = move_aliases(work, open_aliases(node.keys.vault, old, item, found))
            new = seal_aliases(node.keys.vault, work.new, item, moved)
            node.store.retry_write(
                "write aliases", partial(sum_rows.add_aliases, item=item, epoch=work.new.epoch, new=new)
            )
            after = found[-1].tag
