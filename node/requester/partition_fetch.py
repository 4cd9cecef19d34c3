"""Fetches one partition into its mirror: whole, or what changed since an older version (design.md 3.3).

Every byte comes from a peer and is held against the signed root: leaves lead to the root, a bucket equals its
leaf, a delta arrives at the root or is not used at all.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from matcher import buckets as index
from matcher import merkle
from matcher.bucket_changes import BucketChange, apply, require_form
from matcher.errors import BucketError
from node.errors import DeltaGoneError, UnavailableError
from node.mirror.folder import MirrorFolder
from node.mirror.partition_file import Head, PartitionFile, UnfinishedFile, split_leaves, write_whole
from node.requester.context import QueryContext, dishonest, with_retries
from node.requester.download import largest_bucket
from node.wire.manifest import PartitionOffer
from node.wire.mirror_messages import DeltaRequest, PartitionPiece, PartitionRequest

DELTA_SHARE: Final = 4  # a delta larger than this part of the partition is not what a responder keeps
_BLOCK_BYTES: Final = 1 << 20  # verified and saved together
Moved = Callable[[int], None]  # told how many bytes of the partition have arrived more


class WrongDeltaError(Exception):
    """A delta is malformed, or does not lead to the signed root."""


@dataclass(frozen=True, slots=True)
class Fetch:
    """One partition version to be fetched into a folder that this process holds the lock of."""

    context: QueryContext
    folder: MirrorFolder
    part: PartitionOffer
    moved: Moved

    def run(self) -> None:
        """Bring the mirror of the partition to the offered version, by a delta where one leads there.

        A delta that is wrong is answered by one whole fetch; the next wrong one is not forgiven. Raises
        OSError, PartitionVersionError, UnavailableError, DishonestPeerError.
        """
        base, suspect = self.folder.base(self.part), False
        if base is not None:
            try:
                with_retries(self.context, lambda: self._apply_delta(base))
            except DeltaGoneError:
                suspect = base.head.suspect
            except WrongDeltaError:
                if base.head.suspect:
                    raise dishonest("the peer's deltas are wrong", "delta") from None
                suspect = True
            else:
                return
        self._fetch_whole(suspect=suspect)

    # ---- a delta
    def _apply_delta(self, base: PartitionFile) -> None:
        """Write the new version from an older one. Raises WrongDeltaError, DeltaGoneError, OSError."""
        head, count = Head.of(self.part), 0

        def buckets() -> Iterator[bytes]:
            nonlocal count
            for entries in changed_buckets(self._base_buckets(base), self._changes(base.head), self.part):
                count += len(entries)
                yield entries

        def is_right(leaves: list[bytes]) -> bool:
            whole = self.part.entries * self.part.entry_size
            return merkle.root(leaves) == self.part.root and count == whole

        if not write_whole(self.folder.target(self.part), head, buckets(), is_right):
            raise WrongDeltaError

    def _base_buckets(self, base: PartitionFile) -> Iterator[bytes]:
        for number in range(base.head.buckets):
            if base.damaged(np.array([number])):
                # This node's disk, not the peer, is to blame.
                raise DeltaGoneError("the older version is damaged on this disk")
            yield base.bucket(number)

    def _changes(self, old: Head) -> Iterator[BucketChange]:
        part = self.part
        request = DeltaRequest(part.epoch, part.item, part.origin, old.version, old.root, part.version)
        return whole_changes(self.context.calls.fetch_delta(request), part)

    # ---- everything
    def _fetch_whole(self, *, suspect: bool) -> None:
        path, part = self.folder.unfinished(self.part), self.part
        begun = UnfinishedFile.resume(path)
        if begun is not None and begun.head.root != part.root:
            begun = self._carry_over(begun, path)
        state = _Begun(begun)
        if begun is not None:
            self.moved(begun.length)
        try:
            with_retries(self.context, lambda: self._receive(state, path, suspect=suspect))
            if state.file is None or state.file.length != part.entries * part.entry_size:
                path.unlink(missing_ok=True)
                raise dishonest("a partition holds another number of entries than signed", "entries")
            state.file.publish(self.folder.target(part))
        finally:
            if state.file is not None:
                state.file.close()

    def _receive(self, state: "_Begun", path: Path, *, suspect: bool) -> None:
        part = self.part
        first = state.file.count if state.file is not None else 0
        request = PartitionRequest(part.epoch, part.item, part.origin, part.version, first)
        stream = self.context.calls.fetch_partition(request)
        leaves, pieces = read_leaves(stream, part)
        if state.file is None:
            state.file = UnfinishedFile.begin(path, Head.of(part, suspect=suspect), leaves)
        waiting: list[bytes] = []
        try:
            for entries in read_buckets(pieces, part, part.buckets - first):
                waiting.append(entries)
                if sum(map(len, waiting)) >= _BLOCK_BYTES:
                    self._add(state.file, waiting)
        finally:
            self._add(state.file, waiting)  # what arrived before a stream broke is not fetched again

    def _add(self, file: UnfinishedFile, waiting: list[bytes]) -> None:
        try:
            index.read_block(list(enumerate(waiting)), self.part.entry_size)
        except BucketError:
            raise dishonest("a bucket is malformed", "bucket_form") from None
        for entries in waiting:
            if not file.add(entries):
                raise dishonest("a bucket is not the one in the signed manifest", "bucket_digest")
        file.save()
        self.moved(sum(map(len, waiting)))
        waiting.clear()

    def _carry_over(self, old: UnfinishedFile, path: Path) -> UnfinishedFile | None:
        """The buckets of an unfinished older version, as they are in the offered one; None to begin anew."""
        part, head = self.part, old.head
        if (head.bits, head.entry_size, head.epoch) != (part.bits, part.entry_size, part.epoch):
            old.close()
            return None
        request = PartitionRequest(part.epoch, part.item, part.origin, part.version, part.buckets)
        leaves, _ = with_retries(
            self.context, lambda: read_leaves(self.context.calls.fetch_partition(request), part)
        )
        new = UnfinishedFile.begin(path.with_suffix(".carry"), Head.of(part, suspect=head.suspect), leaves)
        try:
            for entries in changed_buckets(old.read(), self._changes(head), part):
                if not new.add(entries):
                    break
            new.save()
        except (DeltaGoneError, WrongDeltaError, UnavailableError):
            pass  # the buckets so far are good
        finally:
            old.close()
        new.rename(path)
        return new


@dataclass
class _Begun:
    """The file of a whole fetch, once there is one."""

    file: UnfinishedFile | None


def read_leaves(
    stream: Iterator[PartitionPiece], part: PartitionOffer
) -> tuple[list[bytes], Iterator[PartitionPiece]]:
    """The leaves at the beginning of a partition's stream, and what follows.

    Raises DishonestPeerError where they do not lead to the root, UnavailableError where the stream ends.
    """
    joined, expected = bytearray(), merkle.DIGEST_SIZE * part.buckets
    while len(joined) < expected:
        piece = next(stream, None)
        if piece is None:
            raise UnavailableError("the peer ended the stream early")
        if not piece.leaves or piece.sizes or piece.data:
            raise dishonest("the peer's stream of a partition is out of order", "partition_stream")
        joined += piece.leaves
    leaves = split_leaves(bytes(joined))
    if len(joined) != expected or merkle.root(leaves) != part.root:
        raise dishonest("the leaves of a partition do not lead to the signed root", "partition_root")
    return leaves, stream


def read_buckets(pieces: Iterable[PartitionPiece], part: PartitionOffer, count: int) -> Iterator[bytes]:
    """The next `count` buckets of a stream, not verified yet.

    Raises DishonestPeerError for sizes that cannot be, UnavailableError where the stream ends.
    """
    most, waiting, data = largest_bucket(part), list[int](), bytearray()
    announced = 0
    for piece in pieces:
        announced += len(piece.sizes)
        if piece.leaves or not (piece.sizes or piece.data) or announced > count:
            raise dishonest("the peer's stream of a partition is out of order", "partition_stream")
        if any(size > most or size % part.entry_size for size in piece.sizes):
            raise dishonest("the peer sends a larger bucket than its partition can have", "bucket_size")
        waiting += piece.sizes
        data += piece.data
        used = done = 0
        while done < len(waiting) and used + waiting[done] <= len(data):
            yield bytes(data[used : used + waiting[done]])
            used, done = used + waiting[done], done + 1
        del data[:used], waiting[:done]
        if data and not waiting:
            raise dishonest("the peer sends more bytes than it announced", "bucket_size")
    if waiting or announced < count:
        raise UnavailableError("the peer ended the stream early")


def whole_changes(
    messages: Iterable[tuple[BucketChange, ...]], part: PartitionOffer
) -> Iterator[BucketChange]:
    """The changed buckets of a delta, each once, ascending; one that came in parts is put together.

    Raises WrongDeltaError for one out of order, beyond the partition, empty, or longer than any that is kept:
    together as the responder's rule says, of one bucket as all of it replaced.
    """
    room, most = part.entries * part.entry_size // DELTA_SHARE, 2 * largest_bucket(part)
    open_: BucketChange | None = None
    for message in messages:
        if not message:
            raise WrongDeltaError
        for change in message:
            room -= change.length
            if room < 0 or not change.length or change.bucket >= part.buckets:
                raise WrongDeltaError
            if open_ is not None and change.bucket == open_.bucket:
                open_ = BucketChange(
                    change.bucket, open_.removed + change.removed, open_.entries + change.entries
                )
                if open_.length > most:
                    raise WrongDeltaError
                continue
            if open_ is not None:
                if change.bucket < open_.bucket:
                    raise WrongDeltaError
                yield open_
            open_ = change
    if open_ is not None:
        yield open_


def changed_buckets(
    buckets: Iterable[bytes], changes: Iterator[BucketChange], part: PartitionOffer
) -> Iterator[bytes]:
    """Buckets from the first on, after the changes of some. Raises WrongDeltaError."""
    change = next(changes, None)
    for number, entries in enumerate(buckets):
        if change is None or change.bucket != number:
            yield entries
            continue
        try:
            require_form(change, part.entry_size)
            yield apply(entries, change, part.entry_size)
        except BucketError:
            raise WrongDeltaError from None
        change = next(changes, None)
