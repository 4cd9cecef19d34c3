import json
import os
import shutil

import pytest

from keys.errors import (
    KeyExistsError,
    KeyMissingError,
    KeyringError,
    PassphraseError,
    PermissionsError,
    StoreDamagedError,
    StoreExistsError,
    StoreMissingError,
    StoreVersionError,
)
from keys.store.atomic_files import read_passphrase, replace, write_new
from keys.store.header import Header
from keys.store.key_store import KeyStore
from keys.store.wrap import KdfCost

CHEAP = KdfCost(iterations=1, lanes=1, memory_kib=8)
PASS = b"correct horse"


@pytest.fixture
def folder(tmp_path):
    store = KeyStore.create(tmp_path / "keys", PASS, cost=CHEAP)
    store.add("oprf.1", b"planted secret of epoch one.....")
    store.add("oprf.2", b"planted secret of epoch two.....")
    store.add("signing.10", b"s" * 32)
    store.add("signing.9", b"t" * 32)
    return tmp_path / "keys"


def edit_header(folder, **fields):
    path = folder / "store.json"
    header = json.loads(path.read_text())
    for name, value in fields.items():
        (header if name in header or name == "something_new" else header["kek"])[name] = value
    path.write_text(json.dumps(header))


def test_reopened_store_gives_the_same(folder):
    store = KeyStore.open(folder, PASS)
    assert store.names() == ["oprf.1", "oprf.2", "signing.9", "signing.10"]
    assert store.get("oprf.1") == b"planted secret of epoch one....."
    assert store.newest("signing") == (10, b"s" * 32)
    assert store.epochs("oprf") == [1, 2]
    assert store.epochs("salt") == []


def test_files_are_closed_to_others_whatever_the_umask(tmp_path):
    before = os.umask(0)
    try:
        store = KeyStore.create(tmp_path / "keys", PASS, cost=CHEAP)
        store.add("oprf.1", b"x" * 32)
    finally:
        os.umask(before)
    assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "keys").iterdir()} == {0o600}
    assert sorted(path.name for path in (tmp_path / "keys").iterdir()) == ["oprf.1.key", "store.json"]


def test_sealed_file_does_not_hold_the_secret(folder):
    content = b"".join(path.read_bytes() for path in folder.iterdir())
    assert b"planted secret" not in content
    assert PASS not in content


def test_each_file_is_read_once(folder):
    store = KeyStore.open(folder, PASS)
    first = store.get("oprf.1")
    (folder / "oprf.1.key").unlink()
    assert store.get("oprf.1") == first


def test_a_key_added_by_another_process_is_seen(folder):
    store = KeyStore.open(folder, PASS)
    KeyStore.open(folder, PASS).add("oprf.3", b"3" * 32)
    assert store.newest("oprf") == (3, b"3" * 32)


def test_wrong_passphrase(folder):
    with pytest.raises(PassphraseError, match="does not open") as caught:
        KeyStore.open(folder, b"geheim-geheim")
    assert "geheim" not in str(caught.value) + caught.value.hint


@pytest.mark.parametrize(
    "fields",
    [
        {"salt": "AAAAAAAAAAAAAAAAAAAAAA=="},
        {"salt": "AAAA"},
        {"salt": "not base64"},
        {"iterations": 2},
        {"iterations": 0},
        {"iterations": "1"},
        {"memory_kib": 2**40},
        {"kdf": "scrypt"},
        {"data_keys": "AAAA"},
        {"kek": None},
        {"kek": {"kind": "rot13"}},
        {"kind": "pkcs11"},
        {"digest": "ü"},
        {"version": 0},
        {"version": None},
        {"extra": 1},
    ],
    ids=lambda fields: "-".join(map(str, *fields.items())),
)
def test_damaged_header_is_not_a_wrong_passphrase(folder, fields):
    edit_header(folder, **fields)
    with pytest.raises(StoreDamagedError, match=r"store\.json"):
        KeyStore.open(folder, PASS)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"3", b"\xff\xfe", b"[" * 100_000, b'{"version": 1}'])
def test_header_that_is_no_header(folder, content):
    (folder / "store.json").write_bytes(content)
    with pytest.raises(StoreDamagedError):
        KeyStore.open(folder, PASS)


def test_newer_store(folder):
    edit_header(folder, version=2, something_new=True)
    with pytest.raises(StoreVersionError, match="version 2"):
        KeyStore.open(folder, PASS)


def test_cost_is_bound_to_the_data_keys(folder):
    # An attacker who lowers the cost and corrects the digest still cannot open the data keys.
    header = Header.model_validate_json((folder / "store.json").read_bytes())
    cheaper = header.model_copy(update={"kek": header.kek.model_copy(update={"memory_kib": 16})})
    cheaper = cheaper.model_copy(update={"digest": cheaper.checksum()})
    (folder / "store.json").write_bytes(cheaper.to_json())
    with pytest.raises(PassphraseError):
        KeyStore.open(folder, PASS)


def test_damaged_and_swapped_entries(folder):
    path = folder / "oprf.1.key"
    original = path.read_bytes()
    for content in (b"", original[:-1], original[:-1] + bytes([original[-1] ^ 1]), b"x" * 2_000_000):
        path.write_bytes(content)
        with pytest.raises(StoreDamagedError, match=r"oprf\.1"):
            KeyStore.open(folder, PASS).get("oprf.1")
    shutil.copyfile(folder / "oprf.2.key", path)
    with pytest.raises(StoreDamagedError):
        KeyStore.open(folder, PASS).get("oprf.1")
    path.write_bytes(original[:6] + b"\x07" + original[7:])
    with pytest.raises(StoreVersionError):
        KeyStore.open(folder, PASS).get("oprf.1")


def test_entry_of_another_store_is_refused(folder, tmp_path):
    other = KeyStore.create(tmp_path / "other", PASS, cost=CHEAP)
    other.add("oprf.1", b"o" * 32)
    shutil.copy(tmp_path / "other/oprf.1.key", folder / "oprf.1.key")
    with pytest.raises(StoreDamagedError):
        KeyStore.open(folder, PASS).get("oprf.1")


@pytest.mark.parametrize("name", [".", "store.json", "oprf.1.key"])
@pytest.mark.parametrize("mode", [0o010, 0o040, 0o004, 0o002])
def test_loose_permissions(folder, name, mode):
    path = folder / name
    path.chmod(path.stat().st_mode | mode)
    with pytest.raises(PermissionsError, match="open to other accounts"):
        KeyStore.open(folder, PASS).get("oprf.1")


def test_missing_store_and_missing_keys(folder, tmp_path):
    (tmp_path / "empty").mkdir(mode=0o700)
    for path in (tmp_path / "nowhere", tmp_path / "empty", folder / "store.json"):
        path.exists() and path.chmod(0o700)
        with pytest.raises(StoreMissingError):
            KeyStore.open(path, PASS)
    (folder / "store.json").chmod(0o600)
    store = KeyStore.open(folder, PASS)
    with pytest.raises(KeyMissingError):
        store.get("oprf.3")
    with pytest.raises(KeyMissingError) as caught:
        store.newest("salt")
    assert "heqiao join" in caught.value.hint


def test_nothing_is_written_over(folder, tmp_path):
    with pytest.raises(StoreExistsError):
        KeyStore.create(folder, PASS, cost=CHEAP)
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreExistsError):
        KeyStore.create(tmp_path / "file", PASS, cost=CHEAP)
    store = KeyStore.open(folder, PASS)
    with pytest.raises(KeyExistsError):
        store.add("oprf.1", b"other")
    assert store.get("oprf.1") == b"planted secret of epoch one....."
    assert not [path for path in folder.iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize(
    "name", ["", "oprf", "oprf.0", "oprf.01", "../x.1", "Oprf.1", "oprf.1.key", "oprf.1\n", "a/b.1"]
)
def test_names_are_purpose_and_epoch(folder, name):
    store = KeyStore.open(folder, PASS)
    for call in (lambda: store.add(name, b"x"), lambda: store.get(name)):
        with pytest.raises(ValueError, match="<purpose>"):
            call()


def test_stray_files_are_no_keys(folder):
    for name in (".oprf.7.key.abc.part", "oprf.key", "notes.txt", "oprf.x.key"):
        (folder / name).write_text("x")
    assert KeyStore.open(folder, PASS).newest("oprf")[0] == 2


def test_no_secret_is_shown(folder):
    store = KeyStore.open(folder, PASS)
    store.get("oprf.1")
    shown = repr(store) + str(store)
    assert "planted" not in shown
    assert "horse" not in shown
    with pytest.raises(TypeError):
        store.__reduce__()


def test_empty_secrets_and_passphrases_are_refused(tmp_path, folder):
    with pytest.raises(PassphraseError):
        KeyStore.create(tmp_path / "new", b"", cost=CHEAP)
    assert not (tmp_path / "new").exists()
    with pytest.raises(ValueError, match="empty"):
        KeyStore.open(folder, PASS).add("salt.1", b"")


def test_write_new_and_replace(tmp_path):
    path = tmp_path / "file"
    write_new(path, b"one")
    with pytest.raises(KeyExistsError):
        write_new(path, b"two")
    assert path.read_bytes() == b"one"
    replace(path, b"three")
    assert path.read_bytes() == b"three"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize(
    ("content", "passphrase"),
    [
        (b"word\n", b"word"),
        (b"word", b"word"),
        (b"word\r\n", b"word"),
        (b" a b \n\n", b" a b \n"),
        ("密码\n".encode(), "密码".encode()),
    ],
)
def test_read_passphrase(tmp_path, content, passphrase):
    path = tmp_path / "passphrase"
    write_new(path, content)
    assert read_passphrase(path) == passphrase


def test_passphrase_files_that_are_refused(tmp_path):
    empty, loose, long = tmp_path / "empty", tmp_path / "loose", tmp_path / "long"
    write_new(empty, b"\n")
    write_new(loose, b"geheim\n", 0o640)
    write_new(long, b"geheim" * 1000)
    os.mkfifo(tmp_path / "pipe", 0o600)
    for path, error in (
        (empty, PassphraseError),
        (long, PassphraseError),
        (loose, PermissionsError),
        (tmp_path / "pipe", PassphraseError),
        (tmp_path, PassphraseError),
        (tmp_path / "none", PassphraseError),
    ):
        with pytest.raises(error) as caught:
            read_passphrase(path)
        assert isinstance(caught.value, KeyringError)
        assert caught.value.hint
        assert "geheim" not in str(caught.value)
