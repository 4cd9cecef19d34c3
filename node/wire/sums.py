"""Protobuf messages of sums to dataclasses and back; every byte of a peer is checked here before use."""

import re
from itertools import pairwise

from heqiao.peer.v1 import aggregate_pb2

from matcher.suites.suite import CURRENT, find
from node.errors import DishonestPeerError
from node.wire.common import (
    DIGEST_SIZE,
    MAX_TEXT,
    MAX_VERSION,
    MILLION,
    malformed,
    require,
    require_digest,
    require_item_count,
    require_short,
)
from node.wire.query_head import require_head
from node.wire.sum_messages import (
    MIN_COHORT_POINTS,
    POINT,
    CohortStart,
    OpenRequest,
    RowsRequest,
    RowsSlice,
    SumAnswer,
    SumGroupOffer,
    SumOffer,
)

MAX_GROUPS = 100_000
MAX_ROWS = 100_000_000
MAX_MODULUS = 1024  # bytes: 8,192 bits
MAX_PROOF = 64 * 1024
MAX_CELLS = 64
_NUMBER_SIZE = 16
_PREFIX = re.compile(r"00|[1-9][0-9]|[1-9][0-9]{3}|[1-9][0-9]{5}")
_RULE = re.compile(r"[a-z_]{1,48}")


def offer_message(offer: SumOffer) -> aggregate_pb2.SumOffer:
    """An offer, as part of a manifest."""
    return aggregate_pb2.SumOffer(
        epoch=offer.epoch,
        modulus=offer.modulus,
        proof=offer.proof,
        canaries=offer.canaries,
        max_cohort_points=offer.max_cohort_points,
        groups=[
            aggregate_pb2.SumGroup(
                item=one.item,
                prefix=one.prefix,
                version=one.version,
                rows=one.rows,
                digest=one.digest,
                as_of_from=one.as_of_from,
                as_of_to=one.as_of_to,
            )
            for one in offer.groups
        ],
    )


def parse_offer(message: aggregate_pb2.SumOffer) -> SumOffer:
    """The offer in a manifest whose signature was verified. Raises ValueError if it is malformed."""
    groups = tuple(
        SumGroupOffer(g.item, g.prefix, g.version, g.rows, g.digest, g.as_of_from, g.as_of_to)
        for g in message.groups
    )
    sound = (
        0 < len(message.modulus) <= MAX_MODULUS
        and message.modulus[0] != 0
        and len(message.proof) <= MAX_PROOF
        and len(message.canaries) == CURRENT.sizes.canaries * POINT
        and message.max_cohort_points > 0
        and len(groups) <= MAX_GROUPS
        and len({(g.item, g.prefix) for g in groups}) == len(groups)
        and all(
            len(g.item) <= MAX_TEXT
            and _PREFIX.fullmatch(g.prefix)
            and len(g.digest) == DIGEST_SIZE
            and 0 < g.rows <= MAX_ROWS
            and g.version <= MAX_VERSION
            for g in groups
        )
    )
    if not sound:
        raise ValueError("a sum offer is malformed")
    return SumOffer(
        message.epoch, message.modulus, message.proof, message.canaries, message.max_cohort_points, groups
    )


def start_message(start: CohortStart) -> aggregate_pb2.EvaluateCohortRequest:
    """The start of round 1."""
    return aggregate_pb2.EvaluateCohortRequest(
        start=aggregate_pb2.CohortStart(
            suite=start.suite,
            epoch=start.epoch,
            salt_version=start.salt_version,
            manifest_digest=start.manifest_digest,
            query_id=start.query_id,
            points_announced=start.points_announced,
            items=start.items,
            purpose=start.purpose,
            legal_basis=start.legal_basis,
            blind_commitment=start.blind_commitment,
            mandate_root=start.mandate_root,
        )
    )


def parse_start(message: aggregate_pb2.CohortStart) -> CohortStart:
    """Check and decode the start of round 1. Raises InvalidRequestError or UnknownSuiteError."""
    require_head(message.suite, message.query_id)
    require_digest(message.manifest_digest, "manifest_digest")
    require_digest(message.mandate_root, "mandate_root")
    require(
        find(message.suite).group.is_commitment(message.blind_commitment),
        "blind_commitment is no commitment to a blind",
    )
    require(message.points_announced >= MIN_COHORT_POINTS, f"a cohort has {MIN_COHORT_POINTS} points or more")
    _require_items(tuple(message.items))
    require_short(message.purpose, message.legal_basis)
    return CohortStart(
        epoch=message.epoch,
        salt_version=message.salt_version,
        manifest_digest=message.manifest_digest,
        query_id=message.query_id,
        points_announced=message.points_announced,
        items=tuple(message.items),
        purpose=message.purpose,
        legal_basis=message.legal_basis,
        blind_commitment=message.blind_commitment,
        mandate_root=message.mandate_root,
        suite=message.suite,
    )


def rows_request_message(request: RowsRequest) -> aggregate_pb2.FetchRowsRequest:
    """A request for rows."""
    return aggregate_pb2.FetchRowsRequest(
        suite=request.suite,
        epoch=request.epoch,
        query_id=request.query_id,
        item=request.item,
        prefix=request.prefix,
        version=request.version,
        first_row=request.first_row,
    )


def parse_rows_request(message: aggregate_pb2.FetchRowsRequest) -> RowsRequest:
    """Check and decode a request for rows. Raises InvalidRequestError or UnknownSuiteError."""
    require_head(message.suite, message.query_id)
    _require_items((message.item,))
    require(_PREFIX.fullmatch(message.prefix) is not None, "the prefix is malformed")
    require(message.version <= MAX_VERSION and message.first_row <= MAX_ROWS, "no group has such rows")
    return RowsRequest(
        message.epoch,
        message.query_id,
        message.item,
        message.prefix,
        message.version,
        message.first_row,
        message.suite,
    )


def slice_message(part: RowsSlice) -> aggregate_pb2.FetchRowsResponse:
    """Some rows of a group."""
    return aggregate_pb2.FetchRowsResponse(
        first_row=part.first_row, points=part.points, ciphertexts=part.ciphertexts
    )


def parse_slice(message: aggregate_pb2.FetchRowsResponse, ciphertext_size: int) -> RowsSlice:
    """Some rows of a group. Raises DishonestPeerError when the numbers of points and ciphertexts differ."""
    count, odd = divmod(len(message.points), POINT)
    if odd or not count or len(message.ciphertexts) != count * ciphertext_size:
        raise _bad("rows_form")
    return RowsSlice(message.first_row, message.points, message.ciphertexts)


def open_request_message(request: OpenRequest) -> aggregate_pb2.OpenSumsRequest:
    """A request to open sums."""
    return aggregate_pb2.OpenSumsRequest(
        suite=request.suite,
        epoch=request.epoch,
        query_id=request.query_id,
        sums=[
            aggregate_pb2.SumCiphertext(item=item, ciphertext=ciphertext)
            for item, ciphertext in zip(request.items, request.ciphertexts, strict=True)
        ],
    )


def parse_open_request(message: aggregate_pb2.OpenSumsRequest) -> OpenRequest:
    """Check and decode a request to open sums. Raises InvalidRequestError or UnknownSuiteError."""
    require_head(message.suite, message.query_id)
    items = tuple(one.item for one in message.sums)
    _require_items(items)
    require(all(len(one.ciphertext) <= 2 * MAX_MODULUS for one in message.sums), "a ciphertext is too long")
    ciphertexts = tuple(one.ciphertext for one in message.sums)
    return OpenRequest(message.epoch, message.query_id, items, ciphertexts, message.suite)


def answers_message(answers: tuple[SumAnswer, ...]) -> aggregate_pb2.OpenSumsResponse:
    """The answers of round 4."""
    return aggregate_pb2.OpenSumsResponse(results=[_result(answer) for answer in answers])


def parse_answers(message: aggregate_pb2.OpenSumsResponse, items: tuple[str, ...]) -> tuple[SumAnswer, ...]:
    """The answers of round 4 for the queried items. Raises DishonestPeerError when malformed."""
    if tuple(one.item for one in message.results) != items:
        raise _bad("sums_items")
    return tuple(_answer(one) for one in message.results)


def _result(answer: SumAnswer) -> aggregate_pb2.SumResult:
    if answer.rule:
        return aggregate_pb2.SumResult(
            item=answer.item, suppressed=aggregate_pb2.SuppressedSum(rule=answer.rule)
        )
    return aggregate_pb2.SumResult(
        item=answer.item,
        released=aggregate_pb2.ReleasedSum(
            mode=answer.mode,
            count=answer.count,
            total=_number_bytes(answer.total),
            variance=b"" if answer.variance is None else _number_bytes(answer.variance),
            bands=[
                aggregate_pb2.BandCell(suppressed=True)
                if cell is None
                else aggregate_pb2.BandCell(count=cell)
                for cell in answer.bands
            ],
            epsilon_millionths=round(answer.epsilon * MILLION),
        ),
    )


def _answer(message: aggregate_pb2.SumResult) -> SumAnswer:
    if message.WhichOneof("result") == "suppressed":
        if not _RULE.fullmatch(message.suppressed.rule):  # it is shown in reports, so it must be a plain word
            raise _bad("sums_form")
        return SumAnswer(message.item, rule=message.suppressed.rule)
    found = message.released
    sound = (
        message.WhichOneof("result") == "released"
        and found.mode in ("exact", "dp")
        and 0 < len(found.total) <= _NUMBER_SIZE
        and (len(found.variance) > 0) == (found.mode == "exact")
        and len(found.variance) <= _NUMBER_SIZE
        and len(found.bands) <= MAX_CELLS
    )
    if not sound:
        raise _bad("sums_form")
    return SumAnswer(
        item=message.item,
        mode=found.mode,
        count=found.count,
        total=int.from_bytes(found.total, "big", signed=True),
        variance=int.from_bytes(found.variance, "big", signed=True) if found.variance else None,
        bands=tuple(None if cell.suppressed else cell.count for cell in found.bands),
        epsilon=found.epsilon_millionths / MILLION,
    )


def _number_bytes(number: int) -> bytes:
    return number.to_bytes(_NUMBER_SIZE, "big", signed=True)


def _require_items(items: tuple[str, ...]) -> None:
    require_item_count(items)
    require(all(0 < len(item) <= MAX_TEXT for item in items), "an item is malformed")
    require(all(a != b for a, b in pairwise(sorted(items))), "an item is named twice")


def _bad(check: str) -> DishonestPeerError:
    return malformed("the peer answers a sum in a malformed way", check)
