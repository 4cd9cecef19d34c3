"""The request of a verification as a platform submits it, and its packed form (sealed when stored)."""

import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date
from typing import Any, ClassVar

from node.domain.declared import DeclaredHousehold, pack_declared, unpack_declared
from node.domain.jobs import VERIFICATION
from node.domain.mandate import Mandate, Scope, share_scopes
from node.domain.packed import add_version, strip_version
from node.domain.subjects import Subject, Subjects

_FORM = 4
# A text with one character beyond ASCII takes two or four bytes for each: that of a county's list has 15 MB.
_ENCODER = json.JSONEncoder(separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Verification:
    """The queried people, items and provinces, and the purpose. `mandates` are by number.

    `subjects` may be few objects, or the columns (`Subjects`) of a long list. `matter` is the kind of help
    that is applied for, or empty; where it is `urgent`, mandates may follow within the days of [mandates]
    urgent_days.
    `subjects` may be few objects, or the columns (`Subjects`) of a long list. `declared` is what households
    declare: it stays in this node. `recheck_of` is the job that this one looks at again, `recheck_purpose`
    that job's purpose, which the node fills in: a re-check belongs to the application of the mandate.
    """

    kind: ClassVar[str] = VERIFICATION

    items: tuple[str, ...]
    peers: tuple[str, ...]
    purpose: str
    legal_basis: str
    subjects: Sequence[Subject] = field(repr=False)
    mandates: Mapping[str, Mandate] = field(repr=False)
    # Whether valid answers of earlier jobs are used again instead of asking (node/domain/reuse.py).
    reuse: bool = False
    matter: str = ""
    urgent: bool = False
    declared: tuple[DeclaredHousehold, ...] = field(default=(), repr=False)
    recheck_of: str = ""
    recheck_purpose: str = ""

    @property
    def programme(self) -> str:
        """What the mandates must be for."""
        return self.recheck_purpose or self.purpose


@dataclass(frozen=True, slots=True)
class RequestHead:
    """What the report of a verification needs of its request.

    `offices` are the bodies that ordered it, each with its households; one office alone stands without them.
    """

    refs: tuple[str, ...]
    declared: tuple[DeclaredHousehold, ...] = field(repr=False)
    recheck_of: str
    offices: tuple[tuple[str, tuple[str, ...]], ...]
    matter: str


def pack_verification(verification: Verification) -> bytes:
    """Canonical bytes: the same verification always packs to the same bytes."""
    refs, *columns = _columns(Subjects.of(verification.subjects))
    plain = {
        "items": verification.items,
        "peers": verification.peers,
        "purpose": verification.purpose,
        "legal_basis": verification.legal_basis,
        "reuse": verification.reuse,
        "urgent": verification.urgent,
        "subjects": columns,
        "mandates": _mandate_columns([mandate for _, mandate in sorted(verification.mandates.items())]),
    }
    head = [
        refs,
        pack_declared(verification.declared),
        [verification.recheck_of, verification.recheck_purpose],
        _offices(verification),
        verification.matter,
    ]
    packer, first = zlib.compressobj(1), _ENCODER.encode(head).encode("ascii")
    packed = [packer.compress(len(first).to_bytes(4, "big") + first)]
    del first
    packed += [packer.compress(piece.encode("ascii")) for piece in _pieces(plain)]
    return add_version(_FORM, b"".join((*packed, packer.flush())))


def _pieces(plain: Mapping[str, Any]) -> Iterator[str]:
    """An object as JSON, a column of its lists at a time: the whole text of a county's list is large."""
    for number, (name, value) in enumerate(plain.items()):
        yield f"{',' if number else '{'}{_ENCODER.encode(name)}:"
        if isinstance(value, list):
            for place, column in enumerate(value):
                yield f"{',' if place else '['}{_ENCODER.encode(column)}"
            yield "]" if value else "[]"
        else:
            yield _ENCODER.encode(value)
    yield "}"


def unpack_verification(packed: bytes) -> Verification:
    """The opposite of `pack_verification`; its input was sealed under this node's own key.

    Raises PreconditionError for a form of another version.
    """
    head, rest = _split(packed)
    plain, (refs, declared, (recheck_of, recheck_purpose), _, matter) = json.loads(rest), json.loads(head)
    return Verification(
        items=tuple(plain["items"]),
        peers=tuple(plain["peers"]),
        purpose=plain["purpose"],
        legal_basis=plain["legal_basis"],
        subjects=Subjects(tuple(refs), *map(tuple, plain["subjects"])),
        mandates={mandate.number: mandate for mandate in _mandates(*plain["mandates"])},
        reuse=plain["reuse"],
        matter=matter,
        urgent=plain["urgent"],
        declared=unpack_declared(declared),
        recheck_of=recheck_of,
        recheck_purpose=recheck_purpose,
    )


def unpack_head(packed: bytes) -> RequestHead:
    """What the report of a packed verification needs, without its people and mandates.

    Raises as `unpack_verification` does.
    """
    refs, declared, (recheck_of, _), offices, matter = json.loads(_split(packed)[0])
    return RequestHead(
        tuple(refs),
        unpack_declared(declared),
        recheck_of,
        tuple((office, tuple(households)) for office, households in offices),
        matter,
    )


def _offices(verification: Verification) -> list[tuple[str, list[str]]]:
    """The offices of the mandates, each with its households; of one office alone no households."""
    of_mandate = {number: mandate.office for number, mandate in verification.mandates.items()}
    if len(set(of_mandate.values())) < 2:
        return [(office, []) for office in sorted(set(of_mandate.values()))]
    found: dict[str, dict[str, None]] = {}
    people = Subjects.of(verification.subjects)
    for household, number in zip(people.households, people.mandates, strict=True):
        if number in of_mandate:
            found.setdefault(of_mandate[number], {})[household] = None
    return [(office, list(households)) for office, households in sorted(found.items())]


def _split(packed: bytes) -> tuple[bytes, bytes]:
    plain = zlib.decompress(strip_version(_FORM, packed))
    end = 4 + int.from_bytes(plain[:4], "big")
    return plain[4:end], plain[end:]


def _columns(subjects: Subjects) -> list[Sequence[object]]:
    return [getattr(subjects, column.name) for column in fields(subjects)]


def _mandate_columns(mandates: Sequence[Mandate]) -> list[object]:
    scopes, places = share_scopes(mandates)
    shared = [
        (one.programme, sorted(one.items), sorted(one.regions), *map(_text, one[3:6]), *one[6:])
        for one in scopes
    ]
    people = [sorted(one.people) for one in mandates]
    of_each = [(one.number, one.signers, one.agents, one.doc_hash) for one in mandates]
    return [shared, places, people, of_each]


def _mandates(
    shared: list[Any], places: list[int], people: list[list[str]], of_each: list[Any]
) -> Iterator[Mandate]:
    scopes = [
        Scope(
            programme,
            frozenset(items),
            frozenset(regions),
            date.fromisoformat(first),
            _day(last),
            _day(end),
            *rest,
        )
        for programme, items, regions, first, last, end, *rest in shared
    ]
    for place, named, (number, signers, agents, doc_hash) in zip(places, people, of_each, strict=True):
        yield Mandate(number, *scopes[place], tuple(signers), tuple(agents), frozenset(named), doc_hash)


def _text(day: date | None) -> str:
    return "" if day is None else day.isoformat()


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None
