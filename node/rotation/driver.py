"""Rotation of keys of every kind: from one epoch to the next, and the end of the old one.

    read     the states, and from them the steps that are left to do (keys.rotation)
    make     the next keys in the key store, rows `pending`
    rekey    stored data, under them too, unpublished
    switch   states, and what belongs to the new epoch, in one transaction
    retire   later: the old epoch is refused, and what is stored under it removed
    destroy  finally: its secrets are erased

A killed run leaves the old epoch served or the new one complete; the next run does the rest.
Imports and rotations of imported data exclude each other by the lock of node/index/update_lock.py.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from keys import KeyStore
from keys import rotation as plans
from keys.rotation import Action, Step
from keys.types import EpochKey, KeyState, RotationPolicy
from node.context import Node
from node.database import Connection, key_epochs
from node.errors import ConflictError
from node.index.update_lock import Workspace, open_workspace
from node.rotation.run import Amount, Home, Keyring, Rotated, Rotation, Run
from node.telemetry.progress import Progress, Stopwatch


def _silent(_stage: str, _done: int, _total: int) -> None:
    pass


def prepare(kind: Rotation, home: Home, keys: KeyStore, policy: RotationPolicy) -> Run:
    """The states and the steps that are left to do; changes nothing. Raises KeyStateError."""
    ring = kind.read(home, keys)
    return Run(home, keys, ring, kind.plan(home, ring, policy))


def rotate(
    kind: Rotation,
    home: Home,
    keys: KeyStore,
    policy: RotationPolicy,
    *,
    epoch: int | None = None,
    workers: int | None = None,
    progress: Progress = _silent,
    wait: bool = False,
) -> Rotated:
    """Make the next epoch active, or finish a rotation that was begun; `epoch` is the expected one.

    Raises ConflictError while an import or another rotation runs (unless it is to `wait`) or where another
    one was first,
    KeyStateError for a state or clock that does not allow it, UnavailableError for a database or disk that
    fails; the old epoch stays in use.
    """
    watch = Stopwatch()
    with _workspace(kind, home, wait=wait) as space:
        run = prepare(kind, home, keys, policy)
        folder = space.folder if space else None
        run = replace(run, folder=folder, workers=workers, progress=progress)
        if epoch not in (None, run.epoch(kind.purposes[0])):
            raise ConflictError(
                f"another administrator rotated the key {kind.purposes[0]} meanwhile",
                "look at `heqiao keys status`, then try again",
            )
        kind.make(run)
        progress("make", 1, 1)
        watch.lap("make")
        moved = kind.rekey(run)
        watch.lap("rekey")
        if space:
            space.require_lock()
        done = _switch(kind, run, moved)
        progress("switch", 1, 1)
        watch.lap("switch")
        if done.switched:
            kind.clean_up(run)
            watch.lap("clean up")
    _refresh(home)
    return replace(done, seconds=dict(watch.seconds))


def retire(kind: Rotation, home: Home, keys: KeyStore, *, early: bool = False) -> list[EpochKey]:
    """Refuse every epoch whose grace is over (with `early` all in grace), and remove what is under it."""
    kind.settle(home, keys)
    ring = kind.read(home, keys)
    moved = _move(kind, home, ring, kind.plan_retirement(ring, home.clock(), early=early))
    _remove_past(kind, home, keys)
    _refresh(home)
    return moved


def destroy(kind: Rotation, home: Home, keys: KeyStore, epoch: int | None = None) -> list[EpochKey]:
    """Erase the secrets of retired epochs, or of one. Raises KeyStateError for one still in use."""
    ring = kind.read(home, keys)
    steps = plans.plan_destruction(ring, kind.purposes[0], epoch)
    for step in steps:
        kind.require_unused(home, step.epoch)
        # The secrets first: after a kill in between, the next run still finds the rows to be moved.
        for purpose in kind.purposes:
            keys.remove(f"{purpose}.{step.epoch}")
    return _move(kind, home, ring, steps)


def abandon(kind: Rotation, home: Home, keys: KeyStore) -> list[EpochKey]:
    """Abandon an unswitched rotation: the keys of the kinds it carries are given up, its own key stays."""
    with _workspace(kind, home):
        ring = kind.read(home, keys)
        carried = [purpose for other in kind.carries for purpose in other.purposes]
        moved = _write(home, ring, plans.plan_abandonment(ring, carried))
    _refresh(home)
    _remove_past(kind, home, keys)
    return moved


def _switch(kind: Rotation, run: Run, moved: Amount) -> Rotated:
    """States and what belongs to the new epoch in one transaction, unless something is missing for it."""
    home, ring = run.home, kind.read(run.home, run.keys)
    run = replace(run, ring=ring)
    begun = any(step.action is Action.MAKE for step in run.steps)
    switches = _expand(kind, [step for step in run.steps if step.action is Action.SWITCH])
    found = Rotated(_next_keys(kind, run, ring), begun, missing=kind.missing(home, ring))
    if found.missing or not switches:
        return found
    now = home.clock()
    after = [key for step in switches for key in plans.apply(ring, step, now)]

    def write(tx: Connection) -> Amount:
        key_epochs.move_epochs(tx, ring, after, now)
        return kind.switch(tx, run)

    stored = home.store.retry_write("switch epochs", write)
    return replace(
        found,
        keys=_next_keys(kind, run, (*after, *ring)),
        grace_until=switches[0].until or now,
        amount=replace(moved, parts=stored.parts, entries=stored.entries),
    )


def _next_keys(kind: Rotation, run: Run, ring: Sequence[EpochKey]) -> Keyring:
    """The next keys of the steps, each as first found in a ring; those of the kind itself first."""
    wanted = [
        (purpose, run.epoch(one.purposes[0])) for one in _kinds(kind, run.ring) for purpose in one.purposes
    ]
    places = {(key.purpose, key.epoch): key for key in reversed(ring)}
    return tuple(places[place] for place in wanted)


def _kinds(kind: Rotation, ring: Keyring) -> list[Rotation]:
    """A kind and those it carries, as far as the home has keys of them."""
    held = {key.purpose for key in ring}
    return [one for one in (kind, *kind.carries) if one.purposes[0] in held]


def _expand(kind: Rotation, steps: Sequence[Step]) -> list[Step]:
    """Steps of leading purposes as steps of every purpose rotated with them; the kind itself first."""
    return [
        replace(step, purpose=purpose)
        for one in (kind, *kind.carries)
        for step in steps
        if step.purpose == one.purposes[0]
        for purpose in one.purposes
    ]


def _move(kind: Rotation, home: Home, ring: Keyring, steps: Sequence[Step]) -> list[EpochKey]:
    """Apply steps to the keys of all purposes that rotate with them."""
    followers = {purpose for one in (kind, *kind.carries) for purpose in one.purposes[1:]}
    return _write(home, ring, _expand(kind, [step for step in steps if step.purpose not in followers]))


def _write(home: Home, ring: Keyring, steps: Sequence[Step]) -> list[EpochKey]:
    """New states in one transaction. Raises KeyStateError, ConflictError where another one was first."""
    now = home.clock()
    moved = [after for step in steps for after in plans.apply(ring, step, now)]
    if moved:
        home.store.retry_write("move key epochs", lambda tx: key_epochs.move_epochs(tx, ring, moved, now))
    return moved


def _remove_past(kind: Rotation, home: Home, keys: KeyStore) -> None:
    """Remove stored data of retired epochs, also where a killed run did not finish."""
    ring = kind.read(home, keys)
    for one in _kinds(kind, ring):
        for key in ring:
            is_over = key.state in (KeyState.RETIRED, KeyState.DESTROYED)
            if key.purpose == one.purposes[0] and is_over:
                one.retire(home.store, key.epoch)


def _refresh(home: Home) -> None:
    if isinstance(home, Node):
        home.ring.refresh()


@contextmanager
def _workspace(kind: Rotation, home: Home, *, wait: bool = False) -> Iterator[Workspace | None]:
    """The folder of temporary files, and the lock that imports wait for, of a kind that needs them."""
    if kind.is_exclusive and isinstance(home, Node):
        with open_workspace(home, wait=wait) as space:
            yield space
    else:
        yield None
