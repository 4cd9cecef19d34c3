"""KeyWrapping a key store in another way: whole before, whole after, whatever happens in between."""

import fcntl
import os
import resource
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from keys.errors import (
    KeyringError,
    PassphraseError,
    StoreBusyError,
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


def test_another_passphrase(folder):
    store = KeyStore.open(folder, OLD)
    store.rewrap(by_passphrase(NEW, CHEAP))
    store.add("oprf.2", b"2" * 32)
    assert (opens(folder, OLD), opens(folder, NEW)) == (False, True)
    assert KeyStore.open(folder, NEW).get("oprf.2") == b"2" * 32
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    assert sorted(path.name for path in folder.iterdir()) == ["oprf.1.key", "oprf.2.key", "store.json"]


def test_an_old_copy_of_the_header_opens_no_later_key(folder):
    stolen = (folder / "store.json").read_bytes()
    store = KeyStore.open(folder, OLD)
    store.rewrap(by_passphrase(NEW, CHEAP))
    store.add("oprf.2", b"2" * 32)
    (folder / "store.json").write_bytes(stolen)
    old = KeyStore.open(folder, OLD)
    assert old.get("oprf.1") == SECRET
    with pytest.raises(StoreDamagedError):
        old.get("oprf.2")


def test_a_key_added_by_a_process_that_opened_it_before(folder):
    before = KeyStore.open(folder, OLD)
    KeyStore.open(folder, OLD).rewrap(by_passphrase(NEW, CHEAP))
    before.add("oprf.2", b"2" * 32)
    assert KeyStore.open(folder, NEW).get("oprf.2") == b"2" * 32


def test_two_administrators(folder):
    first, second = KeyStore.open(folder, OLD), KeyStore.open(folder, OLD)
    first.rewrap(by_passphrase(NEW, CHEAP))
    with pytest.raises(StoreBusyError, match="rewrapped meanwhile"):
        second.rewrap(by_passphrase(b"third", CHEAP))
    assert opens(folder, NEW)
    held = os.open(folder, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    with pytest.raises(StoreBusyError, match="another command"):
        first.rewrap(by_passphrase(b"third", CHEAP))
    os.close(held)
    first.rewrap(by_passphrase(b"third", CHEAP))
    assert opens(folder, b"third")


def test_rewrapped_many_times(folder):
    store = KeyStore.open(folder, OLD)
    for count in range(63):
        store.rewrap(by_passphrase(b"%d" % count, CHEAP))
    assert opens(folder, b"62")
    with pytest.raises(StoreDamagedError, match="at most 64"):
        store.rewrap(by_passphrase(b"x", CHEAP))
    assert opens(folder, b"62")


CALLS = ("open", "fchmod", "fsync", "replace", "rename", "unlink", "write")


def rewrap_killed_at(folder, stop):
    """Rewrap in a child that kills itself at its call number `stop` of the file system; whether it was."""
    child = os.fork()
    if child == 0:
        left = [stop]

        def counted(call):
            def run(*arguments, **named):
                left[0] -= 1
                if left[0] < 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                return call(*arguments, **named)

            return run

        store = KeyStore.open(folder, OLD)
        closing = by_passphrase(NEW, CHEAP)
        for name in CALLS:
            setattr(os, name, counted(getattr(os, name)))
        store.rewrap(closing)
        os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def test_kill_at_any_point_leaves_the_old_or_the_new_whole(folder, tmp_path):
    seen, stop, killed = [], 0, True
    while killed:
        copy = tmp_path / f"copy{stop}"
        shutil.copytree(folder, copy)
        killed = rewrap_killed_at(copy, stop)
        state = (opens(copy, OLD), opens(copy, NEW))
        assert state in ((True, False), (False, True))
        seen.append(state)
        if state[0]:  # running it again finishes it
            KeyStore.open(copy, OLD).rewrap(by_passphrase(NEW, CHEAP))
        assert opens(copy, NEW)
        stop += 1
    assert seen[0] == (True, False)
    assert seen[-1] == (False, True)
    assert len(seen) > 5


def test_a_full_disk_leaves_the_old(folder):
    script = (
        "import resource, signal, sys; from pathlib import Path; from keys.store.key_store import KeyStore;"
        "from keys.store.header import by_passphrase; from keys.store.wrap import KdfCost;"
        "store = KeyStore.open(Path(sys.argv[1]), b'old word');"
        "closing = by_passphrase(b'new word', KdfCost(1, 1, 8));"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100));"
        "store.rewrap(closing)"
    )
    done = subprocess.run([sys.executable, "-c", script, folder], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "File too large" in done.stderr
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY
    assert (opens(folder, OLD), opens(folder, NEW)) == (True, False)
    assert sorted(path.name for path in folder.iterdir()) == ["oprf.1.key", "store.json"]


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
