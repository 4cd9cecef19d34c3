"""`heqiao keys rotate`, `retire` and `destroy`: the life of a key from one epoch to the next."""

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import click

from keys import KeyStore
from keys.types import EpochKey, RotationPolicy
from node.cli.approvals import guard
from node.cli.keys_due import guard_rotation, run_due
from node.cli.keys_words import (
    WORDS,
    Words,
    describe_moved,
    describe_plan,
    describe_rotated,
    plain_moved,
    plain_plan,
    plain_rotated,
)
from node.cli.options import (
    admin_option,
    home_option,
    json_option,
    load_config,
    require_node_role,
    show,
    wait_option,
)
from node.cli.terminal import show_progress
from node.config import HOME_VARIABLE, open_key_store
from node.context import Node, open_node
from node.rotation import driver
from node.rotation.ends import plan_destruction, plan_retirement
from node.rotation.kinds import KINDS

_TYPED = click.core.ParameterSource.COMMANDLINE
_purpose = click.argument("purpose", type=click.Choice(list(WORDS)))


@click.group(invoke_without_command=True, no_args_is_help=True, subcommand_metavar="COMMAND [ARGS]...")
@click.option("--due", is_flag=True, help="Do everything that `heqiao keys status` shows as due.")
@click.option("--home", type=click.Path(path_type=Path, readable=False), envvar=HOME_VARIABLE,
              show_envvar=True,
              help="With --due: home folder of the node, or the path of its node.toml.")  # fmt: skip
@click.option("--dry-run", is_flag=True, help="With --due: print what is due and why; change nothing.")
@click.option("--workers", type=click.IntRange(0, 256),
              help="With --due: processes that do the work.  [default: one a core]")  # fmt: skip
@json_option
@admin_option
@click.pass_context
def rotate(
    ctx: click.Context,
    due: bool,
    home: Path | None,
    dry_run: bool,
    workers: int | None,
    as_json: bool,
    admin: Path | None,
) -> None:
    """Replace a key while the node serves.

    Name a kind, or give --due for everything that is due: rotations by age or that were interrupted, then
    epochs whose grace is over. For the TLS key it makes the request that the CA must answer; for the salt
    it says what is to be done; under dual control it asks for approvals, and goes on when run again. It says
    what it did, asked for and left. If one thing fails it does the others, and the exit code is 1.

    \b
    heqiao keys rotate --due --home 44 --dry-run
    heqiao keys rotate --due --home 44
    """  # noqa: D301 - click wants the real \b character
    if ctx.invoked_subcommand is not None:
        given = [name for name in ctx.params if ctx.get_parameter_source(name) is _TYPED]
        if given:
            raise click.UsageError("options of --due are not for one kind: give them after its name", ctx)
        return
    if not due:
        raise click.UsageError("name a kind of keys, or give --due", ctx)
    if home is None:
        raise click.UsageError("--due needs --home", ctx)
    config = load_config(home)
    if not run_due(config, open_key_store(config), admin, workers=workers, dry_run=dry_run, as_json=as_json):
        raise click.exceptions.Exit(1)


def _rotating(words: Words) -> click.Command:
    """`heqiao keys rotate PURPOSE`."""
    kind = KINDS[words.purpose]

    @click.command(words.purpose, help=inspect.cleandoc(words.help))
    @home_option
    @json_option
    @click.option("--dry-run", is_flag=True, help="Print the steps; change nothing.")
    @click.option("--grace-days", type=click.IntRange(0, 3_650),
                  help="Days that the old epoch is answered.  [default: that of [rotation]]")  # fmt: skip
    @click.option("--workers", type=click.IntRange(0, 256),
                  help="Worker processes; 0 does all work in one.  [default: one a core]")  # fmt: skip
    @wait_option
    @admin_option
    def command(
        home: Path,
        as_json: bool,
        dry_run: bool,
        grace_days: int | None,
        workers: int | None,
        wait: bool,
        admin: Path | None,
    ) -> None:
        with opened(home) as (node, keys):
            policy = with_grace(kind.policy(node.config), grace_days)
            steps = driver.prepare(kind, node, keys, policy).steps
            if dry_run:
                stored = kind.measure(node)
                show(plain_plan(words, stored, steps), describe_plan(words, stored, steps), as_json=as_json)
                return
            epoch = steps[-1].epoch
            guard_rotation(node.config, admin, words.purpose, epoch, policy)
            with show_progress(words.stages, hidden=as_json) as progress:
                done = driver.rotate(
                    kind, node, keys, policy, epoch=epoch, workers=workers, progress=progress, wait=wait
                )
            show(plain_rotated(words, done), describe_rotated(words, done), as_json=as_json)

    return command


for _words in WORDS.values():
    if _words.help:
        rotate.add_command(_rotating(_words))


@click.command()
@home_option
@json_option
@_purpose
@click.option("--dry-run", is_flag=True, help="Print the steps; change nothing.")
@click.option("--now", "early", is_flag=True, help="Also retire epochs whose grace has not ended yet.")
@admin_option
def retire(home: Path, as_json: bool, purpose: str, dry_run: bool, early: bool, admin: Path | None) -> None:
    """Refuse epochs whose grace is over.

    What is stored under them is removed. Peers that still use one get the current epoch and switch to it.
    The key stays in the key store. Under dual control --now needs a second administrator where a grace has
    not ended.
    """
    kind, words = KINDS[purpose], WORDS[purpose]
    with opened(home) as (node, keys):
        end = plan_retirement(kind, node, keys, early=early)
        if dry_run:
            stored = kind.measure(node)
            show(plain_plan(words, stored, end.steps), describe_plan(words, stored, end.steps),
                 as_json=as_json)  # fmt: skip
            return
        if end.early:
            guard(node.config, admin, "keys retire", {"keys": end.named})
        show_moved(driver.retire(kind, node, keys, early=early), "nothing to retire", as_json=as_json)


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
    kind, words = KINDS[purpose], WORDS[purpose]
    with opened(home) as (node, keys):
        end = plan_destruction(kind, node, keys, epoch)
        if not confirm:
            stored = kind.measure(node)
            show(plain_plan(words, stored, end.steps), describe_plan(words, stored, end.steps),
                 as_json=as_json)  # fmt: skip
            if end.steps:
                raise click.UsageError(
                    "nothing was erased: give --confirm to erase for good", click.get_current_context()
                )
            return
        if end.steps:
            guard(node.config, admin, "keys destroy", {"keys": end.named})
        show_moved(driver.destroy(kind, node, keys, epoch), "nothing to destroy", as_json=as_json)


@contextmanager
def opened(home: Path) -> Iterator[tuple[Node, KeyStore]]:
    """A node's home, for a command that moves its keys."""
    config = require_node_role(load_config(home))
    keys = open_key_store(config)  # once: opening is slow on purpose, against guessing
    node = open_node(config, keys=keys)
    try:
        yield node, keys
    finally:
        node.store.dispose()


def with_grace(policy: RotationPolicy, days: int | None) -> RotationPolicy:
    """A policy with another grace, where one is given."""
    if days is None:
        return policy
    grace = timedelta(days=days)
    return replace(policy, grace=grace, every=max(policy.every, grace))


def show_moved(moved: list[EpochKey], nothing: str, *, as_json: bool) -> None:
    """Print which keys changed their state."""
    show({"moved": plain_moved(moved)}, describe_moved(moved) or nothing, as_json=as_json)
