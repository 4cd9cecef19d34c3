"""Administrators, identified by their own keys, and what two of them sign (docs/adr/0011).

An administrator's folder is a key store of its own, sealed by that person's passphrase: DIR/keys,
DIR/passphrase (where none was given), DIR/admin.json, the public half, which homes enrol.
"""

from pathlib import Path
from typing import Annotated, Final, Literal

from blake3 import blake3
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import Field

from keys.pki.documents import Base64, Document, Key32
from keys.pki.enrolment import Name, check_signature
from keys.store.key_pairs import signing_key
from keys.store.key_store import KeyStore

AdminKey = Ed25519PrivateKey
Hex = Annotated[str, Field(pattern=r"^[0-9a-f]{16,64}$")]
_ACCOUNTS: Final = "heqiao v1 approvals by account"
_CARD: Final = b"heqiao v1 administrator"
_REQUEST: Final = b"heqiao v1 approval asked"
_APPROVAL: Final = b"heqiao v1 approval given"


class AdminCard(Document):
    """The public half of an administrator."""

    version: Literal[1] = 1
    name: Name
    key: Key32
    signature: Base64 = b""


class RequestStatement(Document):
    """An administrator requests one action, once: `digest` covers exactly that action."""

    version: Literal[1] = 1
    id: Hex
    digest: Hex
    requester: Name
    expires_at: str
    signature: Base64 = b""


class ApprovalStatement(Document):
    """Another administrator approves this action."""

    version: Literal[1] = 1
    id: Hex
    digest: Hex
    requester: Name
    approver: Name
    signature: Base64 = b""


def make_card(store: KeyStore, name: str) -> AdminCard:
    """The card of the administrator whose key store this is. Raises ValueError for a bad name."""
    signer = signing_key(store)
    card = AdminCard(name=name, key=signer.public_key().public_bytes_raw())
    return card.model_copy(update={"signature": signer.sign(card.signed_part(_CARD))})


def load_card(path: Path) -> AdminCard:
    """Read a card and check its signature. Raises EnrolmentError."""
    card = AdminCard.load(path)
    check_signature(card, _CARD, card.key, card.signature, str(path))
    return card


def sign_request(key: AdminKey, request: RequestStatement) -> bytes:
    """The requester's signature."""
    return key.sign(request.signed_part(_REQUEST))


def sign_approval(key: AdminKey, approval: ApprovalStatement) -> bytes:
    """The approver's signature."""
    return key.sign(approval.signed_part(_APPROVAL))


def check_request(request: RequestStatement, key: bytes, signature: bytes) -> None:
    """Raises EnrolmentError unless the requester signed this."""
    check_signature(request, _REQUEST, key, signature, "the request for an approval")


def check_approval(approval: ApprovalStatement, key: bytes, signature: bytes) -> None:
    """Raises EnrolmentError unless the approver signed this."""
    check_signature(approval, _APPROVAL, key, signature, "the approval")


def derive_key(secret: bytes, account: str) -> AdminKey:
    """The key by which a node signs for an account (docs/adr/0042), from 32 secret bytes of the node."""
    key = blake3(secret, derive_key_context=_ACCOUNTS).digest()
    return Ed25519PrivateKey.from_private_bytes(blake3(account.encode(), key=key).digest())


def public_of(key: AdminKey) -> bytes:
    """The public half, 32 bytes."""
    return key.public_key().public_bytes_raw()


def key_of(store: KeyStore) -> AdminKey:
    """The key of the administrator whose key store this is."""
    return signing_key(store)
