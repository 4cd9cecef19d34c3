"""Key stores closed by a PKCS#11 token: a real SoftHSM."""

import shutil
import subprocess
from pathlib import Path

import pytest

from keys.errors import (
    KeyringError,
    PassphraseError,
    StoreDamagedError,
    TokenError,
)
from keys.store.header import by_passphrase
from keys.store.key_store import KeyStore
from keys.store.pkcs11 import TokenKek, by_token, make_token_key
from keys.store.wrap import KdfCost

CHEAP = KdfCost(iterations=1, lanes=1, memory_kib=8)
OLD, NEW = b"old word", b"new word"
SECRET = b"planted secret of epoch one....."


@pytest.fixture
def folder(tmp_path):
    store = KeyStore.create(tmp_path / "keys", OLD, cost=CHEAP)
    store.add("oprf.1", SECRET)
    return tmp_path / "keys"


def opens(folder, passphrase):
    try:
        return KeyStore.open(folder, passphrase).get("oprf.1") == SECRET
    except PassphraseError:
        return False


MODULES = ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so")
SCRIPT = "softhsm2-util"


@pytest.fixture(scope="module")
def token(tmp_path_factory):
    """Path of SoftHSM's library, with a token `province` and the PIN 5678."""
    module = next((path for path in MODULES if Path(path).exists()), None)
    if shutil.which(SCRIPT) is None or module is None:
        pytest.skip("SoftHSM2 is not installed")
    pytest.importorskip("pkcs11")
    base = tmp_path_factory.mktemp("token")
    (base / "softhsm2.conf").write_text(f"directories.tokendir = {base}\nobjectstore.backend = file\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOFTHSM2_CONF", str(base / "softhsm2.conf"))
        for label in ("province", "other"):
            command = [
                SCRIPT,
                "--init-token",
                "--free",
                "--label",
                label,
                "--so-pin",
                "1234",
                "--pin",
                "5678",
            ]
            subprocess.run(command, check=True, capture_output=True)
        yield module


@pytest.fixture
def closed(folder, token):
    """A store closed by the token."""
    closing = by_token(token, "province", "kek", b"5678")
    make_token_key(closing)
    KeyStore.open(folder, OLD).rewrap(closing)
    return folder


def test_closed_by_a_token(closed, token):
    store = KeyStore.open(closed, b"5678", token)
    assert store.token == "province"
    assert store.get("oprf.1") == SECRET
    assert b"5678" not in b"".join(path.read_bytes() for path in closed.iterdir())
    assert make_token_key(by_token(token, "province", "kek", b"5678")) is False
    store.rewrap(by_passphrase(NEW, CHEAP))
    assert opens(closed, NEW)


def test_the_key_never_leaves_the_token(closed, token):
    import pkcs11

    with pkcs11.lib(str(token)).get_token(token_label="province").open(user_pin="5678") as session:
        key = session.get_key(label="kek")
        assert (key[pkcs11.Attribute.SENSITIVE], key[pkcs11.Attribute.EXTRACTABLE]) == (True, False)
        with pytest.raises(pkcs11.PKCS11Error):
            key[pkcs11.Attribute.VALUE]


def test_faults_of_a_token(closed, token, tmp_path):
    cases = (
        (lambda: KeyStore.open(closed, b"0000", token), PassphraseError, "PIN is wrong"),
        (lambda: KeyStore.open(closed, b"5678"), TokenError, "no PKCS#11 library is configured"),
        (lambda: KeyStore.open(closed, b"5678", tmp_path / "no.so"), TokenError, "not a PKCS#11 library"),
        (lambda: TokenKek(token, "absent", "kek", b"5678").make(), TokenError, "no token absent"),
        (lambda: TokenKek(token, "other", "none", b"5678").seal("x", b"y"), TokenError, "not exactly one"),
    )
    for call, kind, text in cases:
        with pytest.raises(kind, match=text) as caught:
            call()
        assert isinstance(caught.value, KeyringError)
        assert caught.value.hint
        assert "5678" not in str(caught.value)


def test_sealed_by_a_token_opens_for_its_name_only(closed, token):
    kek = TokenKek(token, "province", "kek", b"5678")
    sealed = kek.seal("name", b"content")
    assert kek.unseal("name", sealed) == b"content"
    assert "5678" not in repr(kek)
    for name, content in (
        ("other", sealed),
        ("name", sealed[:-1]),
        ("name", sealed[:-1] + bytes([sealed[-1] ^ 1])),
        ("name", b""),
        ("name", sealed[:6] + b"\x01" + sealed[7:]),
    ):
        with pytest.raises(StoreDamagedError):
            kek.unseal(name, content)


def test_a_token_of_the_same_label_with_another_key(closed, token):
    by_other = by_token(token, "other", "kek", b"5678")
    make_token_key(by_other)
    header = (closed / "store.json").read_text()
    store = KeyStore.open(closed, b"5678", token)
    store.rewrap(by_other)
    assert (closed / "store.json").read_text() != header
    with pytest.raises(StoreDamagedError):
        TokenKek(token, "province", "kek", b"5678").unseal("x", by_other.sealer.seal("x", b"y"))
