"""The first step of a query: the responder's manifest, checked and kept, and a session under it.

`trusted_manifest` checks a manifest; this module fetches it, parses it once and keeps it.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from node.requester import trusted_manifest
from node.requester.context import OpenSession, QueryContext, Session, with_retries
from node.requester.padding import new_seed
from node.requester.trusted_manifest import PeerKeys, TrustedManifest, TrustedState
from node.wire.common import QUERY_ID_SIZE
from node.wire.manifest import Manifest
from node.wire.match import parse_manifest

RESTARTS = 3
MAX_CHUNK_POINTS = 32_640  # a message of 1 MiB, which every node takes
GetManifest = Callable[[], tuple[bytes, bytes]]


def open_session(
    context: QueryContext, items: Sequence[str], before: OpenSession | None = None
) -> OpenSession:
    """Step 1: draw a seed for a query about items of one class, keep it with the manifest.

    The manifest is that of the query before, unless it has expired, else the peer's.
    """
    if before is None or before.manifest.expires_at < context.clock():
        return begin_session(context, items, context.calls.get_manifest)
    kept = before.session
    return begin_session(context, items, lambda: (kept.manifest, kept.signature))


def begin_session(context: QueryContext, items: Sequence[str], get_manifest: GetManifest) -> OpenSession:
    """A new query under the manifest that `get_manifest` fetches, kept in the checkpoint."""
    context.checkpoint.progress("manifest", 0, 0)
    serialised, signature, trusted = _fetch(context, get_manifest)
    session = Session(
        query_id=context.random_bytes(QUERY_ID_SIZE),
        seed=new_seed(context.random_bytes),
        manifest=serialised,
        signature=signature,
        layout=serialised,
        items=tuple(items),
    )
    context.checkpoint.begin(session)
    return OpenSession(session, trusted.suite, trusted.content, trusted.content)


def resume_session(context: QueryContext, items: Sequence[str]) -> OpenSession | None:
    """The session in the checkpoint, checked again; None without one, or where its salt is retired.

    Also None where it asks about other items than `items`: the query of that class has ended.

    Its manifest may have expired. Raises what `check_manifest` raises.
    """
    session = context.checkpoint.session()
    if session is None or session.items != tuple(items):
        return None
    manifest = parse_manifest(session.manifest)
    if context.mapped.salt(manifest.salt_version) is None:
        return None
    if context.pinned_keys is None:
        _card_key(context).verify_kept(session.manifest, session.signature)
    else:
        context.pinned_keys.verify_kept(session.manifest, session.signature)
    trusted = _state(context).judge(manifest, context.clock())
    layout = manifest if session.layout == session.manifest else parse_manifest(session.layout)
    return OpenSession(session, trusted.suite, manifest, layout)


def renew_session(
    context: QueryContext,
    opened: OpenSession,
    get_manifest: GetManifest,
    require_same: Callable[[Manifest], object],
) -> OpenSession:
    """The same query under newer versions; `require_same` refuses a manifest under which it cannot go on."""
    serialised, signature, trusted = _fetch(context, get_manifest)
    require_same(trusted.content)
    session = replace(opened.session, manifest=serialised, signature=signature)
    context.checkpoint.renew(session)
    return replace(opened, session=session, manifest=trusted.content)


def renew_manifest(context: QueryContext, opened: OpenSession) -> OpenSession:
    """The same query under newer partition versions. Raises EpochError, OfferChangedError."""

    def require_same(newer: Manifest) -> None:
        trusted_manifest.require_same_batch(newer, opened.manifest, opened.layout)

    return renew_session(context, opened, context.calls.get_manifest, require_same)


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


def _fetch(context: QueryContext, get_manifest: GetManifest) -> tuple[bytes, bytes, TrustedManifest]:
    serialised, signature = with_retries(context, get_manifest)
    trusted = check_manifest(context, serialised, signature)
    trusted_manifest.require_fresh(trusted.content, context.clock())
    return serialised, signature, trusted


def _state(context: QueryContext) -> TrustedState:
    catalogue, salts = context.catalogue, context.mapped.salts
    return TrustedState(context.code, context.peer.code, salts, catalogue.digest, catalogue.widths)


def _card_key(context: QueryContext) -> PeerKeys:
    """A caller without pinned keys uses the key on the peer's card."""
    return PeerKeys(context.peer.code, context.peer.signing_key)
