"""Whether a node is well, and whether it can ask its peers: what `heqiao doctor` shows."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from keys import KeyringError, verify_chain
from matcher import MatcherError
from matcher.suites import x25519
from node.config import Config
from node.context import Node, open_node
from node.credentials.revocation_lists import REFUSED, WARNED
from node.database import describe_database
from node.database import partitions as index_rows
from node.database import peers as peer_rows
from node.domain.days import china_day
from node.domain.peers import PeerRow
from node.errors import NodeError
from node.index.token_counts import count_tokens
from node.requester import handshake
from node.requester.checkpoint import MemoryCheckpoint
from node.requester.context import QueryContext
from node.requester.point_cache import PointCache
from node.transport.peer_client import PeerClient
from node.wire.manifest import Manifest

SOON_DAYS = 30


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check; `hint` says which side must do what."""

    check: str
    good: bool
    text: str
    hint: str = ""


def check_home(config: Config) -> Iterator[Finding]:
    """Every check of a home: its database and keys, the node, each peer."""
    yield Finding("database", True, describe_database(config))
    try:
        node = open_node(config)
    except (NodeError, KeyringError) as error:
        yield Finding("database and keys", False, str(error), error.hint)
        return
    yield from check_node(node)
    with node.store.transaction("list peers") as tx:
        known = peer_rows.list_peers(tx)
    for peer in known:
        yield from _try_peer(node, peer)


def check_node(node: Node) -> Iterator[Finding]:
    """Every check of a node itself."""
    yield try_check("certificate", lambda: _check_certificate(node))
    yield try_check("revocations", lambda: _check_list(node))
    running = x25519.backend().name
    others = "; ".join(f"{name}: {why}" for name, why in x25519.available().items() if why)
    yield Finding("x25519 backend", True, running + (f" ({others})" if others else ""))
    with node.store.transaction("count entries") as tx:
        totals = index_rows.totals(tx, node.keys.epoch)
    text = ", ".join(f"{item} {entries}" for item, _, entries, _ in totals) or "nothing imported"
    yield Finding("index", True, f"epoch {node.keys.epoch}: {text}")
    yield try_check("tokens", lambda: _count_tokens(node))
    yield _check_catalogue(node)


def _count_tokens(node: Node) -> Finding:
    people, tokens = count_tokens(node, node.keys.epoch)
    by_class = ", ".join(f"{number:,} {each.value}" for each, number in tokens.items())
    return Finding("tokens", True, f"{people:,} numbers of people; tokens: {by_class}")


def _check_certificate(node: Node) -> Finding:
    now = node.clock()
    certified = verify_chain(node.keys.certificate, node.keys.ca, now)
    left = (certified.not_after - now).days
    hint = "" if left > SOON_DAYS else "renew: `heqiao keys rotate tls`, `heqiao ca issue`, `heqiao join`"
    return Finding("certificate", left > SOON_DAYS, f"valid for {left} days", hint)


def _check_list(node: Node) -> Finding:
    """A node without a list is as good as one whose list was made when its certificate was."""
    age, found = node.revocations.age, node.revocations.current
    if age is None:
        return Finding("revocations", True, "none")
    text = f"list {found.number}, {len(found.serials)} revoked, " if found.number else "no list yet; "
    text += f"{age.days} days old" if found.number else f"certificate {age.days} days old"
    hint = (
        "ask the CA's administrator for the newest list (`heqiao ca publish`) and take it with `heqiao peers "
        "revocations`"
    )
    if age > REFUSED:
        return Finding("revocations", False, f"{text}: THIS NODE SERVES AND ASKS NOBODY", hint)
    if age > WARNED:
        last = china_day(node.clock() - age + REFUSED)
        return Finding("revocations", False, f"{text}: serves nobody after {last}", hint)
    return Finding("revocations", True, text)


def _check_catalogue(node: Node) -> Finding:
    """Its version, and whether each of its published tables is in force today."""
    catalogue, today = node.catalogue, china_day(node.clock())
    signed = ", signed" if node.catalogue_signed else ""
    text = f"{catalogue.version} {catalogue.digest.hex()[:16]}{signed}"
    over = [table.code for table in catalogue.tables if not table.is_valid(today)]
    if not over:
        return Finding("catalogue", True, text)
    hint = "the federation publishes a new version: `heqiao catalogue publish`"
    return Finding("catalogue", False, f"{text}; tables that are not in force: {', '.join(over)}", hint)


def _try_peer(node: Node, peer: PeerRow) -> Iterator[Finding]:
    """The findings of one peer; one that cannot be asked has a single bad one."""
    manifests: list[Manifest] = []
    yield try_check(f"peer {peer.code}", partial(_check_peer, node, peer, manifests))
    yield from (_conflicts(node, peer, manifest) for manifest in manifests if manifest.conflicts)


def _conflicts(node: Node, peer: PeerRow, manifest: Manifest) -> Finding:
    """Items that the two provinces define differently: answered NOT_COMPARABLE until both agree."""
    differ, version = ", ".join(sorted(manifest.conflicts)), manifest.catalogue_version
    text = f"{version}; {differ} defined otherwise than in {node.catalogue.version} here"
    hint = f"`heqiao catalogue diff {peer.code}` shows both sides; the two administrators agree on one"
    return Finding(f"catalogue of {peer.code}", False, text, hint)


def _check_peer(node: Node, peer: PeerRow, manifests: list[Manifest]) -> Finding:
    checkpoint = MemoryCheckpoint()
    with PeerClient.open(node, peer, checkpoint.count) as channel:
        serialised, signature = channel.get_manifest()
        mapped = PointCache(node.keys.salts, ())
        query = QueryContext.of(node, peer, channel, checkpoint, mapped, node.clock())
        manifest = handshake.check_manifest(query, serialised, signature).content
        manifests.append(manifest)
    origins = sorted({part.origin for part in manifest.partitions})
    items = ", ".join(manifest.items) or "none"
    text = f"epoch {manifest.epoch}, items {items}, origins {', '.join(origins) or 'none'}"
    if not origins:
        hint = f"the administrator of {peer.code} grants items with `heqiao peers grant`, and imports"
        return Finding(f"peer {peer.code}", False, text, hint)
    return Finding(f"peer {peer.code}", True, text)


def try_check(check: str, run: Callable[[], Finding]) -> Finding:
    """The finding of one check; one that raises is bad."""
    try:
        return run()
    except (NodeError, KeyringError) as error:
        return Finding(check, False, str(error), error.hint)
    except MatcherError as error:
        return Finding(check, False, str(error))
