"""Messages of what a draft asks, as both sides send them (proto/heqiao/platform/v1/drafts.proto)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

from heqiao.platform.v1 import drafts_pb2 as pb

from node.domain.jobs import SUM, VERIFICATION, WATCH, JobRequest
from node.domain.summation import Summation
from node.domain.verification import Verification
from node.errors import InvalidRequestError
from node.wire import platform, platform_requests, platform_sums, watch
from node.wire.common import require

_FIELDS: Final = {VERIFICATION: "verification", SUM: "sum", WATCH: "watch"}
_KINDS: Final = {field: kind for kind, field in _FIELDS.items()}
MAX_LISTED: Final = 100


@dataclass(frozen=True, slots=True)
class WatchOfJob:
    """A watch list that the node makes of a verification's people."""

    watch: str
    job: str
    items: tuple[str, ...]
    peers: tuple[str, ...]
    legal_basis: str


def content_parts(kind: str, name: str, request: Any) -> Iterator[pb.DraftPart]:
    """The messages of a request; `name` is the id of the job or list to be.

    Raises InvalidRequestError for an unknown document type.
    """
    if kind == SUM:
        return (pb.DraftPart(sum=one) for one in platform_sums.submission(name, request))
    if kind == WATCH:
        return (pb.DraftPart(watch=one) for one in watch.add_messages(name, request))
    return (pb.DraftPart(verification=one) for one in platform.submission(name, request))


def read_content(parts: Iterable[pb.DraftPart], most: int) -> tuple[str, str, JobRequest]:
    """The kind, the id of the job or list to be, and the request. Raises InvalidRequestError."""
    messages = iter(parts)
    first = next(messages, None)
    field = None if first is None else first.WhichOneof("message")
    if first is None or field is None:
        raise InvalidRequestError("after the draft what it asks must follow")
    found = _of_one_kind(chain((first,), messages), field)
    request: Summation | Verification
    if field == _FIELDS[SUM]:
        name, request = platform_requests.read_sum(found, most)
    elif field == _FIELDS[WATCH]:
        name, request = platform_requests.read_verification(watch.read_chunks(found), most)
    else:
        name, request = platform_requests.read_verification(found, most)
    return _KINDS[field], name, request


def _of_one_kind(parts: Iterable[pb.DraftPart], field: str) -> Iterator[Any]:
    for part in parts:
        require(part.WhichOneof("message") == field, "what a draft asks is of one kind")
        yield getattr(part, field)


def watch_of_job_message(found: WatchOfJob) -> pb.WatchOfJob:
    """For a list that the node makes."""
    return pb.WatchOfJob(
        watch_id=found.watch,
        job_id=found.job,
        items=found.items,
        peers=found.peers,
        legal_basis=found.legal_basis,
    )


def read_watch_of_job(message: pb.WatchOfJob) -> WatchOfJob:
    """What `watch_of_job_message` made. Raises InvalidRequestError."""
    items, peers = tuple(message.items), tuple(message.peers)
    for names in (items, peers):
        require(len(names) <= MAX_LISTED, "too many items or provinces are named")
    return WatchOfJob(message.watch_id, message.job_id, items, peers, message.legal_basis)
