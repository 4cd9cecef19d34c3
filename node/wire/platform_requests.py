"""What a platform submits: all of it is checked here, column by column (docs/protocol.md).

A list of 100,000 people comes as columns, and is checked without an object for each person.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import accumulate, compress, pairwise

import numpy as np
from heqiao.platform.v1 import platform_pb2 as pb

from matcher import Identity, batch, identity, names
from matcher.errors import IdentityError
from node.domain.mandate import PROGRAMMES, Mandate, Scope
from node.domain.matters import is_matter
from node.domain.subjects import Subjects, hold_identities, refers_by_identity
from node.domain.summation import Summation, in_cohort
from node.domain.verification import Verification
from node.errors import InvalidRequestError
from node.wire.common import first_start, require, require_chunk
from node.wire.declared import read_declared
from node.wire.platform import ID_TYPES

MAX_TEXT = 200
MAX_IDENTITIES = 8
MAX_SCOPE = 100
MAX_REVOKED = 10_000
_LENGTHS = "the columns of mandates differ in length"
_TYPE_NAMES: dict[int, str] = {number: name for name, number in ID_TYPES.items()}
_USUAL = (pb.IDENTITY_TYPE_UNSPECIFIED, pb.IDENTITY_TYPE_RESIDENT)


def read_verification(
    requests: Iterable[pb.SubmitVerificationRequest], max_subjects: int
) -> tuple[str, Verification]:
    """The job id and verification that a platform submits. Raises InvalidRequestError."""
    messages = iter(requests)
    start = first_start(messages)
    require(start.subjects_announced <= max_subjects, "more subjects than one job may hold")
    parts: list[Subjects] = []
    mandates: dict[str, Mandate] = {}
    read = 0
    for message in messages:
        require_chunk(message)
        for mandate in _mandates(message.chunk.mandates):
            require(mandate.number not in mandates, "a mandate number is given twice")
            mandates[mandate.number] = mandate
        read += len(message.chunk.subjects.refs)
        require(read <= start.subjects_announced, "more subjects than announced")
        require(len(mandates) <= max_subjects, "more mandates than subjects may need")
        parts.append(_subjects(message.chunk.subjects))
    require(read == start.subjects_announced, "fewer subjects than announced")
    verification = Verification(
        items=tuple(start.items),
        peers=tuple(start.peers),
        purpose=start.purpose,
        legal_basis=start.legal_basis,
        reuse=start.reuse,
        subjects=Subjects.joined(parts),
        mandates=mandates,
        matter=start.matter,
        urgent=start.urgent,
        declared=read_declared(start.declared),
        recheck_of=start.recheck_of,
    )
    return start.job_id, verification


def read_sum(requests: Iterable[pb.SubmitSumRequest], max_people: int) -> tuple[str, Summation]:
    """The job id and sum that a platform submits. Raises InvalidRequestError."""
    messages = iter(requests)
    start = first_start(messages)
    require(start.people_announced <= max_people, "more people than one job may hold")
    people: list[tuple[Identity, ...]] = []
    for message in messages:
        require_chunk(message)
        columns = message.chunk.identities
        require(len(people) + len(columns.counts) <= start.people_announced, "more people than announced")
        starts, types, values = _identities(columns, "a person needs 1 to 8 identities")
        known = list(map(Identity, types, values))
        people += [tuple(known[at:end]) for at, end in pairwise(starts)]
    require(len(people) == start.people_announced, "fewer people than announced")
    cohort = in_cohort(people)
    require(len(cohort) == len(people), "a person of the cohort is given twice")
    return start.job_id, Summation(tuple(start.items), tuple(start.peers), start.legal_basis, cohort)


def read_revoked(request: pb.RevokeMandatesRequest) -> tuple[str, ...]:
    """The numbers of mandates that a platform revokes. Raises InvalidRequestError."""
    return read_numbers(request.mandate_nos)


def read_numbers(given: Iterable[str]) -> tuple[str, ...]:
    """Numbers of mandates that end. Raises InvalidRequestError."""
    numbers = tuple(given)
    require(0 < len(numbers) <= MAX_REVOKED, f"a call revokes 1 to {MAX_REVOKED:,} mandates")
    require(all(numbers) and _are_short(numbers), "a mandate's number is empty or too long")
    require(not hold_identities(numbers), "an identity number must not serve as a reference")
    return numbers


def read_people(columns: pb.Identities, most: int) -> list[tuple[Identity, ...]]:
    """The identities of 1 to `most` people. Raises InvalidRequestError."""
    require(0 < len(columns.counts) <= most, f"1 to {most:,} people are named")
    starts, types, values = _identities(columns, "a person needs 1 to 8 identities")
    known = list(map(Identity, types, values))
    return [tuple(known[at:end]) for at, end in pairwise(starts)]


def _subjects(columns: pb.Subjects) -> Subjects:
    refs, households, names_ = tuple(columns.refs), tuple(columns.households), tuple(columns.names)
    mandates = tuple(columns.mandate_nos)
    texts = (refs, households, names_, mandates)
    count = len(columns.identities.counts)
    require(all(len(column) == count for column in texts), "the columns of subjects differ in length")
    require(all(map(_are_short, texts)), "a text of a subject is too long")
    require(all(refs), "a subject has no reference")
    identities = _identities(columns.identities, "a subject needs 1 to 8 identities")
    found = Subjects(refs, households, names.normalise_names(names_), mandates, *identities)
    require(not refers_by_identity(found), "an identity number must not serve as a reference")
    return found


def _identities(
    columns: pb.Identities, count_message: str
) -> tuple[tuple[int, ...], tuple[str, ...], tuple[str, ...]]:
    """As `Subjects` has them: where those of each person begin, types, values; each once a person."""
    counts, types, values = tuple(columns.counts), tuple(columns.types), tuple(columns.values)
    require(not counts or (min(counts) > 0 and max(counts) <= MAX_IDENTITIES), count_message)
    require(sum(counts) == len(values), "the identities are not as many as their counts say")
    require(len(types) in (0, len(values)), "the document types are not as many as the identities")
    names_, numbers = _parse(types or (pb.IDENTITY_TYPE_UNSPECIFIED,) * len(values), values)
    if max(counts, default=1) > 1:
        pairs, ends = tuple(zip(names_, numbers, strict=True)), tuple(accumulate(counts, initial=0))
        people = [tuple(dict.fromkeys(pairs[at:end])) for at, end in pairwise(ends)]
        counts = tuple(map(len, people))
        names_ = tuple([name for person in people for name, _ in person])
        numbers = tuple([number for person in people for _, number in person])
    return tuple(accumulate(counts, initial=0)), names_, numbers


def _parse(types: Sequence[int], values: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Types and canonical values. Canonical resident numbers stay; any other is parsed by itself."""
    usual = [
        code in _USUAL and len(value) == batch.VALUE_SIZE and value.isascii()
        for code, value in zip(types, values, strict=True)
    ]
    joined = np.frombuffer("".join(compress(values, usual)).encode(), dtype=np.uint8)
    good = np.zeros(len(values), dtype=bool)
    good[np.array(usual, dtype=bool)] = batch.are_resident(joined.reshape(-1, batch.VALUE_SIZE))
    names_, numbers = [identity.RESIDENT] * len(values), list(values)
    for row in np.flatnonzero(~good).tolist():
        found = _parse_one(types[row], values[row])
        names_[row], numbers[row] = found.id_type, found.value
    return tuple(names_), tuple(numbers)


def _parse_one(code: int, value: str) -> Identity:
    stated = None if code == pb.IDENTITY_TYPE_UNSPECIFIED else _TYPE_NAMES.get(code, "unknown")
    try:
        return identity.parse(value[:MAX_TEXT], stated)
    except IdentityError as error:
        raise InvalidRequestError(
            f"an identity is not valid: {error}", "check the list first; `heqiao verify` names row and reason"
        ) from None


def _mandates(columns: pb.Mandates) -> Iterator[Mandate]:
    numbers, hashes = tuple(columns.mandate_nos), tuple(columns.doc_hashes)
    places, count = tuple(columns.scope_places), len(columns.mandate_nos)
    require(len(hashes) == len(places) == count, _LENGTHS)
    require(all(map(_are_short, (numbers, hashes))), "a text of a mandate is too long")
    require(all(numbers), "a mandate has no number")
    require(not hold_identities(numbers), "an identity number must not serve as a reference")
    require(max(places, default=-1) < len(columns.scopes), "a mandate refers to no scope")
    scopes = tuple(map(_scope, columns.scopes))
    signers = _lists(columns.signer_counts, columns.signers, count)
    agents = _lists(columns.agent_counts or (0,) * count, columns.agents, count)
    values = tuple(columns.people)
    _, people = _parse((pb.IDENTITY_TYPE_UNSPECIFIED,) * len(values), values)
    named = _lists(columns.people_counts, people, count)
    for row, (number, doc_hash) in enumerate(zip(numbers, hashes, strict=True)):
        yield Mandate(
            number, *scopes[places[row]], signers[row], agents[row], frozenset(named[row]), doc_hash.lower()
        )


def _lists(counts: Sequence[int], values: Sequence[str], mandates: int) -> list[tuple[str, ...]]:
    """What each mandate has several of, from a column of counts and one of all values."""
    texts = tuple(values)
    require(len(counts) == mandates and sum(counts) == len(texts), _LENGTHS)
    require(max(counts, default=0) <= MAX_SCOPE, "a mandate's scope is too long")
    require(_are_short(texts), "a text of a mandate is too long")
    return [texts[at:end] for at, end in pairwise(accumulate(counts, initial=0))]


def _scope(message: pb.Scope) -> Scope:
    texts = (message.programme, message.event, message.office, message.template_id, message.sig_type)
    require(message.matter in ("", "*") or is_matter(message.matter), "a mandate's matter is not a known one")
    require(_are_short(texts), "a text of a mandate is too long")
    require(message.programme in (*PROGRAMMES, "*"), "a mandate's programme is not a known one")
    require(not hold_identities(texts), "an identity number must not serve as a reference")
    longest = max(len(message.items), len(message.regions))
    require(longest <= MAX_SCOPE, "a mandate's scope is too long")
    valid_from = _day(message.valid_from)
    if valid_from is None:
        raise InvalidRequestError("a mandate has no first day")
    return Scope(
        programme=message.programme,
        items=frozenset(message.items),
        regions=frozenset(message.regions),
        valid_from=valid_from,
        valid_to=_day(message.valid_to),
        revoked_at=_day(message.revoked_at),
        event=message.event,
        office=message.office,
        template_id=message.template_id,
        sig_type=message.sig_type,
        matter=message.matter,
    )


def _are_short(texts: Sequence[str]) -> bool:
    return max(map(len, texts), default=0) <= MAX_TEXT


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise InvalidRequestError("a day of a mandate is not written as 2026-06-30") from None
