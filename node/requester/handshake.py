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
from node.requester.context import Exchange, Session, with_retries
from node.requester.padding import new_seed
from node.wire import manifest as manifests
from node.wire import match
from node.wire.manifest import Manifest, PlantedSubject

CLOCK_SKEW = timedelta(minutes=5)


RESTARTS = 3


MAX_CHUNK_POINTS = 32_640  # a message of 1 MiB, which every node takes


class _OfferChangedError(Exception):
    """The planted subjects of the batch are not those of the partitions any more."""


def open_session(exchange: Exchange) -> Session:
    """Step 1: fetch the manifest, draw a fresh blind and seed, keep both."""
    exchange.journal.progress("manifest", 0, 0)
    serialised, signature = with_retries(exchange, exchange.link.get_manifest)
    require_fresh(exchange, check_manifest(exchange, serialised, signature))
    session = draw_session(exchange, serialised, signature)
    exchange.journal.begin(session)
    return session


def draw_session(exchange: Exchange, serialised: bytes, signature: bytes) -> Session:
    """A new query under a manifest: fresh id, blind and seed."""
    return Session(
        query_id=exchange.random_bytes(16),
        blind=oprf.draw_blind(exchange.random_bytes),
        seed=new_seed(exchange.random_bytes),
        manifest=serialised,
        signature=signature,
        layout=serialised,
    )


def renew_manifest(exchange: Exchange, session: Session, manifest: Manifest) -> tuple[Session, Manifest]:
    """The same query under newer partition versions. Raises EpochError when the epoch changed too."""
    serialised, signature = with_retries(exchange, exchange.link.get_manifest)
    newer = check_manifest(exchange, serialised, signature)
    require_fresh(exchange, newer)
    if newer.epoch != manifest.epoch:
        raise EpochError("the peer's epoch changed", details={"epoch": str(newer.epoch)})
    if _planted(newer) != _planted(match.parse_manifest(session.layout)):
        raise _OfferChangedError
    renewed = replace(session, manifest=serialised, signature=signature)
    exchange.journal.renew(renewed)
    return renewed, newer


def check_manifest(
    exchange: Exchange, serialised: bytes, signature: bytes, *, kept: bool = False
) -> Manifest:
    """Everything that must hold before a point is sent, each with its own error.

    `kept`: it was checked before, when it came, and has lain in the journal since.
    """
    if exchange.pins is None:
        manifests.verify(serialised, signature, exchange.peer.signing_key)
    elif kept:
        exchange.pins.verify_kept(serialised, signature)
    else:
        exchange.pins.verify(serialised, signature, exchange.link.successions)
    manifest = match.parse_manifest(serialised)
    if manifest.responder != exchange.peer.code or manifest.requester != exchange.code:
        raise DishonestPeerError(
            "the manifest is between other provinces", details={"check": "manifest_parties"}
        )
    if manifest.issued_at > exchange.clock() + CLOCK_SKEW:
        raise PreconditionError(
            "the peer's manifest is from the future", "compare the clocks of both nodes", {"rule": "clock"}
        )
    if SUITE not in manifest.suites:
        raise UnknownSuiteError("the peer speaks no suite of this node")
    salt = exchange.mapped.salt(manifest.salt_version)
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
    if manifest.catalogue_digest != exchange.catalogue.digest:
        raise CatalogueMismatchError(
            "the two nodes hold different catalogues",
            "install the same catalogue on both; see `heqiao catalogue`",
            {"catalogue": manifest.catalogue_version},
        )
    return manifest


def require_fresh(exchange: Exchange, manifest: Manifest) -> None:
    """Of a manifest that just came: an old one would bring old partitions back."""
    if manifest.expires_at + CLOCK_SKEW < exchange.clock():
        raise PreconditionError(
            "the peer's manifest has expired already", "compare the clocks of both nodes", {"rule": "clock"}
        )


def _planted(manifest: Manifest) -> dict[tuple[str, str], tuple[PlantedSubject, ...]]:
    return {(part.item, part.origin): part.planted for part in manifest.partitions}
