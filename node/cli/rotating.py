"""`heqiao keys rotate`, `retire` and `destroy`: the life of a key from one epoch to the next."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import click

from keys import KeyStore
from keys import rotation as plans
from keys.rotation import Action, Step
from keys.types import EpochKey, RotationPolicy
from node import rotate as rotations
from node.cli.options import count, home_option, json_option, load_config, require_node_role, show
from node.cli.progress import show_progress
from node.config import open_key_store
from node.node import OPRF, Node, open_node
from node.rotate import Rotated
from node.store import index as index_rows

STAGES = {"make": "making the key", "rekey": "moving entries", "switch": "switching"}
_purpose = click.argument("purpose", type=click.Choice([OPRF]))
_WORDS = {
    Action.MAKE: "make the key {name}, pending",
    Action.REKEY: "bring {entries} in {partitions} under it; the epoch before stays served",
    Action.SWITCH: "switch to {name} at once; the epoch before is answered until {until}",
    Action.RETIRE: "refuse {name}, and remove its partitions",
    Action.DESTROY: "erase {name}",
}


@click.group()
def rotate() -> None:
    """Replace a key while the node serves."""


@rotate.command(OPRF)
@home_option
@json_option
@click.option("--dry-run", is_flag=True, help="Print the steps; change nothing.")
@click.option("--grace-days", type=click.IntRange(0, 3_650),
              help="Days that the old epoch is answered.  [default: that of [rotation]]")  # fmt: skip
@click.option("--workers", type=click.IntRange(0, 256),
              help="Processes that do the work; 0 does it in one.  [default: one a core]")  # fmt: skip
def rotate_oprf(
    home: Path, as_json: bool, dry_run: bool, grace_days: int | None, workers: int | None
) -> None:
    """Replace the OPRF key.

    Every stored point, tag and label moves to the next epoch; no source data is needed. The node goes on
    serving; peers follow by themselves, and what they began under the old epoch is answered until its
    grace ends. If it is interrupted, run it again: it goes on where it was. Imports wait meanwhile.

    \b
    heqiao keys rotate oprf --home 44 --dry-run
    heqiao keys rotate oprf --home 44
    """  # noqa: D301 - click wants the real \b character
    with _opened(home) as (node, store):
        policy = _policy(node, grace_days)
        if dry_run:
            ring = rotations.read_keyring(node, store)
            _show_plan(node, plans.plan_rotation(ring, OPRF, policy, node.clock()), as_json=as_json)
            return
        with show_progress(STAGES, hidden=as_json) as progress:
            done = rotations.rotate_oprf(node, store, policy, workers=workers, progress=progress)
        show(_plain(done), _describe(done), as_json=as_json)


@click.command()
@home_option
@json_option
@_purpose
@click.option("--dry-run", is_flag=True, help="Print the steps; change nothing.")
@click.option("--now", "early", is_flag=True, help="Also epochs whose grace has not ended yet.")
def retire(home: Path, as_json: bool, purpose: str, dry_run: bool, early: bool) -> None:
    """Refuse epochs whose grace is over.

    What is stored under them is removed. Peers that still use one are told the current epoch and follow.
    The key stays in the key store.
    """
    with _opened(home) as (node, store):
        if dry_run:
            ring = rotations.read_keyring(node, store)
            steps = plans.plan_retirement(ring, purpose, node.clock(), early=early)
            _show_plan(node, steps, as_json=as_json)
            return
        _show_moved(rotations.retire(node, store, early=early), "nothing to retire", as_json=as_json)


@click.command()
@home_option
@json_option
@_purpose
@click.argument("epoch", type=click.IntRange(1), required=False)
@click.option("--confirm", is_flag=True, help="Really erase; without it, only say what would be erased.")
def destroy(home: Path, as_json: bool, purpose: str, epoch: int | None, confirm: bool) -> None:
    """Erase retired keys for good.

    Of all retired epochs, or of one EPOCH. Backups of the key store still hold them: destroy those too.
    """
    with _opened(home) as (node, store):
        if not confirm:
            steps = plans.plan_destruction(rotations.read_keyring(node, store), purpose, epoch)
            _show_plan(node, steps, as_json=as_json)
            if steps:
                raise click.UsageError(
                    "nothing was erased: give --confirm to erase for good", click.get_current_context()
                )
            return
        _show_moved(rotations.destroy(node, store, epoch), "nothing to destroy", as_json=as_json)


@contextmanager
def _opened(home: Path) -> Iterator[tuple[Node, KeyStore]]:
    config = require_node_role(load_config(home))
    node = open_node(config)
    try:
        yield node, open_key_store(config)
    finally:
        node.store.dispose()


def _policy(node: Node, grace_days: int | None) -> RotationPolicy:
    policy = node.config.rotation.policy(OPRF) or RotationPolicy()
    if grace_days is None:
        return policy
    grace = timedelta(days=grace_days)
    return replace(policy, grace=grace, every=max(policy.every, grace))


def _show_plan(node: Node, steps: Sequence[Step], *, as_json: bool) -> None:
    with node.store.transaction("count entries") as tx:
        rows = index_rows.partitions_of_epoch(tx, node.keys.epoch)
    entries = sum(row.entries for row in rows)
    lines = [
        f"{number}. "
        + _WORDS[step.action].format(
            name=f"{step.purpose}.{step.epoch}",
            entries=count(entries, "entry", "entries"),
            partitions=count(len(rows), "partition"),
            until=_moment(step.until) if step.until else "",
        )
        for number, step in enumerate(steps, 1)
    ]
    plain = {
        "dry_run": True,
        "partitions": len(rows),
        "entries": entries,
        "steps": [
            {
                "action": step.action.value,
                "purpose": step.purpose,
                "epoch": step.epoch,
                "until": step.until.isoformat() if step.until else None,
            }
            for step in steps
        ],
    }
    show(plain, "\n".join(lines) or "nothing to do", as_json=as_json)


def _show_moved(moved: Sequence[EpochKey], nothing: str, *, as_json: bool) -> None:
    plain = [
        {
            "purpose": key.purpose,
            "epoch": key.epoch,
            "state": key.state.value,
            "fingerprint": key.fingerprint,
        }
        for key in moved
    ]
    lines = [f"{key.purpose}.{key.epoch} is {key.state}: {key.fingerprint}" for key in moved]
    show({"moved": plain}, "\n".join(lines) or nothing, as_json=as_json)


def _plain(done: Rotated) -> dict[str, object]:
    return {
        "purpose": OPRF,
        "epoch": done.epoch,
        "fingerprint": done.fingerprint,
        "grace_until": done.grace_until.isoformat(),
        "partitions": done.partitions,
        "entries": done.entries,
        "resumed": done.resumed,
        "seconds": {stage: round(seconds, 3) for stage, seconds in done.seconds.items()},
        "cpu_s": round(done.usage.cpu_s, 2),
        "peak_mib": round(done.usage.peak / 2**20),
        "workers": done.workers,
    }


def _describe(done: Rotated) -> str:
    lines = [
        f"{OPRF}.{done.epoch} is active: {done.fingerprint}",
        f"  {count(done.entries, 'entry', 'entries')} in {count(done.partitions, 'partition')} moved; "
        f"the epoch before is answered until {_moment(done.grace_until)}",
    ]
    if done.resumed:
        lines.append("  an earlier run had begun it; this one finished it")
    return "\n".join(lines)


def _moment(found: datetime) -> str:
    return f"{found:%Y-%m-%d %H:%M} UTC"
