"""The audit chain: each event contains the digest of the one before (design.md section 7).

Events hold codes, counts and digests only: never an identity number, name, value, token or key.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from blake3 import blake3

CONTEXT = "heqiao v1 audit event"
START = bytes(32)
Detail = str | int | list[str]


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """One event of the chain. `details` is canonical JSON."""

    seq: int
    at: datetime
    event: str
    details: str
    previous: bytes
    digest: bytes


def link(last: AuditEvent | None, event: str, details: Mapping[str, Detail], now: datetime) -> AuditEvent:
    """The next event after `last` (None for the first)."""
    seq, previous = (1, START) if last is None else (last.seq + 1, last.digest)
    # Every database returns whole microseconds in UTC unchanged.
    at = now.astimezone(UTC)
    text = json.dumps(details, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return AuditEvent(seq, at, event, text, previous, _digest(seq, at, event, text, previous))


def first_broken(events: Iterable[AuditEvent]) -> int | None:
    """The number of the first event that does not fit the chain, None when the whole chain is sound."""
    expected, previous = 1, START
    for found in events:
        good = _digest(found.seq, found.at, found.event, found.details, found.previous)
        if found.seq != expected or found.previous != previous or found.digest != good:
            return expected
        expected, previous = found.seq + 1, found.digest
    return None


def _digest(seq: int, at: datetime, event: str, details: str, previous: bytes) -> bytes:
    text = json.dumps([seq, at.isoformat(), event, details], ensure_ascii=False)
    return blake3(previous + text.encode(), derive_key_context=CONTEXT).digest()
