"""Mandates: no mandate, no verification (design.md section 7; domain.md section 7, S27). Pure."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from blake3 import blake3

from node.domain.subjects import Subjects

DIGEST_CONTEXT = "heqiao v1 mandate"
NUMBER_CONTEXT = "heqiao v1 mandate number"
ANY = "*"
MONITORING = "monitoring"
PROGRAMMES = ("new_application", "review", "report", MONITORING, "other")
# Codes that a platform or peer chooses and that this node writes into its log and audit chain: too short
# for an identity number.
CODE = re.compile(r"(?!.*[0-9]{15})[A-Za-z0-9._-]{1,64}")
LEGAL_BASIS = re.compile(rf"(?:{CODE.pattern})?")
DOC_HASH = re.compile(r"(?:[0-9a-z-]{1,16}:)?[0-9a-f]{32,128}")
# What ends a mandate that names no last day, as forms word it; until then it lasts.
EVENTS = ("programme_exit", "household_change")
# How it was signed, where the list says so.
SIG_TYPES = ("handwritten", "fingerprint", "electronic")
# Reasons why a mandate does not cover a query; stable words, shown in reports.
REASONS = (
    "no_mandate",
    "incomplete",
    "person_not_named",
    "not_yet_valid",
    "expired",
    "revoked",
    "item_not_covered",
    "region_not_covered",
    "programme_differs",
    "matter_differs",
)


class Scope(NamedTuple):
    """What the mandates of a list have in common: most households sign the same form on the same day."""

    programme: str
    items: frozenset[str]
    regions: frozenset[str]
    valid_from: date
    valid_to: date | None
    revoked_at: date | None
    event: str
    office: str
    template_id: str
    sig_type: str
    matter: str


@dataclass(frozen=True, slots=True, repr=False)
class Mandate:
    """A citizen's authorisation (授权书): for whom, its programme, items, regions and validity.

    `programme` is one of PROGRAMMES, or `*` for all; `items` and `regions` may hold `*`. Both days of the
    validity count; without `valid_to` it lasts until `event`, one of EVENTS, which the office reports by
    revoking it. From the day `revoked_at` it covers nothing (R9 of domain.md section 9). `office` is the body
    that ordered the verification (委托单位), `template_id` the wording of the form, `sig_type` one of
    SIG_TYPES
    or empty, `matter` the kind of help that is applied for (node/domain/matters.py), `*` or empty where the
    form names none. `people` are the canonical identity numbers of those it is for, former ones too: a number
    that it does not name is never asked about. `doc_hash` is the digest of the scanned form.
    """

    number: str
    programme: str
    items: frozenset[str]
    regions: frozenset[str]
    valid_from: date
    valid_to: date | None
    revoked_at: date | None
    event: str
    office: str
    template_id: str
    sig_type: str
    matter: str
    signers: tuple[str, ...]
    agents: tuple[str, ...]
    people: frozenset[str]
    doc_hash: str

    @property
    def scope(self) -> Scope:
        """All that it shares with others, and that decides what it covers."""
        return Scope(
            self.programme,
            self.items,
            self.regions,
            self.valid_from,
            self.valid_to,
            self.revoked_at,
            self.event,
            self.office,
            self.template_id,
            self.sig_type,
            self.matter,
        )

    @property
    def is_complete(self) -> bool:
        """Whether it has a signer, an office, a document and people; without them nobody is asked about."""
        return bool(self.signers and self.office and self.doc_hash and self.people)

    def __repr__(self) -> str:
        # Signers are people, and a mandate's number identifies one.
        return f"Mandate({self.programme}, {self.valid_from} to {self.valid_to}, ****)"


_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def share_scopes(mandates: Iterable[Mandate]) -> tuple[list[Scope], list[int]]:
    """The different scopes of some mandates in order of first use, and which of them each mandate has."""
    known: dict[Scope, int] = {}
    places = [known.setdefault(mandate.scope, len(known)) for mandate in mandates]
    return list(known), places


def covers(
    mandate: Mandate | None, item: str, region: str, programme: str, today: date, matter: str = ""
) -> str | None:
    """None where the mandate permits to query `region` about `item` today, else one of REASONS.

    A mandate for one matter covers no query that names another one, or none.
    """
    if mandate is None:
        return "no_mandate"
    if not mandate.is_complete:
        return "incomplete"
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
    if mandate.matter not in (matter, ANY, ""):
        return "matter_differs"
    return None


def fault(mandate: Mandate) -> str | None:
    """What is wrong with a mandate by itself, in words that name nobody; None for one that may be used."""
    missing = {
        "signer": mandate.signers,
        "office": mandate.office,
        "digest of the signed form": mandate.doc_hash,
        "person that it is for": mandate.people,
        "last day, or event that ends it": mandate.valid_to or mandate.event,
    }
    for what, given in missing.items():
        if not given:
            return f"has no {what}"
    if not DOC_HASH.fullmatch(mandate.doc_hash):
        return "has a digest of the signed form that is not 32 to 128 hexadecimal digits"
    if mandate.event and (mandate.valid_to or mandate.event not in EVENTS):
        return f"has a last day and an event, or an event that is not one of {', '.join(EVENTS)}"
    if mandate.sig_type and mandate.sig_type not in SIG_TYPES:
        return f"is signed in a way that is not one of {', '.join(SIG_TYPES)}"
    if mandate.template_id and not CODE.fullmatch(mandate.template_id):
        return "has a form whose code is not letters, digits, dot, underscore and hyphen"
    return None


def are_named(subjects: Subjects, mandates: Mapping[str, Mandate]) -> list[bool]:
    """Whether each person's mandate names all numbers of the person; true where there is no complete mandate,
    which is another reason not to ask.
    """
    people = {number: mandate.people for number, mandate in mandates.items() if mandate.is_complete}
    values, found = subjects.id_values, []
    for number, (at, end) in zip(subjects.mandates, pairwise(subjects.starts), strict=True):
        named = people.get(number)
        found.append(named is None or named.issuperset(values[at:end]))
    return found


def number_digest(number: str) -> bytes:
    """32 bytes by which a revoked mandate is known, however its letters are typed: its list may be gone."""
    return blake3(
        number.strip().upper().encode("utf-8", "surrogatepass"), derive_key_context=NUMBER_CONTEXT
    ).digest()


def digest(mandate: Mandate) -> bytes:
    """32 bytes for the Merkle leaf of a subject: BLAKE3 over all fields as JSON with sorted keys."""
    before_number, before_people, before_signers, rest = _common_json(mandate.scope)
    written = (
        f'{{"agents":{_json(mandate.agents)},"doc_hash":{_json(mandate.doc_hash)},'
        f'{before_number},"number":{_json(mandate.number)},'
        f'{before_people},"people":{_json(sorted(mandate.people))},'
        f'{before_signers},"signers":{_json(mandate.signers)},{rest}}}'
    )
    return blake3(written.encode("utf-8", "surrogatepass"), derive_key_context=DIGEST_CONTEXT).digest()


@lru_cache(maxsize=1024)
def _common_json(scope: Scope) -> tuple[str, ...]:
    """The fields that the mandates of a list share, ordered by name: before `number`, before `people`, before
    `signers`, after it.
    """
    written = {name: f'"{name}":{_json(_plain(value))}' for name, value in scope._asdict().items()}
    between = (
        ("event", "items", "matter"),
        ("office",),
        ("programme", "regions", "revoked_at", "sig_type"),
        ("template_id", "valid_from", "valid_to"),
    )
    return tuple(",".join(written[name] for name in names) for names in between)


def _plain(value: str | frozenset[str] | date | None) -> str | list[str] | None:
    if isinstance(value, date):
        return value.isoformat()
    return sorted(value) if isinstance(value, frozenset) else value
