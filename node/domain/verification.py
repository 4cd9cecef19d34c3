"""The request of a verification as a platform submits it, and its packed form (sealed when stored)."""

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import ClassVar

from matcher import Identity
from node.domain.jobs import VERIFICATION
from node.domain.mandate import Mandate
from node.domain.packed import add_version, strip_version
from node.domain.subjects import Subject

_FORM = 1


@dataclass(frozen=True, slots=True)
class Verification:
    """The queried people, items and provinces, and the purpose. `mandates` are by number."""

    kind: ClassVar[str] = VERIFICATION

    items: tuple[str, ...]
    peers: tuple[str, ...]
    purpose: str
    legal_basis: str
    subjects: tuple[Subject, ...] = field(repr=False)
    mandates: Mapping[str, Mandate] = field(repr=False)


def pack_verification(verification: Verification) -> bytes:
    """Canonical bytes: the same verification always packs to the same bytes."""
    plain = {
        "items": verification.items,
        "peers": verification.peers,
        "purpose": verification.purpose,
        "legal_basis": verification.legal_basis,
        "subjects": [
            [s.ref, s.household, s.name, [[i.id_type, i.value] for i in s.identities], s.mandate]
            for s in verification.subjects
        ],
        "mandates": [
            [
                m.number,
                m.programme,
                sorted(m.items),
                sorted(m.regions),
                m.valid_from.isoformat(),
                m.valid_to.isoformat() if m.valid_to else "",
                m.revoked_at.isoformat() if m.revoked_at else "",
                m.signers,
                m.doc_hash,
            ]
            for _, m in sorted(verification.mandates.items())
        ],
    }
    text = json.dumps(plain, ensure_ascii=False, separators=(",", ":")).encode()
    return add_version(_FORM, zlib.compress(text, 1))


def unpack_verification(packed: bytes) -> Verification:
    """The opposite of `pack_verification`; its input was sealed under this node's own key.

    Raises PreconditionError for a form of another version.
    """
    plain = json.loads(zlib.decompress(strip_version(_FORM, packed)))
    return Verification(
        items=tuple(plain["items"]),
        peers=tuple(plain["peers"]),
        purpose=plain["purpose"],
        legal_basis=plain["legal_basis"],
        subjects=tuple(
            Subject(ref, household, name, tuple(Identity(*one) for one in identities), mandate)
            for ref, household, name, identities, mandate in plain["subjects"]
        ),
        mandates={row[0]: _mandate(row) for row in plain["mandates"]},
    )


def _mandate(row: list[str]) -> Mandate:
    number, programme, items, regions, valid_from, valid_to, revoked_at, signers, doc_hash = row
    return Mandate(
        number=number,
        programme=programme,
        items=frozenset(items),
        regions=frozenset(regions),
        valid_from=date.fromisoformat(valid_from),
        valid_to=date.fromisoformat(valid_to) if valid_to else None,
        revoked_at=date.fromisoformat(revoked_at) if revoked_at else None,
        signers=tuple(signers),
        doc_hash=doc_hash,
    )
