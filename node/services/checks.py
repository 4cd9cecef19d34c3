"""Whether a node is well, and whether it can ask its peers: what `heqiao doctor` shows."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace

from keys import KeyringError
from matcher import MatcherError
from matcher.suites import x25519
from node.config import Config
from node.context import Node, open_node
from node.credentials.revocation_lists import REFUSED
from node.credentials.validity import ListState, certificate_end, ends_soon, list_state
from node.database import asked, describe_database
from node.database import households as household_rows
from node.database import offices as office_rows
from node.database import partitions as index_rows
from node.database import peers as peer_rows
from node.domain.days import FIRST_DAY, china_day
from node.domain.peers import PeerRow
from node.errors import NodeError
from node.index.token_counts import count_tokens
from node.jobs.calendar import working_days
from node.jobs.deadlines import DUE, HELD, OPEN, list_deadlines
from node.jobs.deadlines import WARNED as UNANSWERED
from node.requester import handshake
from node.requester.checkpoint import MemoryCheckpoint
from node.requester.context import QueryContext
from node.requester.point_cache import PointCache
from node.transport.peer_client import PeerClient
from node.wire.manifest import Manifest


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check; `hint` says which side must do what, `facts` has the figures of `text`.

    `advice` is the hint as a word that other languages have a sentence for. `warns`: good, and somebody has
    something to do.
    """

    check: str
    good: bool
    text: str
    hint: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)
    advice: str = ""
    warns: bool = False


def check_home(config: Config) -> Iterator[Finding]:
    """Every check of a home: its database and keys, the node, each peer."""
    yield Finding("database", True, describe_database(config))
    try:
        node = open_node(config)
    except (NodeError, KeyringError) as error:
        yield Finding("database and keys", False, str(error), error.hint)
        return
    yield from check_node(node, every=True)
    with node.store.transaction("list peers") as tx:
        known = peer_rows.list_peers(tx)
    for peer in known:
        yield from _try_peer(node, peer)


def check_node(node: Node, *, every: bool = False) -> Iterator[Finding]:
    """Checks of a node itself; `every` also counts tokens, which reads all that the node holds."""
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
    if every:
        yield try_check("tokens", lambda: _count_tokens(node))
    yield try_check("working days", lambda: _check_days(node))
    yield try_check("deadlines", lambda: _check_deadlines(node))
    yield try_check("mandates", lambda: _check_mandates(node))
    yield _check_catalogue(node)


def _check_mandates(node: Node) -> Finding:
    """Mandates on record, urgent checks that wait for theirs, and whether offices are ready to sign."""
    today = (china_day(node.clock()) - FIRST_DAY).days
    with node.store.transaction("count mandates") as tx:
        found, (waiting, overdue) = household_rows.count(tx), asked.count_urgent(tx, today)
        authority = office_rows.newest_authority(tx)
    text = f"{found['households']:,} households, {found['mandates']:,} mandates"
    text += f", {found['signed']:,} signed by offices"
    text += f"; {waiting:,} urgent checks wait for their mandate, {overdue:,} overdue" if waiting else ""
    facts = {"households": f"{found['households']:,}", "mandates": f"{found['mandates']:,}"}
    facts |= {"signed": f"{found['signed']:,}", "overdue": f"{overdue:,}"}
    if overdue:
        hint = "add them: `heqiao mandates list` shows which"
        return Finding("mandates", False, text, hint, facts, "mandates_overdue")
    if node.config.mandates.signed_offices and authority is None:
        hint = (
            "`heqiao offices request`, `heqiao ca offices`, `heqiao offices accept`, `heqiao offices issue`"
        )
        text += "; signed_offices is set, and no office can be certified"
        return Finding("mandates", False, text, hint, facts, "offices_certify")
    ready = authority is not None and not node.config.mandates.signed_offices
    hint = "offices can sign: [mandates] signed_offices = true refuses what none signed" if ready else ""
    return Finding("mandates", True, text, hint, facts, "offices_ready" if ready else "")


def _count_tokens(node: Node) -> Finding:
    people, tokens = count_tokens(node, node.keys.epoch)
    by_class = ", ".join(f"{number:,} {each.value}" for each, number in tokens.items())
    return Finding(
        "tokens", True, f"{people:,} numbers of people; tokens: {by_class}", "", {"people": f"{people:,}"}
    )


def _check_days(node: Node) -> Finding:
    """A warning and no fault: nothing is closed by an estimated date."""
    missing = working_days(node).missing_year(node.clock())
    if missing is None:
        return Finding("working days", True, "known", "", {"missing": ""})
    return Finding(
        "working days",
        True,
        f"the holidays of {missing} are not known: days are estimated (估算), and nothing is closed",
        "upgrade chinesecalendar, or name the province's table under [calendar] (docs/deadlines.md)",
        {"missing": str(missing)},
        "holidays",
        warns=True,
    )


def _check_deadlines(node: Node) -> Finding:
    stages = Counter(one.stage for one in list_deadlines(node))
    if not stages:
        return Finding("deadlines", True, "no part waits for an answer", "", {"all": "0", "late": "0"})
    text = ", ".join(f"{stages[one]:,} {one}" for one in (OPEN, UNANSWERED, DUE, HELD) if stages[one])
    late = stages[UNANSWERED] + stages[DUE] + stages[HELD]
    facts = {"all": f"{stages.total():,}", "late": f"{late:,}"}
    hint = "`heqiao jobs deadlines` shows them; telephone the provinces" if late else ""
    return Finding(
        "deadlines",
        True,
        f"parts without an answer: {text}",
        hint,
        facts,
        "answers_late" if late else "",
        warns=late > 0,
    )


def _check_certificate(node: Node) -> Finding:
    now = node.clock()
    end = certificate_end(node.keys.certificate, node.keys.ca, now)
    left, good = (end - now).days, not ends_soon(end, now)
    hint = "" if good else "renew: `heqiao keys rotate tls`, `heqiao ca issue`, `heqiao join`"
    advice = "" if good else "certificate_renew"
    return Finding("certificate", good, f"valid for {left} days", hint, {"days": str(left)}, advice)


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
    state, advice = list_state(age), "list_newest"
    if state is ListState.REFUSED:
        return Finding("revocations", False, f"{text}: THIS NODE SERVES AND ASKS NOBODY", hint, facts, advice)
    if state is ListState.LATE:
        last = china_day(node.clock() - age + REFUSED)
        return Finding("revocations", False, f"{text}: serves nobody after {last}", hint, facts, advice)
    return Finding("revocations", True, text, "", facts)


def _check_catalogue(node: Node) -> Finding:
    """Its version, and whether each of its published tables is in force today."""
    catalogue, today = node.catalogue, china_day(node.clock())
    signed = ", signed" if node.catalogue_signed else ""
    text = f"{catalogue.version} {catalogue.digest.hex()[:16]}{signed}"
    facts = {"version": catalogue.version, "digest": catalogue.digest.hex()[:16]}
    over = [table.code for table in catalogue.tables if not table.is_valid(today)]
    if not over:
        return Finding("catalogue", True, text, "", facts)
    hint = "the federation publishes a new version: `heqiao catalogue publish`"
    text += f"; tables that are not in force: {', '.join(over)}"
    return Finding("catalogue", False, text, hint, {**facts, "over": ", ".join(over)}, "catalogue_tables")


def _try_peer(node: Node, peer: PeerRow) -> Iterator[Finding]:
    """The findings of one peer; one that cannot be asked has a single bad one."""
    steps = list(check_peer(node, peer))
    calls = [step for step in steps if step.check != "catalogue"]
    yield replace(calls[-1], check=f"peer {peer.code}")
    yield from (replace(step, check=f"catalogue of {peer.code}") for step in steps if step not in calls)


def _conflicts(node: Node, peer: PeerRow, manifest: Manifest) -> Finding:
    """Items that the two provinces define differently: answered NOT_COMPARABLE until both agree."""
    differ, version = ", ".join(sorted(manifest.conflicts)), manifest.catalogue_version
    text = f"{version}; {differ} defined otherwise than in {node.catalogue.version} here"
    hint = f"`heqiao catalogue diff {peer.code}` shows both sides; the two administrators agree on one"
    return Finding("catalogue", False, text, hint)


def check_peer(node: Node, peer: PeerRow) -> Iterator[Finding]:
    """How far a call to a peer comes: `connection`, `manifest`, `grants`; the first that is bad is the last.

    Where both define items differently, `catalogue` follows.

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
            if manifests[0].conflicts:
                yield _conflicts(node, peer, manifests[0])


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
    if peer.grants:  # it is answered here, and may only ask
        return Finding("grants", True, f"epoch {manifest.epoch}, offers this node no items: it only asks")
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
