"""Step 3 of the requester: choose a plan, fetch, open the labels, conclude (design.md sections 3 and 4)."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np
from blake3 import blake3
from numpy.typing import NDArray

from matcher import batch, buckets, label
from matcher import filter as filters
from matcher import retrieval_plan as plans
from matcher.errors import LabelError
from matcher.retrieval_plan import Choice, Plan
from matcher.vectorised import Bytes
from node.domain.catalogue import Item
from node.domain.days import china_day
from node.domain.findings import Outcome
from node.requester.context import OpenSession, QueryContext, dishonest
from node.requester.download import fetch_buckets, fetch_filter
from node.requester.match_query import Answer, PlantedPoint, Query, Question, covered
from node.requester.outcomes import Opened, conclude_all, open_names, refuse_item
from node.requester.points import SubjectPoints
from node.wire.manifest import Manifest, PartitionOffer

HIT, MISS = -2, -1
_DECOY_CONTEXT = "heqiao v1 decoy buckets"


@dataclass(frozen=True, slots=True)
class Retrieval:
    """What step 3 works on: the finished step 2 of one peer's query.

    `secrets` are those of the batch's tokens, (n, 32): all items share them.
    """

    context: QueryContext
    opened: OpenSession
    question: Question
    query: Query
    secrets: Bytes = field(repr=False)

    @property
    def manifest(self) -> Manifest:
        """The newest manifest of the query."""
        return self.opened.manifest

    def item_of(self, part: PartitionOffer) -> Item:
        """The catalogue item of a partition."""
        return self.context.catalogue.item(part.item)


@dataclass(frozen=True, slots=True)
class Lookups:
    """The tags looked for in one partition, one a row.

    `subject` is whose tag it is; HIT marks planted hits, all of `planted` in order, and MISS identities of
    nobody.
    """

    bucket: NDArray[np.int64]
    tag: Bytes = field(repr=False)
    label_key: Bytes = field(repr=False)
    subject: NDArray[np.int64] = field(repr=False)
    planted: tuple[PlantedPoint, ...] = field(repr=False)

    def __len__(self) -> int:
        return len(self.bucket)


def ask_item(retrieval: Retrieval, item: Item) -> tuple[list[Answer], list[Choice]]:
    """Step 3 for one item: an answer per subject, and the plan chosen for each partition."""
    question, manifest = retrieval.question, retrieval.manifest
    if item.code not in manifest.items:
        return [
            Answer(Outcome.NOT_MANDATED, reason=why[item.code])
            if item.code in why
            else Answer(Outcome.NOT_CONNECTED)
            for why in question.uncovered
        ], []
    if item.code not in retrieval.query.items:
        return refuse_item(question, item.code, "item_not_granted"), []
    missing = np.zeros(len(question.subjects), dtype=bool)
    found: list[Opened] = []
    choices: list[Choice] = []
    points = retrieval.query.subjects
    points = points.chosen(covered(question, (item.code,))[points.subject])
    for origin in np.unique(points.origin).tolist():
        here = points.chosen(points.origin == origin)
        part = manifest.partition(item.code, f"{origin:02}")
        if part is None:
            missing[here.subject] = True
            continue
        opened, choice = search_partition(retrieval, part, here)
        choices.append(choice)
        found += opened
    today = china_day(retrieval.context.clock())
    return conclude_all(question, item, found, missing, today), choices


def search_partition(
    retrieval: Retrieval, part: PartitionOffer, points: SubjectPoints
) -> tuple[list[Opened], Choice]:
    """Every label of a subject that opened in one partition.

    Besides the subjects it looks for planted hits, which must be there, and misses, which must not.
    """
    lookups = _lookups(retrieval, part, points)
    kept = _read_kept(retrieval.context, part, lookups)
    choice = choose_plan(retrieval.context, retrieval.manifest, part, len(lookups), kept is not None)
    unseen = {hit.position for hit in lookups.planted}
    opened: list[Opened] = []

    def search(block: buckets.Block) -> None:
        asked = np.flatnonzero(block.holding(lookups.bucket))
        places = block.find(lookups.bucket[asked], lookups.tag[asked])
        asked, places = asked[places >= 0], places[places >= 0]
        if not len(asked):
            return
        records = _open(retrieval, part, lookups, asked, block.sealed(places))
        subjects = lookups.subject[asked]
        for row in np.flatnonzero(subjects < 0).tolist():
            unseen.discard(_require_planted(lookups, int(asked[row]), records[row]))
        real = subjects >= 0
        _require_possible(records[real], retrieval.item_of(part))
        opened.append(open_names(retrieval.opened.suite, retrieval.question, subjects[real], records[real]))

    if kept is not None:
        search(kept)
    else:
        _fetch(retrieval, part, lookups, choice.plan, search)
    if unseen:
        raise dishonest("a planted test subject is missing", "planted")
    return opened, choice


def _fetch(
    retrieval: Retrieval,
    part: PartitionOffer,
    lookups: Lookups,
    plan: Plan,
    search: Callable[[buckets.Block], None],
) -> None:
    """Search the buckets of a plan; a whole partition is kept where there is room for it."""
    context = retrieval.context
    numbers = choose_buckets(retrieval, part, lookups, plan)
    keeper = None
    if plan is Plan.PARTITION and context.partitions is not None:
        keeper = context.partitions.keeper(context.peer.code, part)
    if keeper is None:
        fetch_buckets(context, retrieval.opened, part, numbers, search)
        return
    with keeper:
        fetch_buckets(context, retrieval.opened, part, numbers, search, keeper.add)


def _read_kept(context: QueryContext, part: PartitionOffer, lookups: Lookups) -> buckets.Block | None:
    """The offered version from the mirror, if an earlier query kept it: nothing is fetched then."""
    if context.partitions is None:
        return None
    kept = context.partitions.read(context.peer.code, part)
    found = None if kept is None else kept.block(lookups.bucket)
    if kept is not None and found is None:
        context.partitions.drop(context.peer.code, part)
    return found


def choose_plan(
    context: QueryContext, manifest: Manifest, part: PartitionOffer, asked: int, kept: bool = False
) -> Choice:
    """The plan of matcher/retrieval_plan.py under the floor; never `filter` for a caller without a mirror."""
    floor = Plan(manifest.limits.retrieval_floor)
    if context.filters is None and floor is Plan.FILTER:
        floor = Plan.BUCKETS
    cached = context.filters is not None and context.filters.holds(context.peer.code, part)
    room = context.partitions is not None and context.partitions.has_room(context.peer.code, part)
    return plans.choose(
        plans.Sizes(asked, part.entries, part.bits, part.entry_size, cached, kept, room), floor
    )


def choose_buckets(retrieval: Retrieval, part: PartitionOffer, lookups: Lookups, plan: Plan) -> list[int]:
    """The buckets to fetch under a plan, ascending and each once."""
    if plan is Plan.PARTITION:
        return list(range(part.buckets))
    asked = set(lookups.bucket.tolist())
    if plan is Plan.BUCKETS:
        return sorted(asked)
    found = fetch_filter(retrieval.context, retrieval.opened, part)
    present = filters.contains(found, lookups.tag.tobytes())
    candidates = set(lookups.bucket[present].tolist())
    if not present[lookups.subject == HIT].all():
        raise dishonest("a planted test subject is missing from the filter", "planted")
    wanted = plans.decoy_count(len(candidates), part.bits, len(asked))
    return sorted(
        candidates | set(draw_decoys(retrieval.opened.session.seed, part, asked - candidates, wanted))
    )


def _lookups(retrieval: Retrieval, part: PartitionOffer, points: SubjectPoints) -> Lookups:
    hits = tuple(hit for hit in retrieval.query.planted if (hit.item, hit.origin) == (part.item, part.origin))
    misses = np.array(retrieval.query.misses, dtype=np.int64).reshape(-1, 2)
    prefixes = np.concatenate((points.prefix, np.array([h.prefix for h in hits], np.int64), misses[:, 0]))
    places = np.concatenate((points.position, np.array([h.position for h in hits], np.int64), misses[:, 1]))
    suite = retrieval.opened.suite
    tags, label_keys = suite.secret_keys(retrieval.secrets[places], part.item, part.epoch)
    others = np.repeat([HIT, MISS], [len(hits), len(misses)])
    return Lookups(
        prefixes >> (32 - part.bits), tags, label_keys, np.concatenate((points.subject, others)), hits
    )


def draw_decoys(seed: bytes, part: PartitionOffer, asked: Iterable[int], wanted: int) -> list[int]:
    """Buckets without a candidate that are fetched too, so that not every bucket fetched holds a match.

    They are buckets with identities of the query, and always the same in one query: other decoys in a
    resumed query would show which buckets are real.
    """
    place = f"{part.item} {part.origin} {part.version} ".encode()
    order = blake3(seed + place, derive_key_context=_DECOY_CONTEXT).digest()
    return sorted(asked, key=lambda number: blake3(number.to_bytes(4, "big"), key=order).digest())[:wanted]


def _require_planted(lookups: Lookups, row: int, record: np.void) -> int:
    """The position of the planted hit that a row looked for; its record must equal that of the manifest."""
    first = len(lookups) - len(lookups.planted) - int(np.count_nonzero(lookups.subject == MISS))
    if lookups.subject[row] == HIT:
        hit = lookups.planted[row - first]
        if record["flags"] & label.PLANTED and record["value"] == hit.value:
            return hit.position
    raise dishonest("a planted test subject has a wrong answer", "planted")


def _require_possible(records: NDArray[np.void], item: Item) -> None:
    """Refuse a record that no import makes (node/domain/catalogue.py): reports rely on the ranges."""
    wrong = (records["flags"] & label.PLANTED) != 0
    if item.highest < 0 or bool((wrong | (records["value"] > item.highest)).any()):
        raise dishonest("a label holds what the catalogue does not allow", "label_content")


def _open(
    retrieval: Retrieval, part: PartitionOffer, lookups: Lookups, asked: NDArray[np.int64], sealed: Bytes
) -> NDArray[np.void]:
    tags, keys = lookups.tag[asked], lookups.label_key[asked]
    origins = np.full(len(asked), int(part.origin), dtype=np.uint8)
    places = batch.associated_data(part.item, origins, part.epoch, tags)
    try:
        return retrieval.opened.suite.read_labels(keys, sealed, places, part.width, part.date)
    except LabelError:
        raise dishonest("a label does not open under its own token", "label") from None
