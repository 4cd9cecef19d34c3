"""Combines the rows of one item to one record per subject, and counts them (design.md section 3).

Every row is counted as accepted, duplicate or rejected, and the three add up to the rows read. The report
shows the same counts (design.md section 8). One compact object is kept per subject.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date

from matcher.identity import has_known_area
from matcher.types import Identity, Level
from node.domain.catalogue import Item
from node.errors import NodeError


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that was not used: its place and the reason, never its content.

    `line` is the physical line where the row starts (the header is line 1), `column` the header
    of the offending cell or empty, `reason` a stable word.
    """

    file: str
    line: int
    column: str
    reason: str
    message: str


@dataclass(frozen=True, slots=True, repr=False)
class SourceRow:
    """One usable row. `amount` is as a record's `total`; `key` distinguishes rows of one subject.

    `identities` holds the current number first, then former ones. `as_of` is None where the row
    has no date.
    """

    line: int
    identities: tuple[Identity, ...]
    name: str
    key: str | bytes
    amount: int
    as_of: date | None

    def __repr__(self) -> str:
        return f"SourceRow(line={self.line}, ****)"


@dataclass(frozen=True, slots=True, repr=False)
class Record:
    """All rows of one subject for one item. `total` is fen, a count, 0 and 1, or the place of a code in its
    list, before disclosure.
    """

    identities: tuple[Identity, ...]
    name: str
    total: int
    as_of: date

    def __repr__(self) -> str:
        return f"Record(identities={len(self.identities)}, ****)"


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts of one import; read = accepted + duplicates + rejected always holds.

    `records` are subjects; `entries` are the index entries that will be served, one under each
    identity of a record that discloses something; `withheld` are records that disclose nothing
    (not over a threshold, a count of none). `name_conflicts` are subjects whose rows disagree on
    the name, `contradictions` duplicate rows whose amount differs at the same date,
    `unknown_area` accepted or duplicate rows with an address code of no known province (a
    warning), `reasons` the rejected rows per reason, `forms` the cells of usable rows that were
    written in another form than the usual one (docs/import.md), `units` the usable rows whose amount was
    read in a unit that is not the usual one or was stated, `rounded` numbers that end as a spreadsheet
    rounds them where these are more than chance makes (a warning).
    """

    read: int
    accepted: int
    duplicates: int
    rejected: int
    records: int
    entries: int
    withheld: int = 0
    name_conflicts: int = 0
    contradictions: int = 0
    unknown_area: int = 0
    reasons: tuple[tuple[str, int], ...] = ()
    forms: tuple[tuple[str, int], ...] = ()
    units: tuple[tuple[str, int], ...] = ()
    rounded: int = 0

    def __post_init__(self) -> None:
        # A wrong count is worse than a crash (design.md section 8).
        if self.read != self.accepted + self.duplicates + self.rejected:
            raise NodeError(
                "the row counts of the import do not add up", "report this as a fault of the node"
            )


def disclose(item: Item, total: int) -> int | None:
    """The label's value at the item's level for one record's combined total, None for no entry.

    A threshold item has entries only for the people strictly over it, so that "not over" and
    "no record" look the same (design.md section 4). An aggregate item discloses nothing per person.
    """
    match item.level:
        case Level.EXISTENCE:
            return 1 if total > 0 else None
        case Level.COUNT:
            return total if total > 0 else None
        case Level.BAND:
            return bisect_left(item.bands, total)
        case Level.THRESHOLD:
            return 1 if item.threshold is not None and total > item.threshold else None
        case Level.VALUE | Level.CODE:
            return total
        case Level.AGGREGATE:
            return None


def combine(
    rows: Iterable[SourceRow | Reject],
    item: Item,
    default_as_of: date,
    on_reject: Callable[[Reject], None] | None = None,
) -> tuple[list[Record], Tally]:
    """One record per subject by the item's rule, in order of first appearance, and the counts.

    Rows that share any identity belong to one subject. Rows of a subject with the same record number
    count once, the newest of them (for a period item: per date, so that monthly rows add up). A
    sum or count is as old as its oldest part; over a period, and for a flag, the newest date
    counts. `default_as_of` dates rows without a date; `on_reject` receives every reject.
    """
    people: dict[Identity, _Person] = {}
    counts: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    monthly = item.time == "period"
    for row in rows:
        if isinstance(row, Reject):
            reasons[row.reason] += 1
            if on_reject is not None:
                on_reject(row)
            continue
        counts["usable"] += 1
        day = (row.as_of or default_as_of).toordinal()
        person = _person_of(people, row.identities, counts)
        key = f"{row.key}\0{day}" if monthly and isinstance(row.key, str) else row.key
        person.put(key, (day, row.amount), counts)
        if row.name:
            person.set_name(row.name, day)
        if not has_known_area(row.identities[0]):
            counts["unknown_area"] += 1
    return _finish(people, item, counts, reasons)


class _Person:
    """The data kept of one subject while rows are read: identities, parts by key, latest name."""

    __slots__ = ("identities", "name", "named_at", "names_differ", "parts")

    def __init__(self) -> None:
        self.identities: list[Identity] = []
        self.parts: dict[str | bytes, tuple[int, int]] = {}
        self.name = ""
        self.named_at = 0
        self.names_differ = False

    def put(self, key: str | bytes, part: tuple[int, int], counts: Counter[str]) -> None:
        """Keep a part (day, amount); for equal keys the newest, on the same day the larger."""
        old = self.parts.get(key)
        if old is None:
            self.parts[key] = part
            return
        counts["duplicates"] += 1
        if old[0] == part[0] and old[1] != part[1]:
            counts["contradictions"] += 1
        self.parts[key] = max(old, part)

    def set_name(self, name: str, day: int) -> None:
        """Keep the name of the newest day; of two names of one day the one with the smaller bytes."""
        if self.name and name != self.name:
            self.names_differ = True
        if day > self.named_at or (day == self.named_at and _bytes(name) < _bytes(self.name)):
            self.name, self.named_at = name, day

    def merge(self, other: "_Person", counts: Counter[str]) -> None:
        """Merge the data of the same subject under another number."""
        self.identities += other.identities
        for key, part in other.parts.items():
            self.put(key, part, counts)
        self.names_differ |= other.names_differ
        if other.name:
            self.set_name(other.name, other.named_at)


def _bytes(name: str) -> bytes:
    return name.encode("utf-8", "surrogatepass")


def _person_of(
    people: dict[Identity, _Person], identities: tuple[Identity, ...], counts: Counter[str]
) -> _Person:
    # Union-find in its simplest form: a subject has few numbers, so joining two subjects just
    # points the numbers of the one at the other.
    person = people.get(identities[0])
    if person is None:
        person = people[identities[0]] = _Person()
        person.identities.append(identities[0])
    for identity in identities[1:]:
        other = people.get(identity)
        if other is None:
            person.identities.append(identity)
            people[identity] = person
        elif other is not person:
            person.merge(other, counts)
            people.update(dict.fromkeys(other.identities, person))
    return person


def _finish(
    people: dict[Identity, _Person], item: Item, counts: Counter[str], reasons: Counter[str]
) -> tuple[list[Record], Tally]:
    records, entries, withheld, conflicts = [], 0, 0, 0
    for person in dict.fromkeys(people.values()):
        day, total = _total(item, person.parts.values())
        records.append(Record(tuple(person.identities), person.name, total, date.fromordinal(day)))
        conflicts += person.names_differ
        if disclose(item, total) is None:
            withheld += 1
        else:
            entries += len(person.identities)
    rejected = sum(reasons.values())
    tally = Tally(
        read=counts["usable"] + rejected,
        accepted=sum(len(person.parts) for person in dict.fromkeys(people.values())),
        duplicates=counts["duplicates"],
        rejected=rejected,
        records=len(records),
        entries=entries,
        withheld=withheld,
        name_conflicts=conflicts,
        contradictions=counts["contradictions"],
        unknown_area=counts["unknown_area"],
        reasons=tuple(sorted(reasons.items())),
    )
    return records, tally


def _total(item: Item, parts: Iterable[tuple[int, int]]) -> tuple[int, int]:
    """(day, total) of a subject's parts by the item's rule."""
    known = list(parts)
    if item.combine == "latest":
        return max(known)
    if item.combine == "any":
        positive = [day for day, amount in known if amount]
        return max(positive or (day for day, _ in known)), int(bool(positive))
    days = [day for day, _ in known]
    return max(days) if item.time == "period" else min(days), sum(amount for _, amount in known)
