"""`heqiao mirror`: copies of peers' partitions, so that a query fetches nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path

import click

from node.cli.options import count, home_option, json_option, load_config, show
from node.cli.terminal import print_table, show_progress
from node.client.mirrors import Mirrors
from node.errors import NodeError

_DAMAGED = "damaged"


@click.group()
def mirror() -> None:
    """Manage this node's copies of peers' partitions."""


@contextmanager
def _opened(home: Path) -> Iterator[Mirrors]:
    load_config(home)
    with Mirrors.open(home) as found:
        yield found


@mirror.command()
@home_option
@json_option
@click.argument("peers", nargs=-1, metavar="[PEERS]")
def sync(home: Path, as_json: bool, peers: tuple[str, ...]) -> None:
    """Bring the copies up to date, of all peers or of those named.

    Fetches what changed, or a whole partition where it is missing or too old. A stopped sync goes on where it
    stopped. Exits 1 where a peer could not be synced.
    """
    done, failed = [], []
    with _opened(home) as mirrors, show_progress(hidden=as_json) as update:
        for code in mirrors.codes(peers):
            try:
                done.append(mirrors.sync(code, partial(update, code)))
            except NodeError as error:
                failed.append({"peer": code, "code": error.code, "error": str(error), "hint": error.hint})
    lines = [
        f"{one.peer}: {count(one.partitions, 'partition')} up to date, {one.bytes_down:,} bytes in "
        f"{one.seconds:.1f} s" + "".join(f"; {place} not kept: {why}" for place, why in one.left)
        for one in done
    ]
    lines += [f"{one['peer']}: not synced: {one['error']}; {one['hint']}" for one in failed]
    plain = [{**asdict(one), "issued_at": one.issued_at.isoformat()} for one in done]
    show({"synced": plain, "failed": failed}, "\n".join(lines) or "this node knows no peers", as_json=as_json)
    if failed:
        raise click.exceptions.Exit(1)


@mirror.command()
@home_option
@json_option
@click.argument("peers", nargs=-1, metavar="[PEERS]")
def status(home: Path, as_json: bool, peers: tuple[str, ...]) -> None:
    """Show what is kept of each partition, and how old it is."""
    _show_states(home, peers, verify=False, as_json=as_json)


@mirror.command()
@home_option
@json_option
@click.argument("peers", nargs=-1, metavar="[PEERS]")
def verify(home: Path, as_json: bool, peers: tuple[str, ...]) -> None:
    """Read every copy and compare it with the signed manifest.

    Exits 1 where one is damaged. It is removed, and `heqiao mirror sync` fetches it again.
    """
    if _DAMAGED in _show_states(home, peers, verify=True, as_json=as_json):
        raise click.exceptions.Exit(1)


@mirror.command()
@home_option
@json_option
@click.argument("peers", nargs=-1, required=True, metavar="PEERS")
def drop(home: Path, as_json: bool, peers: tuple[str, ...]) -> None:
    """Remove the copies of some peers."""
    with _opened(home) as mirrors:
        freed = {code: mirrors.drop(code) for code in mirrors.codes(peers)}
    lines = [f"{code}: {size:,} bytes removed" for code, size in freed.items()]
    show({"dropped": freed}, "\n".join(lines), as_json=as_json)


def _show_states(home: Path, peers: tuple[str, ...], *, verify: bool, as_json: bool) -> set[str]:
    """Print the state of every partition; return the states."""
    table, rows, states = [], [], set[str]()
    with _opened(home) as mirrors:
        for code in mirrors.codes(peers):
            issued_at, found = mirrors.read(code, verify=verify)
            when = None if issued_at is None else issued_at.isoformat()
            plain = [{**asdict(one), "state": one.state.value} for one in found]
            rows.append({"peer": code, "issued_at": when, "partitions": plain})
            states |= {one.state.value for one in found}
            for one in found:
                shown = "" if issued_at is None else f"{issued_at:%Y-%m-%d %H:%M} UTC"
                table.append((code, f"{one.item}/{one.origin}", one.state.value, f"{one.entries:,}", shown))
            if not found:
                table.append((code, "", "absent", "", ""))
    if as_json:
        show({"mirrors": rows}, "", as_json=True)
    else:
        print_table(("peer", "partition", "state", "entries", "manifest of"), table)
    return states
