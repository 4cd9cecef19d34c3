"""Rotation of the keys of sums: sum key, Paillier key and check secret as one epoch (docs/adr/0009).

    make     `sum.<epoch>`, `paillier.<epoch>` and `sumcheck.<epoch>` in the key store, rows `pending`
    rekey    every group of rows under them, unpublished, over the cores (sums_tasks.py); then aliases
    switch   states and groups in one transaction; running nodes see it within half a second
    retire   later: the old epoch is refused, and its rows go
    destroy  at last: its keys go too

A run that is killed leaves the old epoch served; the next one goes on behind the last group that is whole.
"""

import secrets
from collections.abc import Collection, Iterator, Sequence
from functools import partial

from keys import KeyStore
from keys import rotation as plans
from keys.rotation import Action, Step
from keys.store.kinds import fingerprint, generate_secret
from keys.types import EpochKey, KeyState, RotationPolicy
from matcher import oprf
from matcher.errors import ScalarError
from matcher.sums.slots import Layout
from node.compute.engine import Engine, cores, open_engine
from node.compute.scratch import KEY_SIZE
from node.compute.types import Usage
from node.context import Node
from node.credentials.sum_keys import SUM_PURPOSES, SumKeys
from node.database import Connection, key_epochs, sum_epoch_switch
from node.database import sum_tables as sum_rows
from node.database.sum_tables import GroupRow, NewGroup
from node.index.sum_table_writer import GroupWriter
from node.index.update_lock import open_workspace
from node.rotation import driver
from node.rotation.oprf import Rotated
from node.rotation.sums_tasks import Sorter, Stretch, SumRekeying, altered, move_aliases, rekey_block
from node.telemetry.progress import Progress, Stopwatch

SUM, PAILLIER, _ = SUM_PURPOSES
SMALL_ROWS = 256  # below this, starting processes and their tables costs more than it gains
_ALIASES = 5_000  # moved at once


def read_keyring(node: Node, store: KeyStore) -> tuple[EpochKey, ...]:
    """All epochs of the three keys. Raises KeyMissingError for a home from before there were sums."""
    return driver.read_keyring(node, store, SUM_PURPOSES)


def policy_of(node: Node, purpose: str) -> RotationPolicy:
    """The policy of a purpose, with the longer grace of both: what a peer began ends under all three keys."""
    found = {one: node.config.rotation.policy(one) or RotationPolicy() for one in (SUM, PAILLIER)}
    grace = max(one.grace for one in found.values())
    return RotationPolicy(max(found[purpose].every, grace), grace)


def rotate_sums(
    node: Node,
    store: KeyStore,
    policy: RotationPolicy,
    *,
    purpose: str = PAILLIER,
    workers: int | None = None,
    progress: Progress = lambda _stage, _done, _total: None,
) -> Rotated:
    """Make the next epoch of sums active, or finish a rotation that was begun; `purpose` is the key told of.

    Raises ConflictError while an import or another rotation runs, KeyStateError for a state or clock that
    does not allow it, UnavailableError for a database or disk that fails; the old epoch stays served.
    """
    watch = Stopwatch()
    with open_workspace(node) as space:
        ring = read_keyring(node, store)
        steps = plans.plan_rotation(ring, SUM, policy, node.clock())
        resumed = steps[0].action is not Action.MAKE
        current, switch = plans.active(ring, SUM), steps[-1]
        old = SumKeys.of(store, current.epoch)
        new = _make(node, store, ring, old, switch.epoch)
        progress("make", 1, 1)
        watch.lap("make")
        work = SumRekeying(old, new, layouts(node), space.folder, secrets.token_bytes(KEY_SIZE))
        usage, workers = _rekey_all(node, work, workers, progress)
        watch.lap("rekey")
        groups, rows = _switch(node, store, work, switch)
        progress("switch", 1, 1)
        watch.lap("switch")
    node.ring.refresh()
    until = switch.until or node.clock()
    named = fingerprint(purpose, store.get(f"{purpose}.{switch.epoch}"))
    return Rotated(switch.epoch, named, until, groups, rows, resumed, dict(watch.seconds), usage, workers)


def retire(node: Node, store: KeyStore, *, early: bool = False) -> list[EpochKey]:
    """Refuse every epoch whose grace is over (with `early` all in grace), and remove its rows."""
    done = driver.move(
        node,
        store,
        SUM_PURPOSES,
        lambda ring: plans.plan_retirement(ring, SUM, node.clock(), early=early),
    )
    # Also of epochs whose removal a killed run did not end.
    for key in read_keyring(node, store):
        if key.purpose == SUM and key.state in (KeyState.RETIRED, KeyState.DESTROYED):
            sum_epoch_switch.forget_epoch(node.store, key.epoch)
    node.ring.refresh()
    return done


def destroy(node: Node, store: KeyStore, epoch: int | None = None) -> list[EpochKey]:
    """Erase the secrets of retired epochs, or of one. Raises KeyStateError for one still in use."""
    return driver.destroy(node, store, SUM_PURPOSES, epoch)


def layouts(node: Node) -> dict[str, Layout]:
    """What a row of each item that can be summed looks like. Rows of other items are served to nobody, are
    not moved, and go with their epoch.
    """
    every = (node.catalogue.item(code) for code in node.catalogue.codes)
    return {item.code: item.sum.layout for item in every if item.sum is not None}


def _make(node: Node, store: KeyStore, ring: Sequence[EpochKey], old: SumKeys, epoch: int) -> SumKeys:
    def draw(purpose: str) -> bytes:
        return _draw_sum_key(node, old.sum_key) if purpose == SUM else generate_secret(purpose)

    driver.make(node, store, [plans.active(ring, purpose) for purpose in SUM_PURPOSES], epoch, draw)
    return SumKeys.of(store, epoch)


def _draw_sum_key(node: Node, old: bytes) -> bytes:
    """A fresh key whose ratio to the old one has a clamped representative: nearly every one has."""
    while True:
        secret = generate_secret(SUM, node.random_bytes)
        try:
            oprf.ratio(oprf.clamp(secret), oprf.clamp(old))
        except ScalarError:
            continue
        return secret


def _rekey_all(node: Node, work: SumRekeying, workers: int | None, progress: Progress) -> tuple[Usage, int]:
    with node.store.transaction("find groups of sums") as tx:
        missing, outdated = sum_epoch_switch.split_prepared(tx, work.old.epoch, work.new.epoch, work.layouts)
    node.store.retry_write("drop outdated groups", partial(sum_rows.remove, groups=outdated))
    total, done = sum(group.rows for group in missing), 0
    if workers is None:
        workers = cores() if total >= SMALL_ROWS else 0
    with open_engine(work, workers) as engine:
        for group in missing:
            for rows in _rekey_group(node, work, engine, group):
                done += rows
                progress("rekey", done, total)
        _move_aliases(node, work)
        return engine.usage(), workers


def _rekey_group(node: Node, work: SumRekeying, engine: Engine, group: GroupRow) -> Iterator[int]:
    """Write the counterpart of a group; yield rows as they are done."""
    size = work.new.private.public.ciphertext_size
    sorter, found = Sorter(engine.scratch, group.rows, size), 0
    for rows in engine.map(rekey_block, _blocks(node, group)):
        sorter.add(rows)
        found += len(rows)
        yield len(rows)
    if found != group.rows:
        raise altered(group.item)
    new = NewGroup(group.item, group.prefix, work.new.epoch, group.version)
    writer = GroupWriter.open(node, new, size)
    for rows in sorter.sorted():
        writer.add(rows)
    writer.finish()


def _blocks(node: Node, group: GroupRow) -> Iterator[Stretch]:
    number = 0
    while True:
        with node.store.transaction("read rows of sums") as tx:
            block = sum_rows.read_block(tx, group.id, number)
        if block is None:
            return
        yield Stretch(group.item, block)
        number += 1


def _move_aliases(node: Node, work: SumRekeying) -> None:
    """The aliases of all items, anew: an import may have changed them since an earlier run."""
    sum_epoch_switch.forget_aliases(node.store, work.new.epoch)
    for item in work.layouts:
        after = b""
        while True:
            with node.store.transaction("read aliases") as tx:
                found = sum_epoch_switch.read_aliases(tx, item, work.old.epoch, after, _ALIASES)
            if not found:
                break
            moved = move_aliases(work, found)
            node.store.retry_write(
                "write aliases",
                partial(sum_epoch_switch.add_aliases, item=item, epoch=work.new.epoch, new=moved),
            )
            after = found[-1].alias


def _switch(node: Node, store: KeyStore, work: SumRekeying, step: Step) -> tuple[int, int]:
    """States and groups in one transaction; return how many groups and rows there are."""
    ring, now = read_keyring(node, store), node.clock()
    moved = driver.apply(ring, step, SUM_PURPOSES, node)
    items: Collection[str] = work.layouts

    def write(tx: Connection) -> tuple[int, int]:
        key_epochs.move_epochs(tx, ring, moved, now)
        return sum_epoch_switch.publish_epoch(tx, work.old.epoch, work.new.epoch, items, now)

    return node.store.retry_write("switch epochs of sums", write)
