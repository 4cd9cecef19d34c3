"""What changes in a bucket from one version of a partition to another (design.md 3.3).

A bucket is entries of `size` bytes in the order of their tags, which they begin with. A change names the
tags that leave and the entries that come, or come in place of those with their tags. Applied in order, or
merged and applied at once, changes give the same bucket. Pure.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from matcher.errors import BucketError
from matcher.suites.tokens import TAG_SIZE


@dataclass(frozen=True, slots=True)
class BucketChange:
    """The change of one bucket: tags that leave, entries that are set; both ascending, no tag twice."""

    bucket: int
    removed: bytes = field(repr=False)
    entries: bytes = field(repr=False)

    @property
    def length(self) -> int:
        """Bytes of its tags and entries."""
        return len(self.removed) + len(self.entries)


def compare(bucket: int, before: bytes, after: bytes, size: int) -> BucketChange:
    """What leads from the entries of a bucket to others."""
    old, new = _by_tag(before, size), _by_tag(after, size)
    removed = sorted(tag for tag in old if tag not in new)
    entries = [entry for tag, entry in new.items() if old.get(tag) != entry]
    return BucketChange(bucket, b"".join(removed), b"".join(entries))


def merge(changes: Sequence[BucketChange], size: int) -> BucketChange:
    """One change with the effect of several of one bucket, the oldest first."""
    if len(changes) == 1:
        return changes[0]
    state: dict[bytes, bytes] = {}
    for change in changes:
        state.update(dict.fromkeys(_tags(change.removed), b""))
        state.update(_by_tag(change.entries, size))
    ordered = sorted(state.items())
    removed = b"".join(tag for tag, entry in ordered if not entry)
    return BucketChange(changes[0].bucket, removed, b"".join(entry for _, entry in ordered))


def apply(before: bytes, change: BucketChange, size: int) -> bytes:
    """The entries of a bucket after a change that a peer sent; a tag that leaves need not be there.

    Raises BucketError for a change that is not in its form.
    """
    require_form(change, size)
    held = _by_tag(before, size)
    for tag in _tags(change.removed):
        held.pop(tag, None)
    held.update(_by_tag(change.entries, size))
    return b"".join(entry for _, entry in sorted(held.items()))


def require_form(change: BucketChange, size: int) -> None:
    """Raises BucketError unless tags and entries are whole, ascending, and no tag is twice in the change."""
    if len(change.removed) % TAG_SIZE or len(change.entries) % size:
        raise BucketError("a change is not a whole number of tags and entries")
    removed, entries = _tags(change.removed), list(_by_tag(change.entries, size))
    if len(entries) * size != len(change.entries) or any(
        tags[place] >= tags[place + 1] for tags in (removed, entries) for place in range(len(tags) - 1)
    ):
        raise BucketError("a change is not sorted, or names a tag twice")
    if not set(removed).isdisjoint(entries):
        raise BucketError("a change removes and sets one tag")


def _tags(joined: bytes) -> list[bytes]:
    return [joined[at : at + TAG_SIZE] for at in range(0, len(joined), TAG_SIZE)]


def _by_tag(entries: bytes, size: int) -> dict[bytes, bytes]:
    return {entries[at : at + TAG_SIZE]: entries[at : at + size] for at in range(0, len(entries), size)}
