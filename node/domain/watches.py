"""Watch lists: registered people who are looked at again (domain.md section 2, 动态监测). Pure.

A list is what a verification is: people, their mandates, items, provinces. A look at one province is one part
of a job of the kind `watch`. What is kept of a list between two looks is in node/database/watch_tables.py.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar, Final

from node.domain.jobs import WATCH
from node.domain.mandate import MONITORING, Mandate, covers
from node.domain.packed import add_version, strip_version
from node.domain.subjects import Subjects
from node.domain.verification import Verification

MOST_KEPT_DAYS: Final = 97  # one epoch: 90 days and a grace of 7 (design.md section 6)
_FORM: Final = 1


@dataclass(frozen=True, slots=True)
class WatchRow:
    """A watch list without its people, who are sealed. `revision` rises whenever people leave it."""

    id: str
    owner: str
    items: tuple[str, ...]
    peers: tuple[str, ...]
    legal_basis: str
    people: int
    revision: int
    request_digest: bytes
    added_at: datetime


@dataclass(frozen=True, slots=True)
class LookRow:
    """The last look at one peer. `look` counts those that ended well, 0 for none yet.

    `versions` are those of the partitions that were searched, by item/origin; `issued_at` is their
    manifest's time. `plan` is `home` where nothing was asked, else `asked`. `reason` says why the last try
    (`tried_at`) did not end well, and is empty where it did.
    """

    watch: str
    peer: str
    look: int = 0
    epoch: int = 0
    versions: Mapping[str, int] | None = None
    issued_at: datetime | None = None
    looked_at: datetime | None = None
    plan: str = ""
    tried_at: datetime | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Watch:
    """A watch list as it is shown: its looks, and until when tokens of each peer and class are kept."""

    row: WatchRow
    looks: tuple[LookRow, ...]
    tokens: tuple[tuple[str, str, int, date, int], ...]  # peer, class, epoch, last day, people
    open_alerts: int


@dataclass(frozen=True, slots=True)
class LookRequest:
    """The request of a job that looks at the people of a list; the list itself holds them."""

    kind: ClassVar[str] = WATCH

    watch: str
    count: int
    items: tuple[str, ...]
    peers: tuple[str, ...]
    legal_basis: str

    @property
    def purpose(self) -> str:
        """What peers are told."""
        return MONITORING


def pack_look(request: LookRequest) -> bytes:
    """Canonical bytes of the request of a look."""
    plain = [request.watch, request.count, request.items, request.peers, request.legal_basis]
    return add_version(_FORM, json.dumps(plain, separators=(",", ":")).encode())


def unpack_look(packed: bytes) -> LookRequest:
    """What `pack_look` made. Raises PreconditionError for a form of another version."""
    watch, count, items, peers, basis = json.loads(strip_version(_FORM, packed))
    return LookRequest(watch, count, tuple(items), tuple(peers), basis)


def keep_people(request: Verification, rows: Sequence[int]) -> Verification:
    """A list with some of its people only, in order, and the mandates that these need."""
    people = Subjects.of(request.subjects)
    left = Subjects.of([people[row] for row in rows])
    named = set(left.mandates)
    return Verification(
        items=request.items,
        peers=request.peers,
        purpose=request.purpose,
        legal_basis=request.legal_basis,
        subjects=left,
        mandates={number: one for number, one in request.mandates.items() if number in named},
    )


def last_day(mandate: Mandate | None, item: str, peer: str, today: date) -> date | None:
    """The last day on which tokens under a mandate may be kept for an item, one epoch at most.

    None where the mandate does not cover monitoring of the item in the province today.
    """
    if mandate is None or covers(mandate, item, peer, MONITORING, today) is not None:
        return None
    most = date.fromordinal(today.toordinal() + MOST_KEPT_DAYS)
    ends = [most]
    if mandate.valid_to is not None:
        ends.append(mandate.valid_to)
    if mandate.revoked_at is not None:
        ends.append(date.fromordinal(mandate.revoked_at.toordinal() - 1))
    return min(ends)
