"""The job that verifies people: what it checks before it is kept, and its packed form in the database."""

import json
import zlib
from datetime import date

from matcher import Identity, Level
from node.context import Node
from node.domain.mandate import PROGRAMMES, Mandate
from node.domain.subjects import Subject
from node.domain.verification import Verification
from node.errors import (
    InvalidRequestError,
)


def pack_request(verification: Verification) -> bytes:
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
    return zlib.compress(json.dumps(plain, ensure_ascii=False, separators=(",", ":")).encode(), 1)


def unpack_request(packed: bytes) -> Verification:
    """What pack_request made; only ever given bytes that opened under this node's own key."""
    plain = json.loads(zlib.decompress(packed))
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


def _check_verification(node: Node, verification: Verification) -> None:
    if len({subject.ref for subject in verification.subjects}) != len(verification.subjects):
        raise InvalidRequestError("a subject's reference is given twice")
    if verification.purpose not in PROGRAMMES:
        raise InvalidRequestError("unknown purpose", f"one of {', '.join(PROGRAMMES)}")
    for item in verification.items:
        if node.catalogue.item(item).level is Level.AGGREGATE:
            # Nothing is held of it per person, which would read as "no record".
            raise InvalidRequestError(
                f"{item} is answered as a sum only", "ask for it with `heqiao sum`, over many people"
            )
