"""Fingerprints that OpenSSL computes too."""

import hashlib
import os
import subprocess
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from keys.store.key_store import KeyStore
from keys.store.kinds import NODE_KEYS, fingerprint, generate_secret
from keys.store.wrap import KdfCost

CHEAP = KdfCost(iterations=1, lanes=1, memory_kib=8)
NOW = datetime.now(UTC)


@pytest.fixture
def store(tmp_path):
    made = KeyStore.create(tmp_path / "keys", b"word", cost=CHEAP)
    for purpose in NODE_KEYS:
        made.add(f"{purpose}.1", generate_secret(purpose))
        os.utime(made.path_of(f"{purpose}.1"), (NOW.timestamp() - 86_400,) * 2)
    return KeyStore.open(tmp_path / "keys", b"word")


def test_fingerprints_of_pairs_are_those_of_openssl(store, tmp_path):
    secret = store.get("tls.1")
    (tmp_path / "key.pem").write_bytes(secret)
    public = subprocess.run(
        ["openssl", "pkey", "-in", tmp_path / "key.pem", "-pubout", "-outform", "DER"],
        capture_output=True,
        check=True,
    ).stdout
    assert fingerprint("tls", secret) == hashlib.sha256(public).hexdigest()[:16]
    signing = Ed25519PrivateKey.from_private_bytes(store.get("signing.1")).public_key()
    raw = signing.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    expected = hashlib.sha256(raw).hexdigest()[:16]
    assert fingerprint("signing", store.get("signing.1")) == expected
