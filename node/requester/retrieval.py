"""Step 3 of the requester: find the entries, open the labels, conclude (design.md 3.3 and 4)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from matcher import batch, buckets, label
from matcher.errors import LabelError
from matcher.retrieval_plan import Choice, Plan, Reason, choose_blocks
from matcher.vectorised import Bytes
from node.domain.catalogue import Item
from node.domain.days import china_day
from node.domain.findings import Outcome
from node.errors import DishonestPeerError, PartitionVersionError
from node.mirror.partition_file import PartitionFile
from node.requester.context import OpenSession, QueryContext, dishonest
from node.requester.download import fetch_buckets
from node.requester.match_query import Answer, Asked, PlantedPoint, Question, covered
from node.requester.matched_entries import MatchedEntries
from node.requester.outcomes import Opened, conclude_all, open_names, refuse_item
from node.requester.points import SubjectPoints
from node.telemetry import log
from node.wire.manifest import Manifest, PartitionOffer

HIT, MISS = -2, -1
LABEL_DAMAGED = "label_damaged"
MOST_DAMAGED = 2  # labels of a part that may fail to open; more are no accident


@dataclass(frozen=True, slots=True)
class Retrieval:
    """What step 3 works on: the finished step 2 of one peer's query.

    `secrets` are those of the batch's tokens, (n, 32): all items share them.
    """

    context: QueryContext
    opened: OpenSession
    question: Question
    query: Asked
    secrets: Bytes = field(repr=False)
    # What is wrong with the answer, judged when everything was fetched; subject and item of damaged labels.
    faults: list[DishonestPeerError] = field(default_factory=list)
    damaged: set[tuple[int, str]] = field(default_factory=set, repr=False)
    # The plans that were tried since the caller cleared them.
    tried: list[Choice] = field(default_factory=list)
    # The entries of people that opened, by item: what a correction can be asked for.
    matched: dict[str, list[MatchedEntries]] = field(default_factory=dict, repr=False)

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
    prefix: NDArray[np.int64] = field(repr=False)

    def __len__(self) -> int:
        return len(self.bucket)


def ask_item(retrieval: Retrieval, item: Item) -> list[Answer]:
    """Step 3 for one item: an answer per subject. The plan of each partition is noted in `tried`."""
    question, manifest = retrieval.question, retrieval.manifest
    retrieval.matched.pop(item.code, None)
    if item.code not in manifest.items:
        differs = item.code in manifest.conflicts
        gap = Answer(Outcome.NOT_COMPARABLE if differs else Outcome.NOT_CONNECTED)
        return [
            Answer(Outcome.NOT_MANDATED, reason=why[item.code]) if item.code in why else gap
            for why in question.uncovered
        ]
    if item.code not in retrieval.query.items:
        return refuse_item(question, item.code, "item_not_granted")
    missing = np.zeros(len(question.subjects), dtype=bool)
    found: list[Opened] = []
    points = retrieval.query.subjects
    points = points.chosen(covered(question, (item.code,))[points.subject])
    for origin in np.unique(points.origin).tolist():
        here = points.chosen(points.origin == origin)
        part = manifest.partition(item.code, f"{origin:02}")
        if part is None:
            missing[here.subject] = True
            continue
        found += search_partition(retrieval, part, here)
    today = china_day(retrieval.context.clock())
    answers = conclude_all(question, item, found, missing, today)
    for subject, code in retrieval.damaged:
        if code == item.code:
            answers[subject] = Answer(Outcome.UNAVAILABLE, reason=LABEL_DAMAGED)
    return answers


def require_sound(faults: Sequence[DishonestPeerError], answers: Iterable[Sequence[Answer]]) -> None:
    """Judge a part when everything that it sends and fetches is done. Raises DishonestPeerError."""
    if faults:
        raise faults[0]
    damaged = sum(answer.reason == LABEL_DAMAGED for each in answers for answer in each)
    if damaged > MOST_DAMAGED:
        raise dishonest("labels do not open under their own tokens", LABEL_DAMAGED)


def search_partition(retrieval: Retrieval, part: PartitionOffer, points: SubjectPoints) -> list[Opened]:
    """Every label of a subject that opened in one partition.

    Besides the subjects it looks for planted hits, which must be there, and misses, which must not. What is
    wrong with a label is only noted in `retrieval.faults`: whether an answer holds together must not change
    what is sent or fetched. Raises PartitionVersionError where the mirror was replaced or is damaged.
    """
    lookups = _lookups(retrieval, part, points)
    kept, choice = choose_plan(retrieval.context, part)
    retrieval.tried.append(choice)
    search = _Search(retrieval, part, lookups)
    if kept is None:
        # Of the people and planted subjects of this partition: misses are found in what is fetched for them.
        real = lookups.bucket[lookups.subject != MISS].tolist()
        numbers = choose_blocks(real, part.bits)
        fetch_buckets(retrieval.context, retrieval.opened, part, numbers, search.use)
    else:
        search.use(_read_mirror(retrieval.context, part, kept, lookups))
    if search.unseen:
        retrieval.faults.append(dishonest("a planted test subject is missing", "planted"))
    return search.opened


def choose_plan(context: QueryContext, part: PartitionOffer) -> tuple[PartitionFile | None, Choice]:
    """The mirror of a partition, or the reason why there is none.

    Raises PartitionVersionError where there should be one: it was replaced, or never fetched.
    """
    if context.mirror is None:
        return None, Choice(Plan.BUCKETS, Reason.NO_FOLDER)
    kept = context.mirror.read(part)
    reason = context.reasons.get((part.item, part.origin))
    if kept is not None:
        is_new = reason is Reason.SYNCED
        return kept, Choice(Plan.MIRROR, Reason.SYNCED if is_new else Reason.KEPT)
    if reason is Reason.DISK:
        return None, Choice(Plan.BUCKETS, Reason.DISK)
    if not context.mirror.has_room(part):
        return None, Choice(Plan.BUCKETS, Reason.NO_ROOM)
    raise PartitionVersionError("the mirror of a partition was replaced")


def _read_mirror(
    context: QueryContext, part: PartitionOffer, kept: PartitionFile, lookups: Lookups
) -> buckets.Block:
    found = kept.block(lookups.bucket)
    if found is None:
        # The disk's fault, which no peer can cause: it says nothing about an answer.
        if context.mirror is not None:
            context.mirror.drop(part)
        log.get_logger().warning("mirror_damaged", peer=context.peer.code, item=part.item)
        raise PartitionVersionError("the mirror of a partition is damaged")
    return found


class _Search:
    """Looks for the tags of one partition in blocks of its buckets, and opens what it finds."""

    def __init__(self, retrieval: Retrieval, part: PartitionOffer, lookups: Lookups) -> None:
        self._retrieval, self._part, self._lookups = retrieval, part, lookups
        self.unseen = {hit.position for hit in lookups.planted}
        self.opened: list[Opened] = []

    def use(self, block: buckets.Block) -> None:
        """Look for all tags whose buckets are in a block."""
        lookups, retrieval = self._lookups, self._retrieval
        asked = np.flatnonzero(block.holding(lookups.bucket))
        places = block.find(lookups.bucket[asked], lookups.tag[asked])
        asked, places = asked[places >= 0], places[places >= 0]
        if not len(asked):
            return
        subjects = lookups.subject[asked]
        records, good = _open(retrieval, self._part, lookups, asked, block.sealed(places))
        for row in np.flatnonzero(subjects < 0).tolist():
            self._check_planted(int(asked[row]), records[row] if good[row] else None)
        real = subjects >= 0
        retrieval.damaged.update(
            (int(subject), self._part.item) for subject in subjects[real & ~good].tolist()
        )
        real &= good
        if not _are_possible(records[real], retrieval.item_of(self._part)):
            retrieval.faults.append(
                dishonest("a label holds what the catalogue does not allow", "label_content")
            )
            return
        suite, mine = retrieval.opened.suite, asked[real]
        self.opened.append(open_names(suite, retrieval.question, subjects[real], records[real]))
        retrieval.matched.setdefault(self._part.item, []).append(
            MatchedEntries.of(
                suite,
                self._part.epoch,
                int(self._part.origin),
                subjects[real],
                lookups.prefix[mine],
                lookups.tag[mine],
                lookups.label_key[mine],
            )
        )

    def _check_planted(self, row: int, record: np.void | None) -> None:
        """Whether a record is that of the planted hit that a row looked for."""
        lookups = self._lookups
        first = len(lookups) - len(lookups.planted) - int(np.count_nonzero(lookups.subject == MISS))
        if lookups.subject[row] == HIT and record is not None:
            hit = lookups.planted[row - first]
            if record["flags"] & label.PLANTED and record["value"] == hit.value:
                self.unseen.discard(hit.position)
                return
        self._retrieval.faults.append(dishonest("a planted test subject has a wrong answer", "planted"))


def _lookups(retrieval: Retrieval, part: PartitionOffer, points: SubjectPoints) -> Lookups:
    hits = tuple(hit for hit in retrieval.query.planted if (hit.item, hit.origin) == (part.item, part.origin))
    misses = retrieval.query.misses
    prefixes = np.concatenate((points.prefix, np.array([h.prefix for h in hits], np.int64), misses[:, 0]))
    places = np.concatenate((points.position, np.array([h.position for h in hits], np.int64), misses[:, 1]))
    suite = retrieval.opened.suite
    tags, label_keys = suite.secret_keys(retrieval.secrets[places], part.item, part.epoch)
    others = np.repeat([HIT, MISS], [len(hits), len(misses)])
    return Lookups(
        prefixes >> (32 - part.bits),
        tags,
        label_keys,
        np.concatenate((points.subject, others)),
        hits,
        prefixes,
    )


def _are_possible(records: NDArray[np.void], item: Item) -> bool:
    """Whether records are such as an import makes (node/domain/catalogue.py): reports rely on the ranges."""
    wrong = ((records["flags"] & label.PLANTED) != 0) | (records["value"] > item.highest)
    return item.highest >= 0 and not bool(wrong.any())


def _open(
    retrieval: Retrieval, part: PartitionOffer, lookups: Lookups, asked: NDArray[np.int64], sealed: Bytes
) -> tuple[NDArray[np.void], NDArray[np.bool_]]:
    """The records of the labels found for some rows, and which of them opened."""
    tags, keys = lookups.tag[asked], lookups.label_key[asked]
    origins = np.full(len(asked), int(part.origin), dtype=np.uint8)
    places = batch.associated_data(part.item, origins, part.epoch, tags)

    def read(rows: list[int]) -> NDArray[np.void]:
        chosen = [places[row] for row in rows]
        return retrieval.opened.suite.read_labels(keys[rows], sealed[rows], chosen, part.width, part.date)

    try:
        return read(list(range(len(sealed)))), np.ones(len(sealed), dtype=bool)
    except LabelError:
        pass
    good = np.ones(len(sealed), dtype=bool)
    for row in range(len(sealed)):
        try:
            read([row])
        except LabelError:
            good[row] = False
    records = np.zeros(len(sealed), dtype=batch.RECORD)
    if good.any():
        records[good] = read(np.flatnonzero(good).tolist())
    return records, good
