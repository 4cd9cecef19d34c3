"""One look of a watch list at one peer (design.md section 3.4).

Where the peer's partitions are mirrored and tokens of the epoch are kept, a look opens the mirror's entries
at home and makes no call about people. Otherwise it asks, with the purpose `monitoring` and the day until
which tokens are kept; without a mirror none are kept.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from matcher.suites.suite import Suite
from matcher.types import TokenClass
from node.domain.subjects import Subjects
from node.errors import (
    DishonestPeerError,
    MirrorBehindError,
    PartitionVersionError,
    RefusedError,
    UnavailableError,
)
from node.requester.context import OpenSession, QueryContext, Session, refusal_rule
from node.requester.handshake import RESTARTS, Offer
from node.requester.kept_tokens import KeptTokens
from node.requester.match import ask_peer
from node.requester.match_query import Answer, Query, Question, covered, split_classes
from node.requester.mirror_sync import find_offer
from node.requester.outcomes import refuse_item
from node.requester.retrieval import Retrieval, ask_item, require_sound

HOME: Final = "home"
ASKED: Final = "asked"
_NOTHING: Final = bytes(16)


class TokenShelf(Protocol):
    """Where the tokens of a list are kept for one peer."""

    def read(self, token_class: TokenClass) -> KeptTokens | None:
        """The tokens of a class; None where none are kept, or no longer."""

    def keep(self, token_class: TokenClass, kept: KeptTokens) -> None:
        """Keep them, in the place of older ones."""

    def erase(self, token_class: TokenClass) -> None:
        """Erase them."""


@dataclass(frozen=True, slots=True)
class Look:
    """What a look found: answers by item, one for each person; the versions of what was searched.

    `plan` is ASKED where the peer was asked about people, else HOME.
    """

    answers: Mapping[str, list[Answer]] = field(repr=False)
    offer: Offer = field(repr=False)
    versions: Mapping[str, int]
    plan: str


@dataclass(frozen=True, slots=True)
class Before:
    """What is known before a look: the versions that the last one saw, by item/origin, and until which day
    (since 1970-01-01) tokens of a class may be kept, 0 or nothing for not at all.
    """

    versions: Mapping[str, int]
    until: Mapping[TokenClass, int]


def look(context: QueryContext, question: Question, shelf: TokenShelf, before: Before) -> Look:
    """Look at everybody once.

    Raises MirrorBehindError for older ones, and what `ask_peer` raises. Where a query of one class only is
    refused its items are answered REFUSED.
    """
    tries = 0
    while True:
        offer = find_offer(context, question.codes)
        try:
            return _look_once(context, question, shelf, before, offer)
        except PartitionVersionError:
            # The mirror was brought up to date, or a file of it was damaged: each may be found by itself.
            tries += 1
            if tries > RESTARTS + len(_versions(offer, question)):
                break
    raise UnavailableError("the mirror changed again and again", "try again later")


def _look_once(
    context: QueryContext, question: Question, shelf: TokenShelf, before: Before, offer: Offer
) -> Look:
    versions = _versions(offer, question)
    if any(version < before.versions.get(place, 0) for place, version in versions.items()):
        raise MirrorBehindError(
            "the mirror is older than at the last look", "bring it up to date with `heqiao mirror sync`"
        )
    answers, refused, plan = dict[str, list[Answer]](), dict[str, list[Answer]](), HOME
    for one in split_classes(question):
        (token_class,) = {item.token_class for item in one.items}
        is_mirrored = _is_mirrored(context, offer, one)
        kept = shelf.read(token_class) if is_mirrored else None
        at_home = None if kept is None else _open_kept(context, offer, one, kept)
        if at_home is not None:
            answers |= at_home
            continue
        shelf.erase(token_class)  # of an epoch before, or of fewer people or items
        plan, until = ASKED, before.until.get(token_class, 0) if is_mirrored else 0
        try:
            answers |= _ask(context, replace(one, tokens_until=until), token_class, shelf)
        except RefusedError as error:
            rule = refusal_rule(error)
            refused |= {code: refuse_item(one, code, rule) for code in one.codes}
            if len(refused) == len(question.items):
                raise
    return Look(answers | refused, offer, versions, plan)


def _ask(
    context: QueryContext, question: Question, token_class: TokenClass, shelf: TokenShelf
) -> dict[str, list[Answer]]:
    def keep(opened: OpenSession, query: Query, tokens: bytes) -> None:
        if len(query.subjects):
            shelf.keep(token_class, KeptTokens.of(opened, query, tokens))

    return ask_peer(context, question, keep if question.tokens_until else None)


def _open_kept(
    context: QueryContext, offer: Offer, question: Question, kept: KeptTokens
) -> dict[str, list[Answer]] | None:
    """The answers about one class from the mirror; None where the tokens are not those that it needs.

    Raises PartitionVersionError where the mirror changes meanwhile, DishonestPeerError for a planted subject
    that is missing or wrong, or several labels that do not open.
    """
    manifest, suite = offer.content, offer.trusted.suite
    offered = tuple(code for code in question.codes if manifest.has(code))
    if not kept.fits(manifest, suite.name, offered, _identity_counts(question, offered)):
        return None
    context.checkpoint.progress("fetch", 0, len(question.items), manifest.epoch)
    quiet = replace(context, calls=_NoCalls())
    current = replace(kept.still_planted(manifest), items=offered)
    faults: list[DishonestPeerError] = []
    retrieval = Retrieval(
        quiet, _unasked(offer, suite, offered), question, current, suite.token_secrets(kept.tokens), faults
    )
    answers = {item.code: ask_item(retrieval, item) for item in question.items}
    context.checkpoint.plan("mirror", "; ".join(f"{code} mirror: tokens kept" for code in question.codes))
    require_sound(faults, answers.values())
    return answers


def _unasked(offer: Offer, suite: Suite, items: tuple[str, ...]) -> OpenSession:
    """A session that was never opened at the peer: there is no query."""
    session = Session(_NOTHING, b"", offer.serialised, offer.signature, offer.serialised, items)
    return OpenSession(session, suite, offer.content, offer.content)


def _identity_counts(question: Question, offered: tuple[str, ...]) -> NDArray[np.int64]:
    """How many identities of each person are looked for: all of those with a mandate for an offered item."""
    counts = np.array(Subjects.of(question.subjects).identity_counts, dtype=np.int64)
    if not len(counts):
        return counts
    return counts * covered(question, offered)


def _versions(offer: Offer, question: Question) -> dict[str, int]:
    codes = set(question.codes)
    return {
        f"{part.item}/{part.origin}": part.version for part in offer.content.partitions if part.item in codes
    }


def _is_mirrored(context: QueryContext, offer: Offer, question: Question) -> bool:
    """Whether every granted partition of the items is at home."""
    codes = set(question.codes)
    wanted = [part for part in offer.content.partitions if part.item in codes]
    return context.mirror is not None and all(map(context.mirror.is_whole, wanted))


class _NoCalls:
    """In the place of the calls to a peer while a look is made at home: there must be none."""

    @property
    def successions(self) -> tuple[Any, ...]:
        """None: nothing was asked."""
        return ()

    def get_manifest(self, epoch: int = 0) -> tuple[bytes, bytes]:  # noqa: ARG002 - as PeerCalls has it
        """Refuse."""
        raise _no_call()

    def evaluate(self, start: object, chunks: object) -> Iterator[Any]:  # noqa: ARG002 - as PeerCalls has it
        """Refuse."""
        raise _no_call()

    def fetch_partition(self, request: object) -> Iterator[Any]:  # noqa: ARG002 - as PeerCalls has it
        """Refuse."""
        raise _no_call()

    def fetch_delta(self, request: object) -> Iterator[Any]:  # noqa: ARG002 - as PeerCalls has it
        """Refuse."""
        raise _no_call()

    def fetch_buckets(self, request: object) -> Iterator[Any]:  # noqa: ARG002 - as PeerCalls has it
        """Refuse."""
        raise _no_call()


def _no_call() -> PartitionVersionError:
    # A partition of the mirror is gone since the look began: it begins again.
    return PartitionVersionError("the mirror of a partition is gone")
