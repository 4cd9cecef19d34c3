"""The first step of a query: the responder's manifest, checked and kept, and a session under it."""

from dataclasses import replace
from datetime import timedelta

from matcher import SUITE, oprf
from matcher.suites import tokens as token
from node.errors import (
    CatalogueMismatchError,
    DishonestPeerError,
    EpochError,
    PreconditionError,
    SaltError,
    UnknownSuiteError,
)
from node.requester.context import QueryContext, Session, with_retries
from node.requester.padding import new_seed
from node.wire import manifest as manifests
from node.wire import match
from node.wire.manifest import Manifest, PlantedSubject

CLOCK_SKEW = timedelta(minutes=5)


RESTARTS = 3


MAX_CHUNK_POINTS = 32_640  # a message of 1 MiB, which every node takes


class _OfferChangedError(Exception):
    """The planted subjects of the batch are not those of the partitions any more."""


def open_session(context: QueryContext) -> Session:
    """Step 1: fetch the manifest, draw a fresh blind and seed, keep both."""
    context.checkpoint.progress("manifest", 0, 0)
    serialised, signature = with_retries(context, context.link.get_manifest)
    require_fresh(context, check_manifest(context, serialised, signature))
    session = draw_session(context, serialised, signature)
    context.checkpoint.begin(session)
    return session


def draw_session(context: QueryContext, serialised: bytes, signature: bytes) -> Session:
    """A new query under a manifest: fresh id, blind and seed."""
    return Session(
        query_id=context.random_bytes(16),
        blind=oprf.draw_blind(context.random_bytes),
        seed=new_seed(context.random_bytes),
        manifest=serialised,
        signature=signature,
        layout=serialised,
    )


def renew_manifest(context: QueryContext, session: Session, manifest: Manifest) -> tuple[Session, Manifest]:
    """The same query under newer partition versions. Raises EpochError when the epoch changed too."""
    serialised, signature = with_retries(context, context.link.get_manifest)
    newer = check_manifest(context, serialised, signature)
    require_fresh(context, newer)
    if newer.epoch != manifest.epoch:
        raise EpochError("the peer's epoch changed", details={"epoch": str(newer.epoch)})
    if _planted(newer) != _planted(match.parse_manifest(session.layout)):
        raise _OfferChangedError
    renewed = replace(session, manifest=serialised, signature=signature)
    context.checkpoint.renew(renewed)
    return renewed, newer


def check_manifest(
    context: QueryContext, serialised: bytes, signature: bytes, *, kept: bool = False
) -> Manifest:
    """Everything that must hold before a point is sent, each with its own error.

    `kept`: it was checked before, when it came, and has lain in the journal since.
    """
    if context.pins is None:
        manifests.verify(serialised, signature, context.peer.signing_key)
    elif kept:
        context.pins.verify_kept(serialised, signature)
    else:
        context.pins.verify(serialised, signature, context.link.successions)
    manifest = match.parse_manifest(serialised)
    if manifest.responder != context.peer.code or manifest.requester != context.code:
        raise DishonestPeerError(
            "the manifest is between other provinces", details={"check": "manifest_parties"}
        )
    if manifest.issued_at > context.clock() + CLOCK_SKEW:
        raise PreconditionError(
            "the peer's manifest is from the future", "compare the clocks of both nodes", {"rule": "clock"}
        )
    if SUITE not in manifest.suites:
        raise UnknownSuiteError("the peer and this node have no suite in common")
    salt = context.mapped.salt(manifest.salt_version)
    if salt is None:
        raise SaltError(
            "the peer has another salt version",
            "the node with the older version asks the federation's administrator for a new bundle",
            {"salt_version": str(manifest.salt_version)},
        )
    if manifest.salt_check != token.salt_check(salt):
        raise SaltError(
            "the peer has another salt under this version", "one of the two joined another federation"
        )
    if manifest.catalogue_digest != context.catalogue.digest:
        raise CatalogueMismatchError(
            "the two nodes hold different catalogues",
            "install the same catalogue on both; see `heqiao catalogue`",
            {"catalogue": manifest.catalogue_version},
        )
    return manifest


def require_fresh(context: QueryContext, manifest: Manifest) -> None:
    """Of a manifest that just came: an old one would bring old partitions back."""
    if manifest.expires_at + CLOCK_SKEW < context.clock():
        raise PreconditionError(
            "the peer's manifest has expired already", "compare the clocks of both nodes", {"rule": "clock"}
        )


def _planted(manifest: Manifest) -> dict[tuple[str, str], tuple[PlantedSubject, ...]]:
    return {(part.item, part.origin): part.planted for part in manifest.partitions}
