"""Whether a node is well, and whether it can ask its peers: what `heqiao doctor` shows."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
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
    """The result of one check; `hint` says which side must do what, `facts` has the figures of `text`."""

    check: str
    good: bool
    text: str
    hint: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)


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
        yield try_check(f"peer {peer.code}", partial(_check_peer, node, peer))


def check_node(node: Node) -> Iterator[Finding]:
    """Every check of a node itself."""
    yield try_check("certificate", lambda: _check_certificate(node))
    yield try_check("revocations", lambda: _check_list(node))
    running = x25519.backend().name
    others = "; ".join(f"{name}: {why}" for name, why in x25519.available().items() if why)
    yield Finding(
        "x25519 backend", True, running + (f" ({others})" if others else ""), "", {"backend": running}
    )
    with node.store.transaction("count entries") as tx:
        totals = index_rows.totals(tx, node.keys.epoch)
    text = ", ".join(f"{item} {entries}" for item, _, entries, _ in totals) or "nothing imported"
    facts = {
        "items": str(len(totals)),
        "entries": f"{sum(one[2] for one in totals):,}",
        "epoch": str(node.keys.epoch),
    }
    yield Finding("index", True, f"epoch {node.keys.epoch}: {text}", "", facts)
    yield try_check("tokens", lambda: _count_tokens(node))
    facts = {"version": node.catalogue.version, "digest": node.catalogue.digest.hex()[:16]}
    yield Finding("catalogue", True, " ".join(facts.values()), "", facts)


def _count_tokens(node: Node) -> Finding:
    people, tokens = count_tokens(node, node.keys.epoch)
    by_class = ", ".join(f"{number:,} {each.value}" for each, number in tokens.items())
    return Finding(
        "tokens", True, f"{people:,} numbers of people; tokens: {by_class}", "", {"people": f"{people:,}"}
    )


def _check_certificate(node: Node) -> Finding:
    now = node.clock()
    certified = verify_chain(node.keys.certificate, node.keys.ca, now)
    left = (certified.not_after - now).days
    hint = "" if left > SOON_DAYS else "renew: `heqiao keys rotate tls`, `heqiao ca issue`, `heqiao join`"
    return Finding("certificate", left > SOON_DAYS, f"valid for {left} days", hint, {"days": str(left)})


def _check_list(node: Node) -> Finding:
    """A node without a list is as good as one whose list was made when its certificate was."""
    age, found = node.revocations.age, node.revocations.current
    if age is None:
        return Finding("revocations", True, "none", "", {"number": "0", "days": "0"})
    facts = {"number": str(found.number), "days": str(age.days)}
    text = f"list {found.number}, {len(found.serials)} revoked, " if found.number else "no list yet; "
    text += f"{age.days} days old" if found.number else f"certificate {age.days} days old"
    hint = (
        "ask the CA's administrator for the newest list (`heqiao ca publish`) and take it with `heqiao peers "
        "revocations`"
    )
    if age > REFUSED:
        return Finding("revocations", False, f"{text}: THIS NODE SERVES AND ASKS NOBODY", hint, facts)
    if age > WARNED:
        last = china_day(node.clock() - age + REFUSED)
        return Finding("revocations", False, f"{text}: serves nobody after {last}", hint, facts)
    return Finding("revocations", True, text, "", facts)


def _check_peer(node: Node, peer: PeerRow) -> Finding:
    last = list(check_peer(node, peer))[-1]
    return replace(last, check=f"peer {peer.code}")


def check_peer(node: Node, peer: PeerRow) -> Iterator[Finding]:
    """How far a call to a peer comes: `connection`, `manifest`, `grants`; the first that is bad is the last.

    The connection is TLS with both certificates and the peer's answer; the manifest is signed by the peer's
    key, of this time, suite, salt and catalogue.
    """
    checkpoint = MemoryCheckpoint()
    with ExitStack() as stack:
        found: list[tuple[PeerClient, bytes, bytes]] = []

        def connect() -> Finding:
            channel = stack.enter_context(PeerClient.open(node, peer, checkpoint.count))
            found.append((channel, *channel.get_manifest()))
            return Finding("connection", True, f"{peer.address} answers with a good certificate")

        yield (connected := try_check("connection", connect))
        if not connected.good:
            return
        manifests: list[Manifest] = []
        yield (checked := try_check("manifest", lambda: _check_manifest(node, peer, *found[0], manifests)))
        if checked.good:
            yield _check_grants(peer, manifests[0])


def _check_manifest(
    node: Node, peer: PeerRow, channel: PeerClient, signed: bytes, signature: bytes, into: list[Manifest]
) -> Finding:
    mapped = PointCache(node.keys.salts, ())
    query = QueryContext.of(node, peer, channel, MemoryCheckpoint(), mapped, node.clock())
    into.append(handshake.check_manifest(query, signed, signature).content)
    return Finding("manifest", True, "signed by the key on the card; suite, salt, catalogue and clock fit")


def _check_grants(peer: PeerRow, manifest: Manifest) -> Finding:
    origins = sorted({part.origin for part in manifest.partitions})
    items = ", ".join(manifest.items) or "none"
    text = f"epoch {manifest.epoch}, items {items}, origins {', '.join(origins) or 'none'}"
    if origins:
        return Finding("grants", True, text)
    hint = f"the administrator of {peer.code} grants items with `heqiao peers grant`, and imports"
    return Finding("grants", False, text, hint)


def try_check(check: str, run: Callable[[], Finding]) -> Finding:
    """The finding of one check; one that raises is bad."""
    try:
        return run()
    except (NodeError, KeyringError) as error:
        return Finding(check, False, str(error), error.hint)
    except MatcherError as error:
        return Finding(check, False, str(error))
