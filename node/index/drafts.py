"""Drafts: the identities of records with their plain records, before they have tokens (design.md 2 and 3)."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from matcher import batch
from matcher.types import Identity
from matcher.vectorised import Bytes
from node.domain.days import DAY_ZERO
from node.domain.records import Record
from node.errors import InputError
from node.index.layout import BuildSpec, Entries, draft_type
from node.index.people import People, disclose_all


def people_drafts(work: BuildSpec, people: People, day: int) -> Entries:
    """Of one record per subject; `day` is the date of the partitions, in days since 1970-01-01."""
    amounts, shown = _disclose(work, people.totals)
    wanted = np.arange(len(shown)) if work.every else np.flatnonzero(shown)
    types, values = people.types[wanted], people.values[wanted]
    return _drafts(
        work,
        types,
        values,
        np.ascontiguousarray(people.subjects[wanted].astype(">u8")).view(np.uint8),
        shown[wanted],
        _plain(
            work,
            np.where(shown, amounts, 0)[wanted],
            _dates(people.days[wanted] - DAY_ZERO, day),
            _record_numbers(work, types, values),
            [people.names[row] for row in wanted.tolist()] if people.names else (),
        ),
    )


def record_drafts(work: BuildSpec, records: Sequence[Record], day: int) -> Entries:
    """Of records with all their identities, in order."""
    owners = np.array([at for at, record in enumerate(records) for _ in record.identities], dtype=np.int64)
    types, values = pack_identities([found for record in records for found in record.identities])
    totals = np.array([record.total for record in records], dtype=np.int64)
    days = np.array([record.as_of.toordinal() for record in records], dtype=np.int64)
    names = [record.name.encode("utf-8", "surrogatepass") for record in records]
    amounts, shown = _disclose(work, totals)
    digests = work.suite.digests(work.terms.salt, types, values)
    plain = _plain(
        work,
        np.where(shown, amounts, 0)[owners],
        _dates(days[owners] - DAY_ZERO, day),
        _record_numbers(work, types, values)[_first_of(owners, digests)],
        [names[at] for at in owners.tolist()],
    )
    drafts = _drafts(work, types, values, digests, shown[owners], plain)
    several = np.bincount(owners, minlength=len(records)) > 1
    drafts["group"] = np.where(several[owners], owners + 1, 0)
    return drafts


def planted_drafts(work: BuildSpec, planted: Sequence[tuple[Identity, int]]) -> Entries:
    """Of planted subjects and their values; all have the date of their partition."""
    types, values = pack_identities([found for found, _ in planted])
    count = len(planted)
    plain = _plain(
        work,
        np.array([value for _, value in planted], dtype=np.int64),
        np.zeros(count, dtype=np.int64),
        _record_numbers(work, types, values),
        (),
        planted=True,
    )
    digests = work.suite.digests(work.terms.salt, types, values)
    return _drafts(work, types, values, digests, np.ones(count, dtype=bool), plain)


def pack_identities(identities: Sequence[Identity]) -> tuple[NDArray[np.uint8], Bytes]:
    """Types and values of identities."""
    packed = [batch.pack_identity(each) for each in identities]
    value = b"".join(value.ljust(batch.VALUE_SIZE, b"\0") for _, value in packed)
    types = np.fromiter((id_type for id_type, _ in packed), dtype=np.uint8, count=len(packed))
    return types, np.frombuffer(value, dtype=np.uint8).reshape(-1, batch.VALUE_SIZE)


def _drafts(
    work: BuildSpec,
    types: NDArray[np.uint8],
    values: Bytes,
    digests: Bytes,
    shown: NDArray[np.bool_],
    plain: Bytes,
) -> Entries:
    drafts = np.zeros(len(types), dtype=draft_type(work.terms.item.width))
    drafts["origin"], drafts["shown"] = batch.origins(types, values), shown
    drafts["digest"], drafts["id_type"], drafts["value"] = digests.reshape(-1, 16), types, values
    drafts["record"] = plain
    return drafts


def _disclose(work: BuildSpec, totals: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    item = work.terms.item
    values, shown = disclose_all(item, totals)
    shown = shown & (not work.hidden)
    if bool((values[shown] > item.highest).any()):
        raise InputError(
            f"{item.code}: the rows of one person add up to more than {item.highest}, "
            "the most that an entry of this item can carry; nothing was published",
            "look for a column of other figures that was taken for the counts",
        )
    return values, shown


def _dates(as_of: NDArray[np.int64], day: int) -> NDArray[np.int64]:
    """Days as records have them: 0 for the date of the partition."""
    return np.where(as_of == day, 0, as_of)


def _record_numbers(work: BuildSpec, types: NDArray[np.uint8], values: Bytes) -> Bytes:
    return work.suite.record_numbers(work.record_key, work.terms.item.code, types, values)


def _first_of(owners: NDArray[np.int64], digests: Bytes) -> NDArray[np.int64]:
    """For each identity of some records, in order, the row of its record's smallest digest."""
    words = np.ascontiguousarray(digests).view(">u8").astype(np.uint64)
    order = np.lexsort((words[:, 1], words[:, 0], owners))
    first = order[np.searchsorted(owners[order], np.unique(owners))]
    return np.asarray(first[owners])


def _plain(
    work: BuildSpec,
    values: NDArray[np.int64],
    days: NDArray[np.int64],
    numbers: Bytes,
    names: Sequence[bytes],
    *,
    planted: bool = False,
) -> Bytes:
    """Plain records (n, 10 + w). One that is not shown is never served, so its value does not matter."""
    count = len(values)
    has_name, checks = np.zeros(count, dtype=bool), np.zeros((count, 2), dtype=np.uint8)
    if any(names):
        has_name = np.fromiter(map(bool, names), dtype=bool, count=count)
        checks = work.suite.name_checks(numbers, names)
    width = work.terms.item.width
    return batch.pack_records(width, values, days, numbers, checks, has_name, np.full(count, planted))
