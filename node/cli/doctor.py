"""`heqiao doctor`: checks this node and its connections to peers."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from keys import KeyringError, verify_chain
from matcher import MatcherError
from matcher.suites import x25519
from node.cli.options import home_option, json_option, load_config, show
from node.context import Node, open_node
from node.database import partitions as index_rows
from node.database import peers as peer_rows
from node.domain.peers import PeerRow
from node.errors import NodeError
from node.requester import handshake
from node.requester.checkpoint import MemoryCheckpoint
from node.requester.context import QueryContext
from node.requester.point_cache import PointCache
from node.transport.peer_client import PeerClient

SOON_DAYS = 30


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check; `hint` says which side must do what."""

    check: str
    good: bool
    text: str
    hint: str = ""


@click.command()
@home_option
@json_option
def doctor(home: Path, as_json: bool) -> None:
    """Check this node and its connection to each peer.

    For the node: home, keys, certificate, backend, index, catalogue. For each peer: connection, certificates,
    clock, suite, salt, catalogue and grants. Says which side has to do what. Exits 1 if anything is wrong.
    """
    found = [_try("home", lambda: _check_home(home))]
    node: Node | None = None
    if found[0].good:
        try:
            node = open_node(load_config(home))
        except (NodeError, KeyringError) as error:
            found.append(Finding("database and keys", False, str(error), error.hint))
    if node is not None:
        found += _check_node(node)
        with node.store.transaction("list peers") as tx:
            known = peer_rows.list_peers(tx)
        found += [_try(f"peer {peer.code}", partial(_check_peer, node, peer)) for peer in known]
    good = all(one.good for one in found)
    if as_json:
        show({"good": good, "checks": [asdict(one) for one in found]}, "", as_json=True)
    else:
        table = Table("check", "", "found", "what to do")
        for one in found:
            table.add_row(one.check, "ok" if one.good else "WRONG", one.text, one.hint)
        Console().print(table)
    if not good:
        raise click.exceptions.Exit(1)


def _check_node(node: Node) -> Iterator[Finding]:
    yield _try("certificate", lambda: _check_certificate(node))
    running = x25519.backend().name
    others = "; ".join(f"{name}: {why}" for name, why in x25519.available().items() if why)
    yield Finding("x25519 backend", True, running + (f" ({others})" if others else ""))
    with node.store.transaction("count entries") as tx:
        totals = index_rows.totals(tx, node.keys.epoch)
    text = ", ".join(f"{item} {entries}" for item, _, entries, _ in totals) or "nothing imported"
    yield Finding("index", True, f"epoch {node.keys.epoch}: {text}")
    yield Finding("catalogue", True, f"{node.catalogue.version} {node.catalogue.digest.hex()[:16]}")


def _check_home(home: Path) -> Finding:
    config = load_config(home)
    return Finding("home", True, f"{config.node.role} {config.node.code} {config.node.name}")


def _check_certificate(node: Node) -> Finding:
    now = node.clock()
    certified = verify_chain(node.keys.certificate, node.keys.ca, now)
    left = (certified.not_after - now).days
    hint = "" if left > SOON_DAYS else "renew: `heqiao keys rotate tls`, `heqiao ca issue`, `heqiao join`"
    return Finding("certificate", left > SOON_DAYS, f"valid for {left} days", hint)


def _check_peer(node: Node, peer: PeerRow) -> Finding:
    checkpoint = MemoryCheckpoint()
    with PeerClient.open(node, peer, checkpoint.count) as link:
        serialised, signature = link.get_manifest()
        mapped = PointCache(node.keys.salts, ())
        exchange = QueryContext.of(node, peer, link, checkpoint, mapped, node.clock())
        manifest = handshake.check_manifest(exchange, serialised, signature).content
    origins = sorted({part.origin for part in manifest.partitions})
    items = ", ".join(manifest.items) or "none"
    text = f"epoch {manifest.epoch}, items {items}, origins {', '.join(origins) or 'none'}"
    if not origins:
        hint = f"the administrator of {peer.code} grants origins with `heqiao peers add --grant`, and imports"
        return Finding(f"peer {peer.code}", False, text, hint)
    return Finding(f"peer {peer.code}", True, text)


def _try(check: str, run: Callable[[], Finding]) -> Finding:
    try:
        return run()
    except (NodeError, KeyringError) as error:
        return Finding(check, False, str(error), error.hint)
    except MatcherError as error:
        return Finding(check, False, str(error))
