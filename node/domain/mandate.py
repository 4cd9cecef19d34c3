"""Mandates: no mandate, no verification (design.md section 7; domain.md section 7, S27). Pure."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from blake3 import blake3

DIGEST_CONTEXT = "heqiao v1 mandate"
ANY = "*"
PROGRAMMES = ("new_application", "review", "report", "monitoring", "other")
# Codes that a platform or peer chooses and that this node writes into its log and audit chain: too short
# for an identity number.
CODE = re.compile(r"(?!.*[0-9]{15})[A-Za-z0-9._-]{1,64}")
LEGAL_BASIS = re.compile(rf"(?:{CODE.pattern})?")
# Reasons why a mandate does not cover a query; stable words, shown in reports.
REASONS = (
    "no_mandate",
    "not_yet_valid",
    "expired",
    "revoked",
    "item_not_covered",
    "region_not_covered",
    "programme_differs",
)


class Scope(NamedTuple):
    """What the mandates of a list have in common: most households sign the same form on the same day."""

    programme: str
    items: frozenset[str]
    regions: frozenset[str]
    valid_from: date
    valid_to: date | None
    revoked_at: date | None


@dataclass(frozen=True, slots=True, repr=False)
class Mandate:
    """A citizen's authorisation (授权书): its programme, items, regions and validity.

    `programme` is one of PROGRAMMES, or `*` for all; `items` and `regions` may hold `*`. Both days of
    the validity count; `valid_to` None lasts until revoked. From the day `revoked_at` it covers nothing
    (R9 of domain.md section 9). `doc_hash` is the digest of the scanned form.
    """

    number: str
    programme: str
    items: frozenset[str]
    regions: frozenset[str]
    valid_from: date
    valid_to: date | None
    revoked_at: date | None
    signers: tuple[str, ...]
    doc_hash: str

    @property
    def scope(self) -> Scope:
        """All that decides what it covers."""
        return Scope(
            self.programme, self.items, self.regions, self.valid_from, self.valid_to, self.revoked_at
        )

    def __repr__(self) -> str:
        # Signers are people, and a mandate's number identifies one.
        return f"Mandate({self.programme}, {self.valid_from} to {self.valid_to}, ****)"


_FIELDS = tuple(sorted(field.name for field in fields(Mandate)))
# Cached: a county's list has as many mandates as households.
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def share_scopes(mandates: Iterable[Mandate]) -> tuple[list[Scope], list[int]]:
    """The different scopes of some mandates in order of first use, and which of them each mandate has."""
    known: dict[Scope, int] = {}
    places = [known.setdefault(mandate.scope, len(known)) for mandate in mandates]
    return list(known), places


def covers(mandate: Mandate | None, item: str, region: str, programme: str, today: date) -> str | None:
    """None where the mandate permits to query `region` about `item` today, else one of REASONS."""
    if mandate is None:
        return "no_mandate"
    if today < mandate.valid_from:
        return "not_yet_valid"
    if mandate.valid_to is not None and today > mandate.valid_to:
        return "expired"
    if mandate.revoked_at is not None and today >= mandate.revoked_at:
        return "revoked"
    if not mandate.items & {item, ANY}:
        return "item_not_covered"
    if not mandate.regions & {region, ANY}:
        return "region_not_covered"
    if mandate.programme not in (programme, ANY, ""):
        return "programme_differs"
    return None


def digest(mandate: Mandate) -> bytes:
    """32 bytes for the Merkle leaf of a subject: BLAKE3 over all fields as JSON with sorted keys."""
    written = ",".join(f'"{name}":{_json(getattr(mandate, name))}' for name in _FIELDS)
    return blake3(
        f"{{{written}}}".encode("utf-8", "surrogatepass"), derive_key_context=DIGEST_CONTEXT
    ).digest()


def _json(value: str | tuple[str, ...] | frozenset[str] | date | None) -> str:
    if isinstance(value, str):
        return _ENCODER.encode(value)
    return _ENCODER.encode(value) if isinstance(value, tuple) else _common_json(value)


@lru_cache(maxsize=4096)
def _common_json(value: frozenset[str] | date | None) -> str:
    """JSON of fields that the mandates of a list share: items, regions, days."""
    if isinstance(value, date):
        return _ENCODER.encode(value.isoformat())
    return _ENCODER.encode(value if value is None else sorted(value))
