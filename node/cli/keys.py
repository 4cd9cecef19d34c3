"""`heqiao keys`: the keys of a home: what there is, whether it is sound, and what is due."""

from datetime import datetime
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from node.cli.options import count, home_option, json_option, load_config, show
from node.clock import utc_now
from node.config import open_key_store
from node.key_status import KeyLine, KeyStatus, read_status

_SHOWN = 9  # two groups of a fingerprint: enough to tell keys of one store apart


@click.group()
def keys() -> None:
    """Look after the keys of this node.

    Keys are shown by their fingerprints; no command prints a key.
    """


@keys.command()
@home_option
@json_option
def status(home: Path, as_json: bool) -> None:
    """Show every key: epoch, state, fingerprint, age, problems.

    Opens each key. Exits 1 if anything is wrong.
    """
    config, now = load_config(home), utc_now()
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

    Checks header, digests, modes, the form of each key, and that the certificate is valid now and for a
    key of this store. Exits 1 if anything is wrong.
    """
    config = load_config(home)
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
        "certificate_until": found.certificate.not_after.isoformat() if found.certificate else None,
        "keys": [
            {
                "purpose": line.facts.purpose,
                "epoch": line.facts.epoch,
                "state": line.state,
                "fingerprint": line.facts.fingerprint,
                "made": line.facts.made.isoformat(),
                "age_days": _age(line, now),
                "problems": list(line.facts.problems),
            }
            for line in found.keys
        ],
    }


def _print_table(found: KeyStatus, now: datetime) -> None:
    table = Table("key", "epoch", "state", "fingerprint", "age", "problems")
    for line in found.keys:
        facts = line.facts
        table.add_row(
            facts.purpose,
            str(facts.epoch),
            line.state,
            facts.fingerprint[:_SHOWN],
            count(_age(line, now), "day"),
            "\n".join(facts.problems),
        )
    Console().print(table)
    if found.certificate:
        click.echo(f"certificate valid until {found.certificate.not_after:%Y-%m-%d}")
    for problem in found.problems:
        click.echo(f"problem: {problem}")


def _age(line: KeyLine, now: datetime) -> int:
    return max((now - line.facts.made).days, 0)
