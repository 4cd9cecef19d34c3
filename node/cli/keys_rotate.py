"""`heqiao keys rotate`, `retire` and `destroy`: the life of a key from one epoch to the next."""

import inspect
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import click

from keys import KeyStore
from keys import rotation as plans
from keys.rotation import Step
from keys.types import EpochKey, RotationPolicy
from node.cli.approvals import admin_option, guard
from node.cli.options import count, home_option, json_option, load_config, require_node_role, show
from node.cli.terminal import show_progress
from node.config import open_key_store
from node.context import Node, open_node
from node.domain.audit_chain import Detail
from node.rotation.kinds import KINDS, Kind, Rotate
from node.rotation.oprf import Rotated

_purpose = click.argument("purpose", type=click.Choice(list(KINDS)))


@click.group()
def rotate() -> None:
    """Replace a key while the node serves."""


def _rotating(kind: Kind, run: Rotate) -> click.Command:
    """`heqiao keys rotate PURPOSE`."""

    @click.command(kind.purpose, help=inspect.cleandoc(kind.help))
    @home_option
    @json_option
    @click.option("--dry-run", is_flag=True, help="Print the steps; change nothing.")
    @click.option("--grace-days", type=click.IntRange(0, 3_650),
                  help="Days that the old epoch is answered.  [default: that of [rotation]]")  # fmt: skip
    @click.option("--workers", type=click.IntRange(0, 256),
                  help="Worker processes; 0 does all work in one.  [default: one a core]")  # fmt: skip
    @admin_option
    def command(
        home: Path,
        as_json: bool,
        dry_run: bool,
        grace_days: int | None,
        workers: int | None,
        admin: Path | None,
    ) -> None:
        with opened(home) as (node, store):
            policy = _policy(node, kind, grace_days)
            steps = plans.plan_rotation(kind.read(node, store), kind.names[0], policy, node.clock())
            if dry_run:
                _show_plan(node, kind, steps, as_json=as_json)
                return
            asked: dict[str, Detail] = {"purpose": kind.purpose, "epoch": steps[-1].epoch}
            guard(node.config, admin, "keys rotate", {**asked, "grace_days": policy.grace.days})
            with show_progress(kind.stages, hidden=as_json) as progress:
                done = run(node, store, policy, workers=workers, progress=progress)
            show(_plain(kind, done), _describe(kind, done), as_json=as_json)

    return command


for _kind in KINDS.values():
    if _kind.rotate is not None:
        rotate.add_command(_rotating(_kind, _kind.rotate))


@click.command()
@home_option
@json_option
@_purpose
@click.option("--dry-run", is_flag=True, help="Print the steps; change nothing.")
@click.option("--now", "early", is_flag=True, help="Also retire epochs whose grace has not ended yet.")
def retire(home: Path, as_json: bool, purpose: str, dry_run: bool, early: bool) -> None:
    """Refuse epochs whose grace is over.

    What is stored under them is removed. Peers that still use one get the current epoch and switch to it.
    The key stays in the key store.
    """
    kind = KINDS[purpose]
    with opened(home) as (node, store):
        if dry_run:
            ring = kind.read(node, store)
            steps = plans.plan_retirement(ring, kind.names[0], node.clock(), early=early)
            _show_plan(node, kind, steps, as_json=as_json)
            return
        show_moved(kind.retire(node, store, early=early), "nothing to retire", as_json=as_json)


@click.command()
@home_option
@json_option
@_purpose
@click.argument("epoch", type=click.IntRange(1), required=False)
@click.option("--confirm", is_flag=True, help="Really erase; without it, only print what would be erased.")
@admin_option
def destroy(
    home: Path, as_json: bool, purpose: str, epoch: int | None, confirm: bool, admin: Path | None
) -> None:
    """Erase retired keys for good.

    Of all retired epochs, or of one EPOCH. Backups of the key store still hold them: destroy those too.
    """
    kind = KINDS[purpose]
    with opened(home) as (node, store):
        ring = kind.read(node, store)
        steps = plans.plan_destruction(ring, kind.names[0], epoch)
        if not confirm:
            _show_plan(node, kind, steps, as_json=as_json)
            if steps:
                raise click.UsageError(
                    "nothing was erased: give --confirm to erase for good", click.get_current_context()
                )
            return
        if steps:
            going = {(one, step.epoch) for one in kind.names for step in steps}
            keys = [
                f"{key.purpose}.{key.epoch} {key.fingerprint}"
                for key in ring
                if (key.purpose, key.epoch) in going
            ]
            guard(node.config, admin, "keys destroy", {"keys": keys})
        show_moved(kind.destroy(node, store, epoch), "nothing to destroy", as_json=as_json)


@contextmanager
def opened(home: Path) -> Iterator[tuple[Node, KeyStore]]:
    """A node's home, for a command that moves its keys."""
    config = require_node_role(load_config(home))
    store = open_key_store(config)  # once: it costs as much as its passphrase is to be guessed
    node = open_node(config, keys=store)
    try:
        yield node, store
    finally:
        node.store.dispose()


def _policy(node: Node, kind: Kind, grace_days: int | None) -> RotationPolicy:
    policy = kind.policy_of(node, kind.purpose)
    if grace_days is None:
        return policy
    grace = timedelta(days=grace_days)
    return replace(policy, grace=grace, every=max(policy.every, grace))


def _show_plan(node: Node, kind: Kind, steps: Sequence[Step], *, as_json: bool) -> None:
    stored = kind.measure(node)
    lines = [
        f"{number}. "
        + kind.words[step.action].format(
            name=_listed([f"{purpose}.{step.epoch}" for purpose in kind.names]),
            entries=count(stored.entries, *kind.entry),
            parts=count(stored.parts, *kind.part),
            until=_moment(step.until) if step.until else "",
        )
        for number, step in enumerate(steps, 1)
    ]
    plain = {
        "dry_run": True,
        **_amounts(kind, stored.parts, stored.entries),
        "steps": [
            {
                "action": step.action.value,
                "purpose": kind.purpose,
                "epoch": step.epoch,
                "until": step.until.isoformat() if step.until else None,
            }
            for step in steps
        ],
    }
    show(plain, "\n".join(lines) or "nothing to do", as_json=as_json)


def show_moved(moved: Sequence[EpochKey], nothing: str, *, as_json: bool) -> None:
    """Print which keys changed their state."""
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


def _plain(kind: Kind, done: Rotated) -> dict[str, object]:
    return {
        "purpose": kind.purpose,
        "epoch": done.epoch,
        "fingerprint": done.fingerprint,
        "grace_until": done.grace_until.isoformat(),
        **_amounts(kind, done.partitions, done.entries),
        "resumed": done.resumed,
        "seconds": {stage: round(seconds, 3) for stage, seconds in done.seconds.items()},
        "cpu_s": round(done.usage.cpu_s, 2),
        "peak_mib": round(done.usage.peak / 2**20),
        "workers": done.workers,
    }


def _describe(kind: Kind, done: Rotated) -> str:
    moved = f"{count(done.entries, *kind.entry)} in {count(done.partitions, *kind.part)} moved; "
    others = [f"{purpose}.{done.epoch}" for purpose in kind.names if purpose != kind.purpose]
    lines = [
        f"{kind.purpose}.{done.epoch} is active: {done.fingerprint}",
        *([f"  {_listed(others)} with it"] if others else []),
        f"  {moved if kind.entry[1] else ''}{kind.following} until {_moment(done.grace_until)}",
    ]
    if done.resumed:
        lines.append("  an earlier run had begun it; this one finished it")
    return "\n".join(lines)


def _amounts(kind: Kind, parts: int, entries: int) -> dict[str, int]:
    return {kind.part[1]: parts, kind.entry[1]: entries} if kind.entry[1] else {}


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:-1]) + (" and " if len(names) > 1 else "") + names[-1]


def _moment(found: datetime) -> str:
    return f"{found:%Y-%m-%d %H:%M} UTC"
