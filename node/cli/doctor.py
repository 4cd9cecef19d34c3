"""`heqiao doctor`: checks this node and its connections to peers."""

from pathlib import Path

import click

from node.cli.options import home_option, json_option, read_config, show
from node.cli.terminal import print_table
from node.services.checks import Finding, check_home, try_check


@click.command()
@home_option
@json_option
def doctor(home: Path, as_json: bool) -> None:
    """Check this node and its connection to each peer.

    For the node: home, keys, certificate, backend, index, catalogue. For each peer: connection, certificates,
    clock, suite, salt, catalogue and grants. Says which side has to do what. Exits 1 if anything is wrong.
    """
    found = [try_check("home", lambda: _check_config(home))]
    if found[0].good:
        found += check_home(read_config(home))
    good = all(one.good for one in found)
    if as_json:
        show({"good": good, "checks": [_plain(one) for one in found]}, "", as_json=True)
    else:
        print_table(
            ("check", "", "found", "what to do"),
            ((one.check, _state(one), one.text, one.hint) for one in found),
        )
    if not good:
        raise click.exceptions.Exit(1)


def _state(one: Finding) -> str:
    if not one.good:
        return "WRONG"
    return "warning" if one.warns else "ok"


def _plain(one: Finding) -> dict[str, object]:
    return {"check": one.check, "good": one.good, "warns": one.warns, "text": one.text, "hint": one.hint}


def _check_config(home: Path) -> Finding:
    config = read_config(home)
    return Finding("home", True, f"{config.node.role} {config.node.code} {config.node.name}")
