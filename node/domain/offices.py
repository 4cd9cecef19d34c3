"""Offices (委托单位) that sign mandates, by their certificates. Pure."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class OfficeRow:
    """An office's certificate; `document` is its JSON."""

    number: str
    code: str
    name: str
    key: bytes
    document: str
    issued_at: datetime
    not_after: datetime
    revoked_at: datetime | None = None
