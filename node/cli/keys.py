"""`heqiao keys`: the keys of a home: their states, errors, and what is due."""

from dataclasses import asdict
from datetime import datetime
from pathlib import Path

import click

from node.cli import keys_backup, keys_rotate, keys_salt, keys_store, keys_tls
from node.cli.keys_words import describe_due, moment, plain_due
from node.cli.options import count, home_option, json_option, read_config, show
from node.cli.terminal import print_table
from node.clock import utc_now
from node.config import open_key_store
from node.domain.days import china_day
from node.rotation.status import KeyLine, KeyStatus, PeerUse, read_status


@click.group()
def keys() -> None:
    """Manage this node's keys.

    Keys are shown by their fingerprints; no command prints a key.
    """


keys_rotate.rotate.add_command(keys_tls.rotate_tls)
keys_rotate.rotate.add_command(keys_salt.rotate_salt)
for _command in (
    keys_rotate.rotate,
    keys_rotate.retire,
    keys_rotate.destroy,
    keys_store.rewrap,
    keys_store.policy,
    keys_backup.recipient,
    keys_backup.backup,
    keys_backup.share,
    keys_backup.restore,
):
    keys.add_command(_command)


@keys.command()
@home_option
@json_option
def status(home: Path, as_json: bool) -> None:
    """Show every key: epoch, state, fingerprint, age, what is due.

    Opens each key, and lists the peers that still ask under an old epoch. States and ends of grace come from
    the database if it can be reached, due dates from [rotation] in node.toml; `heqiao keys rotate --due` does
    what is due. Exits 1 if anything is wrong; an overdue key does not count as wrong.
    """
    config, now = read_config(home), utc_now()
    found = read_status(config, open_key_store(config), now)
    if as_json:
        show(_plain(found, now), "", as_json=True)
    else:
        _print_table(found, now)
    if not found.good:
        raise click.exceptions.Exit(1)


@keys.command()
@home_option
@json_option
def verify(home: Path, as_json: bool) -> None:
    """Open every key and check the store and the certificate.

    Checks header, digests, modes, the form of each key, and that the certificate is valid now and fits
    a key of this store. Exits 1 if anything is wrong.
    """
    config = read_config(home)
    found = read_status(config, open_key_store(config), utc_now())
    wrong = _problems(found)
    good = f"{count(len(found.keys), 'key')} in {config.keys.store}, all sound"
    result = {"good": found.good, "keys": len(found.keys), "problems": wrong}
    show(result, "\n".join(wrong) or good, as_json=as_json)
    if not found.good:
        raise click.exceptions.Exit(1)


def _problems(found: KeyStatus) -> list[str]:
    return [*found.problems, *(problem for line in found.keys for problem in line.facts.problems)]


def _plain(found: KeyStatus, now: datetime) -> dict[str, object]:
    return {
        "good": found.good,
        "problems": list(found.problems),
        "database": found.database or "read",
        "certificate_until": found.certificate.not_after.isoformat() if found.certificate else None,
        "keys": [
            {
                "purpose": line.facts.purpose,
                "epoch": line.facts.epoch,
                "state": line.state.value,
                "fingerprint": line.facts.fingerprint,
                "made": line.facts.made.isoformat(),
                "age_days": _age(line, now),
                "due": line.due.isoformat() if line.due else None,
                "overdue": line.due is not None and line.due <= now,
                "grace_until": line.grace_until.isoformat() if line.grace_until else None,
                "problems": list(line.facts.problems),
            }
            for line in found.keys
        ],
        "due": plain_due(found.due),
        "missing_salt": [asdict(one) for one in found.missing_salt],
        "peers": [
            {
                "peer": use.peer,
                "purpose": use.purpose,
                "epoch": use.epoch,
                "state": use.state.value,
                "last_at": use.at.isoformat(),
                "grace_until": use.grace_until.isoformat() if use.grace_until else None,
                "behind": use.behind,
            }
            for use in found.peers
        ],
    }


def _describe_behind(use: PeerUse, now: datetime) -> str:
    """Which peer has not used the active epoch yet, and until when its epoch is answered."""
    ends = use.grace_until
    rest = f"answered until {ends:%Y-%m-%d %H:%M} UTC" if ends and ends > now else "no longer answered"
    return f"peer {use.peer} last asked under {use.purpose}.{use.epoch}, {use.at:%Y-%m-%d %H:%M} UTC: {rest}"


def _print_table(found: KeyStatus, now: datetime) -> None:
    rows = [
        (
            line.facts.purpose,
            str(line.facts.epoch),
            line.state,
            line.facts.fingerprint,
            count(_age(line, now), "day"),
            _dates(line, now),
            "\n".join(line.facts.problems),
        )
        for line in found.keys
    ]
    columns = ("key", "epoch", "state", "fingerprint", "age", "due, or grace until", "problems")
    shown = (
        len(columns) if any(line.facts.problems for line in found.keys) else -1
    )  # else all fits a terminal
    print_table(columns[:shown], [row[:shown] for row in rows])
    if found.certificate:
        click.echo(f"certificate valid until {china_day(found.certificate.not_after)}")
    for use in found.peers:
        if use.behind:
            click.echo(_describe_behind(use, now))
    for reason in describe_due(found.due):
        click.echo(f"due: {reason}")
    if found.missing_salt:
        click.echo(
            f"the next salt waits for a full import of {', '.join(one.item for one in found.missing_salt)}"
        )
    if found.database:
        click.echo(f"states from the key store alone: {found.database}")
    for problem in found.problems:
        click.echo(f"problem: {problem}")


def _dates(line: KeyLine, now: datetime) -> str:
    if line.grace_until:
        return moment(line.grace_until)
    if line.due is None:
        return ""
    return china_day(line.due).isoformat() + (" OVERDUE" if line.due <= now else "")


def _age(line: KeyLine, now: datetime) -> int:
    return max((now - line.facts.made).days, 0)
