"""Mandates as a node keeps them: the form, whose household it is of, its guardians, the office's signature.
Pure.
"""

import base64
import json
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Final

from matcher.types import Identity
from node.domain.households import MAX_TEXT, text_fault
from node.domain.mandate import ANY, CODE, Mandate
from node.domain.mandate import fault as form_fault
from node.domain.mandate_numbers import is_mistyped, parse_number
from node.domain.matters import is_matter, wording_of
from node.domain.packed import add_version, strip_version
from node.domain.subjects import NUMBER, holds_identity

_FORM: Final = 1
MAX_LIST: Final = 100  # items, regions, people or names
END_REASONS: Final = ("withdrawn", "check_failed", "programme_exit", "household_change", "replaced")


@dataclass(frozen=True, slots=True, repr=False)
class StoredMandate:
    """A mandate with what only the node knows of it.

    `household_no` is empty where it belongs to none. `guardians` are the names of those who consent for
    children under 14. `signature` (64 bytes) is that of the office over `signed_part`, `certificate` its
    certificate as a file; both are empty for a mandate that no office signed.
    """

    mandate: Mandate
    household_no: str = ""
    application_no: str = ""
    guardians: tuple[str, ...] = ()
    signature: bytes = b""
    certificate: bytes = b""

    def __repr__(self) -> str:
        return f"StoredMandate({self.mandate!r})"

    @property
    def is_signed(self) -> bool:
        """Whether an office signed it."""
        return bool(self.signature)

    def all_names(self) -> tuple[str, ...]:
        """Names of everybody who signed for others."""
        return (*self.mandate.agents, *self.guardians)


def signed_part(stored: StoredMandate) -> bytes:
    """The bytes that an office signs: every field but its signature and certificate, as canonical JSON."""
    plain = to_plain(stored)
    del plain["signature"], plain["certificate"]
    plain |= {"valid_to": _text(stored.mandate.valid_to), "event": stored.mandate.event}
    return _canonical(plain)


def fault(stored: StoredMandate, identities: tuple[Identity, ...] = ()) -> tuple[str, str, str] | None:
    """Field, reason and message of what is wrong with a mandate by itself; None for a good one."""
    mandate = stored.mandate
    own = form_fault(mandate)
    if own is not None:
        return "mandate_no", "incomplete", f"the mandate {own}"
    for field, text in (
        ("mandate_no", mandate.number),
        ("household_no", stored.household_no),
        ("application_no", stored.application_no),
    ):
        if text and not (NUMBER.fullmatch(text) and text.isprintable()):
            return field, "bad_number", "a number is at most 48 characters without blanks and slashes"
        if holds_identity(text, identities):
            return field, "ref_is_identity", "an identity number must not serve as a number of something else"
    if is_mistyped(mandate.number):
        return "mandate_no", "bad_check_digit", "the last character does not fit the number's other digits"
    return _scope_fault(stored) or _text_fault(stored, identities)


def _scope_fault(stored: StoredMandate) -> tuple[str, str, str] | None:
    mandate, wording = stored.mandate, wording_of(stored.mandate.template_id)
    if mandate.valid_to is not None and mandate.valid_to < mandate.valid_from:
        return "valid_to", "ends_before_start", "the mandate ends before it starts"
    if mandate.matter not in ("", ANY) and not is_matter(mandate.matter):
        return "matter", "unknown_matter", "the matter is not one of those that docs/mandates.md lists"
    numbered = parse_number(mandate.number)
    if numbered is not None and is_matter(mandate.matter) and numbered.matter != mandate.matter:
        return "matter", "matter_differs", "the matter is not that of the mandate's number"
    if wording.names_matter and mandate.matter in ("", ANY):
        return "matter", "matter_not_named", f"the wording {wording.family} is for one matter: name it"
    if wording.names_regions and ANY in mandate.regions:
        return "scope_regions", "regions_not_named", f"the wording {wording.family} names the provinces asked"
    return None


def _text_fault(stored: StoredMandate, identities: tuple[Identity, ...]) -> tuple[str, str, str] | None:
    mandate = stored.mandate
    every = identities or tuple(Identity("resident", value) for value in mandate.people)
    lists = (("signers", mandate.signers), ("agents", mandate.agents), ("guardians", stored.guardians))
    for field, names in (*lists, ("office", (mandate.office,))):
        if len(names) > MAX_LIST:
            return field, "too_many", f"{field} are at most {MAX_LIST} names"
        for name in names:
            found = text_fault(field, name, every)
            if found is not None:
                return found
    if len(mandate.number) > MAX_TEXT or (mandate.template_id and not CODE.fullmatch(mandate.template_id)):
        return "template_id", "bad_code", "the form's code has letters, digits, dot, underscore, hyphen"
    return None


def end_fault(stored: StoredMandate, reason: str) -> str:
    """Why a mandate cannot end for a reason; empty where it can. Only some wordings lapse with the check."""
    if reason not in END_REASONS:
        return f"the reason is one of {', '.join(END_REASONS)}"
    wording = wording_of(stored.mandate.template_id)
    if reason == "check_failed" and not wording.lapses_on_failure:
        return f"a mandate in the wording {wording.family} does not lapse when a check fails"
    return ""


# ---- as JSON: what an office signs, what is sealed, and what files hold


def to_plain(stored: StoredMandate) -> dict[str, Any]:
    """As JSON has it, under the names of the columns of lists."""
    mandate = stored.mandate
    return {
        "mandate_no": mandate.number,
        "household_no": stored.household_no,
        "application_no": stored.application_no,
        "template_id": mandate.template_id,
        "office": mandate.office,
        "people": sorted(mandate.people),
        "programme": mandate.programme,
        "matter": mandate.matter,
        "scope_items": sorted(mandate.items),
        "scope_regions": sorted(mandate.regions),
        "valid_from": mandate.valid_from.isoformat(),
        "valid_to": mandate.event or _text(mandate.valid_to),
        "revoked_at": _text(mandate.revoked_at),
        "signers": list(mandate.signers),
        "agents": list(mandate.agents),
        "guardians": list(stored.guardians),
        "sig_type": mandate.sig_type,
        "doc_hash": mandate.doc_hash,
        "signature": base64.b64encode(stored.signature).decode(),
        "certificate": base64.b64encode(stored.certificate).decode(),
    }


def pack_mandate(stored: StoredMandate) -> bytes:
    """Canonical bytes with a version in front, to be sealed."""
    mandate = asdict(stored.mandate)
    plain = {name: _plain(value) for name, value in mandate.items()}
    rest = {
        "household_no": stored.household_no,
        "application_no": stored.application_no,
        "guardians": list(stored.guardians),
        "signature": base64.b64encode(stored.signature).decode(),
        "certificate": base64.b64encode(stored.certificate).decode(),
    }
    return add_version(_FORM, _canonical({"mandate": plain, **rest}))


def unpack_mandate(packed: bytes) -> StoredMandate:
    """What `pack_mandate` made. Raises PreconditionError for another version."""
    plain = json.loads(strip_version(_FORM, packed))
    known = plain["mandate"]
    for name in ("items", "regions", "people"):
        known[name] = frozenset(known[name])
    for name in ("signers", "agents"):
        known[name] = tuple(known[name])
    for name in ("valid_from", "valid_to", "revoked_at"):
        known[name] = date.fromisoformat(known[name]) if known[name] else None
    return StoredMandate(
        Mandate(**known),
        plain["household_no"],
        plain["application_no"],
        tuple(plain["guardians"]),
        base64.b64decode(plain["signature"]),
        base64.b64decode(plain["certificate"]),
    )


def _plain(value: object) -> object:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, frozenset):
        return sorted(value)
    return list(value) if isinstance(value, tuple) else value


def _text(day: date | None) -> str:
    return "" if day is None else day.isoformat()


def _canonical(plain: dict[str, Any]) -> bytes:
    return json.dumps(plain, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
