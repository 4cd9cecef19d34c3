"""The first step of a query: the responder's manifest, checked and kept, and a session under it.

`trusted_manifest` checks a manifest; this module fetches it, parses it once and keeps it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from node.requester import trusted_manifest
from node.requester.context import OpenSession, QueryContext, Session, with_retries
from node.requester.padding import new_seed
from node.requester.seen_manifests import TRIES, BehindError
from node.requester.trusted_manifest import PeerKeys, TrustedManifest, TrustedState
from node.telemetry import log
from node.wire.common import QUERY_ID_SIZE
from node.wire.manifest import Manifest, comparable_part
from node.wire.match import parse_manifest

RESTARTS = 3
MAX_CHUNK_POINTS = 32_640  # a message of 1 MiB, which every node takes
GetManifest = Callable[[], tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Offer:
    """A manifest for which all rules hold, as it was signed."""

    serialised: bytes = field(repr=False)
    signature: bytes = field(repr=False)
    trusted: TrustedManifest = field(repr=False)

    @property
    def content(self) -> Manifest:
        """What it says."""
        return self.trusted.content


def begin_session(context: QueryContext, items: Sequence[str], get_manifest: GetManifest) -> OpenSession:
    """A new query under the manifest that `get_manifest` fetches, kept in the checkpoint."""
    context.checkpoint.progress("manifest", 0, 0)
    return start_session(context, items, fetch_offer(context, get_manifest))


def start_session(context: QueryContext, items: Sequence[str], offer: Offer) -> OpenSession:
    """A new query about items of one class under a manifest: draw a seed, keep both in the checkpoint."""
    session = Session(
        query_id=context.random_bytes(QUERY_ID_SIZE),
        seed=new_seed(context.random_bytes),
        manifest=offer.serialised,
        signature=offer.signature,
        layout=offer.serialised,
        items=tuple(items),
        catalogue=context.catalogue.digest,
    )
    context.checkpoint.begin(session)
    note_conflicts(context, offer.content)
    return OpenSession(session, offer.trusted.suite, offer.content, offer.content)


def resume_session(context: QueryContext, items: Sequence[str]) -> OpenSession | None:
    """The session in the checkpoint, checked again; None without one, or where its salt is retired.

    Also None where it asks about other items than `items`, because the query of that class has ended; and
    where this node has another catalogue than when it began, under which the batch would be another one.

    Its manifest may have expired. Raises what `check_manifest` raises.
    """
    session = context.checkpoint.session()
    if session is None or session.items != tuple(items) or session.catalogue != context.catalogue.digest:
        return None
    manifest = parse_manifest(session.manifest)
    if context.mapped.salt(manifest.salt_version) is None:
        return None
    trusted = check_kept(context, session.manifest, session.signature, manifest).trusted
    layout = trusted.content
    if session.layout != session.manifest:
        layout = comparable_part(parse_manifest(session.layout), context.catalogue.definitions)
    return OpenSession(session, trusted.suite, trusted.content, layout)


def renew_session(
    context: QueryContext,
    opened: OpenSession,
    get_manifest: GetManifest,
    require_same: Callable[[Manifest], object],
) -> OpenSession:
    """The same query under newer versions; `require_same` refuses a manifest under which it cannot go on."""
    offer = fetch_offer(context, get_manifest)
    require_same(offer.content)
    return change_manifest(context, opened, offer)


def change_manifest(context: QueryContext, opened: OpenSession, offer: Offer) -> OpenSession:
    """The same query under another manifest, kept in the checkpoint."""
    session = replace(opened.session, manifest=offer.serialised, signature=offer.signature)
    context.checkpoint.renew(session)
    return replace(opened, session=session, manifest=offer.content)


def check_manifest(context: QueryContext, serialised: bytes, signature: bytes) -> TrustedManifest:
    """Check a manifest that just came, before any point is sent.

    Each rule of `trusted_manifest` has its own error. The peer's new key is pinned before the content is
    checked.
    """
    if context.pinned_keys is None:
        _card_key(context).verify(serialised, signature, (), context.clock())
    else:
        context.pinned_keys.verify(serialised, signature, context.calls.successions)
    return _state(context).read(serialised, context.clock())


def check_kept(
    context: QueryContext, serialised: bytes, signature: bytes, manifest: Manifest | None = None
) -> Offer:
    """Check a manifest again that was checked when it came, and was kept since; `manifest` is it parsed.

    Raises what `check_manifest` raises.
    """
    if context.pinned_keys is None:
        _card_key(context).verify_kept(serialised, signature)
    else:
        context.pinned_keys.verify_kept(serialised, signature)
    content = manifest or parse_manifest(serialised)
    _require_geometry(context, content)
    return Offer(serialised, signature, _state(context).judge(content, context.clock()))


def fetch_offer(context: QueryContext, get_manifest: GetManifest, *, older_epoch: bool = False) -> Offer:
    """Fetch a manifest that is trusted, and no older than one seen before. Nothing else is fetched yet.

    `older_epoch`: an epoch in its grace is asked for. Raises what `check_manifest` raises.
    """
    for left in reversed(range(TRIES + 1)):
        serialised, signature = with_retries(context, get_manifest)
        trusted = check_manifest(context, serialised, signature)
        trusted_manifest.require_fresh(trusted.content, context.clock())
        _require_geometry(context, trusted.content)
        try:
            if context.seen_manifests is not None:
                context.seen_manifests.judge(trusted.content, is_last=not left, older_epoch=older_epoch)
        except BehindError:
            context.checkpoint.wait(context.settings.retry_wait_s)
        else:
            break
    return Offer(serialised, signature, trusted)


def note_conflicts(context: QueryContext, manifest: Manifest) -> None:
    """Log the items that the two provinces define differently."""
    if manifest.conflicts:
        _log_conflicts(context.peer.code, manifest.catalogue_version, tuple(sorted(manifest.conflicts)))


@lru_cache(maxsize=1024)  # once in a process, and again when they change: every query meets them
def _log_conflicts(peer: str, version: str, items: tuple[str, ...]) -> None:
    log.get_logger().warning("catalogue_conflicts", peer=peer, catalogue=version, items=list(items))


def _require_geometry(context: QueryContext, manifest: Manifest) -> None:
    settings = context.settings
    trusted_manifest.require_geometry(manifest, settings.min_bucket_entries, settings.max_bucket_bits)


def _state(context: QueryContext) -> TrustedState:
    return TrustedState(context.code, context.peer.code, context.mapped.salts, context.catalogue)


def _card_key(context: QueryContext) -> PeerKeys:
    """A caller without pinned keys uses the key on the peer's card."""
    return PeerKeys(context.peer.code, context.peer.signing_key)
