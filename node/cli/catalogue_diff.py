"""`heqiao catalogue diff`: where two catalogues define an item differently."""

import re
from pathlib import Path

import click

from node.cli.options import json_option, read_config, show
from node.cli.terminal import print_table
from node.config import HOME_VARIABLE
from node.context import open_node
from node.domain.catalogue import Catalogue, load
from node.domain.catalogue_differences import DifferenceKind, ItemDifference, compare_catalogues
from node.federation.catalogue_file import load_catalogue
from node.jobs.catalogue_comparison import ComparisonState, PeerComparison, compare_known_peer

_PEER = re.compile(r"[0-9]{2}")
_KINDS = {
    DifferenceKind.ONLY_HERE: "only on the first side",
    DifferenceKind.ONLY_THERE: "only on the second side",
}


@click.command()
@click.argument("first", metavar="[A]")
@click.argument("second", metavar="B", required=False)
@click.option("--home", type=click.Path(path_type=Path, readable=False), envvar=HOME_VARIABLE,
              show_envvar=True, help="Home folder of this node.")  # fmt: skip
@json_option
def diff(first: str, second: str | None, home: Path | None, *, as_json: bool) -> None:
    """Compare two catalogues, item by item.

    A and B are files; without A it is the catalogue of this node. B may be the code of a peer, which is asked
    now: codes and numbers of both sides are shown, of a text only the own side and, as #, the beginning of
    the digest of the other. Exits 1 if something differs.

    \b
    heqiao catalogue diff 33 --home 45
    heqiao catalogue diff federation-1.0.toml federation-1.1.toml
    """  # noqa: D301 - click's mark of lines that stay as they are
    left, right = (first, second) if second is not None else (None, first)
    if _PEER.fullmatch(right):
        if left is not None:
            raise click.UsageError("the catalogue of a peer is compared with that of this node: leave A away")
        found = _with_peer(home, right)
    else:
        found = _of_files(_own(home) if left is None else load(Path(left)), load(Path(right)))
    show(_plain(found), "", as_json=True) if as_json else _print(found)
    if found.state is not ComparisonState.SAME or found.items:
        raise click.exceptions.Exit(1)


def _own(home: Path | None) -> Catalogue:
    return load_catalogue(read_config(home)) if home else load()


def _of_files(here: Catalogue, there: Catalogue) -> PeerComparison:
    items = compare_catalogues(here, there)
    state = ComparisonState.SAME
    if here.major != there.major:
        state = ComparisonState.OTHER_MAJOR
    elif any(one.kind is DifferenceKind.CONFLICT for one in items):
        state = ComparisonState.DIFFERS
    return PeerComparison("", state, there.version, items, here.digest == there.digest)


def _with_peer(home: Path | None, code: str) -> PeerComparison:
    if home is None:
        raise click.UsageError("give --home: a peer is asked as this node")
    return compare_known_peer(open_node(read_config(home)), code)


def _print(found: PeerComparison) -> None:
    if found.state is ComparisonState.OTHER_MAJOR and not found.items:
        click.echo(f"another major version: {found.version}; nothing is asked of this peer")
        return
    rows = [row for item in found.items for row in _rows(item)]
    if rows:
        print_table(("item", "attribute", "here", "there"), rows)
    conflicts = len(found.conflicts)
    if found.is_same_document:
        click.echo(f"the catalogues are the same: version {found.version}")
    else:
        click.echo(
            f"version there {found.version}; {conflicts} items are defined differently: not comparable"
        )


def _rows(item: ItemDifference) -> list[tuple[str, str, str, str]]:
    if item.kind is DifferenceKind.CONFLICT:
        return [(item.item, one.attribute, one.here, one.there) for one in item.attributes]
    return [(item.item, _KINDS[item.kind], "", "")]


def _plain(found: PeerComparison) -> dict[str, object]:
    return {
        "peer": found.peer or None,
        "state": found.state.value,
        "version": found.version,
        "same_document": found.is_same_document,
        "items": [
            {
                "item": item.item,
                "kind": item.kind.value,
                "attributes": [
                    {"attribute": one.attribute, "here": one.here, "there": one.there}
                    for one in item.attributes
                ],
            }
            for item in found.items
        ],
    }
