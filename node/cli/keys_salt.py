"""`heqiao keys rotate salt`: from one salt of the federation to the next."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click

from keys.rotation import Action, Step
from node.cli.approvals import guard
from node.cli.keys_rotate import opened, show_moved, with_grace
from node.cli.options import admin_option, count, home_option, json_option, show
from node.domain.audit_chain import Detail
from node.domain.missing_partitions import MissingPartitions
from node.errors import PreconditionError
from node.rotation import driver
from node.rotation.kinds import SALT
from node.rotation.run import Rotated

_WORDS = {
    Action.MAKE: "make the key {name}, pending; every import writes under salt {version} too from then on",
    Action.IMPORT: "import in full what is missing under salt {version}: {missing}",
    Action.SWITCH: "switch to {name} at once; the epoch before is answered until {until:%Y-%m-%d %H:%M} UTC",
}


@click.command("salt")
@home_option
@json_option
@click.option(
    "--dry-run", is_flag=True, help="Print the steps and what is missing under the new salt; change nothing."
)
@click.option("--grace-days", type=click.IntRange(0, 3_650),
              help="Days that the old salt is served.  [default: that of [rotation]]")  # fmt: skip
@click.option("--abandon", is_flag=True, help="Give up a rotation that has not switched yet.")
@admin_option
def rotate_salt(
    home: Path, as_json: bool, dry_run: bool, grace_days: int | None, abandon: bool, admin: Path | None
) -> None:
    """Put the federation's next salt in use.

    `heqiao join` takes the next salt from a bundle of `heqiao ca salt`. The first run begins: from then on
    every import writes under both salts, and peers are answered under the old one. Import every item in
    full, then run this again: it switches when every partition has the new salt, and exits 1 before. Peers
    that hold only the old salt are answered under it until the grace ends.

    \b
    heqiao keys rotate salt --home 44
    heqiao import --home 44 C21 vehicles.csv
    heqiao keys rotate salt --home 44
    """  # noqa: D301 - click wants the real \b character
    with opened(home) as (node, keys):
        if abandon:
            guard(node.config, admin, "keys rotate salt", {"abandon": 1})
            moved = driver.abandon(SALT, node, keys)
            show_moved(moved, "no rotation of the salt is in progress", as_json=as_json)
            return
        policy = with_grace(SALT.policy(node.config), grace_days)
        run = driver.prepare(SALT, node, keys, policy)
        missing, version = SALT.missing(node, run.ring), run.epoch("salt")
        if dry_run:
            _show_plan([one for one in run.steps if one.purpose == "oprf"], missing, as_json=as_json)
            return
        begins = any(one.action is Action.MAKE for one in run.steps)
        if missing and not begins:
            raise _not_switched(version, missing)
        step = "begin" if begins else "switch"
        details: dict[str, Detail] = {"salt_version": version, "step": step}
        guard(node.config, admin, "keys rotate salt", {**details, "grace_days": policy.grace.days})
        done = driver.rotate(SALT, node, keys, policy, epoch=version)
    if not done.begun and not done.switched:
        raise _not_switched(version, done.missing)
    show(_plain(done), _describe(done), as_json=as_json)


def _not_switched(version: int, missing: Sequence[MissingPartitions]) -> PreconditionError:
    return PreconditionError(
        f"not switched: missing under salt {version}: {_listed(missing)}",
        "import these in full (`heqiao import`, without --upsert), then run this again",
    )


def _show_plan(steps: Sequence[Step], missing: Sequence[MissingPartitions], *, as_json: bool) -> None:
    version = steps[-1].salt_version
    lines = [
        f"{number}. "
        + _WORDS[step.action].format(
            name=f"{step.purpose}.{step.epoch}", version=version, missing=_listed(missing), until=step.until
        )
        for number, step in enumerate(steps, 1)
    ]
    plain = {
        "dry_run": True,
        "salt_version": version,
        "missing": [asdict(one) for one in missing],
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
    show(plain, "\n".join(lines), as_json=as_json)


def _plain(done: Rotated) -> dict[str, object]:
    return {
        "purpose": "salt",
        "salt_version": done.epoch,
        "fingerprint": done.keys[0].fingerprint,
        "epoch": done.key("oprf").epoch,
        "begun": done.begun,
        "switched": done.switched,
        "missing": [asdict(one) for one in done.missing],
        "grace_until": done.grace_until.isoformat() if done.grace_until else None,
    }


def _describe(done: Rotated) -> str:
    salt, oprf = done.keys[0], done.key("oprf")
    if done.grace_until is not None:
        return (
            f"salt.{salt.epoch} is active: {salt.fingerprint}\n"
            f"  with oprf.{oprf.epoch}; the epoch before is answered until "
            f"{done.grace_until:%Y-%m-%d %H:%M} UTC"
        )
    return (
        f"salt.{salt.epoch} is pending: {salt.fingerprint}\n"
        f"  with oprf.{oprf.epoch}; every import writes under both salts from now on\n"
        f"  missing under it: {_listed(done.missing)}; import these in full, then run this again"
    )


def _listed(missing: Sequence[MissingPartitions]) -> str:
    return ", ".join(
        f"{one.item} ({count(one.partitions, 'partition')}{', sums' if one.sums else ''})" for one in missing
    )
