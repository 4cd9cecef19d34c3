"""Keys, certificates and the encrypted key store of a node (design.md section 6).

`store` keeps the sealed secrets, `pki` has the certificates and signed documents of a federation, `rotation`
plans the steps of a key's life, `signing_chain` leads peers from one signing key to the next.
"""

from keys.errors import KeyringError
from keys.pki.certificates import CertifiedIdentity, identity_of, tls_key_for, verify_chain
from keys.pki.enrolment import (
    Bundle,
    EnrolmentRequest,
    Membership,
    NodeCard,
    accept_bundle,
    ca_fingerprint,
    issue_bundle,
    load_card,
    load_request,
    make_card,
    make_request,
)
from keys.pki.issuing import Authority, create_ca, create_request, issue, load_ca
from keys.pki.names import PROVINCE_CODES, target_name
from keys.store.atomic_files import read_passphrase
from keys.store.key_pairs import signing_key
from keys.store.key_store import KeyStore
from keys.store.wrap import KdfCost, Kek, derive_kek

__all__ = [
    "PROVINCE_CODES",
    "Authority",
    "Bundle",
    "CertifiedIdentity",
    "EnrolmentRequest",
    "KdfCost",
    "Kek",
    "KeyStore",
    "KeyringError",
    "Membership",
    "NodeCard",
    "accept_bundle",
    "ca_fingerprint",
    "create_ca",
    "create_request",
    "derive_kek",
    "identity_of",
    "issue",
    "issue_bundle",
    "load_ca",
    "load_card",
    "load_request",
    "make_card",
    "make_request",
    "read_passphrase",
    "signing_key",
    "target_name",
    "tls_key_for",
    "verify_chain",
]
