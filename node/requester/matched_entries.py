"""Which entries of a peer a job opened: what a request for correction names later (ADR 0032).

Kept of each: subject, origin, place (13 bits), tag, correction key. None of it opens a label: the label keys
and the tokens are erased with the part.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from matcher.correction import KEY_CONTEXT, KEY_SIZE, PLACE_BITS
from matcher.suites.suite import Suite
from matcher.suites.tokens import TAG_SIZE
from matcher.vectorised import Bytes
from node.domain.packed import add_version, strip_version

_FORM = 1
_ENTRY = np.dtype(
    [
        ("subject", "<u4"),
        ("epoch", "<u4"),
        ("origin", "u1"),
        ("place", "<u2"),
        ("tag", "u1", TAG_SIZE),
        ("key", "u1", KEY_SIZE),
    ]
)


@dataclass(frozen=True, slots=True)
class MatchedEntries:
    """Some entries, one a row of `_ENTRY`."""

    rows: NDArray[np.void] = field(repr=False)

    @classmethod
    def of(
        cls,
        suite: Suite,
        epoch: int,
        origin: int,
        subjects: NDArray[np.int64],
        prefixes: NDArray[np.int64],
        tags: Bytes,
        label_keys: Bytes,
    ) -> "MatchedEntries":
        """Entries of one partition whose labels opened: `prefixes` have 32 bits, `label_keys` (n, 32)."""
        rows = np.zeros(len(subjects), dtype=_ENTRY)
        rows["subject"], rows["epoch"], rows["origin"] = subjects, epoch, origin
        rows["place"] = prefixes >> (32 - PLACE_BITS)
        rows["tag"] = tags
        if len(rows):
            rows["key"] = suite.hash.derive(KEY_CONTEXT, np.ascontiguousarray(label_keys))
        return cls(rows)


@dataclass(frozen=True, slots=True)
class MatchedEntry:
    """One entry of one subject; `key` is the correction key (matcher/correction.py)."""

    origin: str
    epoch: int
    place: int
    tag: bytes = field(repr=False)
    key: bytes = field(repr=False)


def pack_entries(found: Sequence[MatchedEntries]) -> bytes:
    """The entries of one item; no bytes where there are none."""
    rows = [one.rows for one in found if len(one.rows)]
    return add_version(_FORM, np.concatenate(rows).tobytes()) if rows else b""


def entries_of(packed: bytes, subject: int) -> tuple[MatchedEntry, ...]:
    """The entries of one subject. Raises PreconditionError for a form of another release."""
    rows = np.frombuffer(strip_version(_FORM, packed), dtype=_ENTRY)
    return tuple(
        MatchedEntry(
            f"{int(row['origin']):02}",
            int(row["epoch"]),
            int(row["place"]),
            row["tag"].tobytes(),
            row["key"].tobytes(),
        )
        for row in rows[rows["subject"] == subject]
    )
