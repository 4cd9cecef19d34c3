"""A home backed up and restored by the commands."""

import json
import shutil

import pytest

from node.config import load, open_key_store
from tests.support.cli_runner import heqiao, ok
from tests.support.federation import set_config
from tests.support.members import make_member


@pytest.fixture(scope="module")
def member(tmp_path_factory):
    base = tmp_path_factory.mktemp("member")
    ok("ca", "init", "--dir", base / "ca", "--federation", "test")
    make_member(base, "45")
    ok("keys", "recipient", "--dir", base / "officer", "--name", "安全员")
    ok("keys", "backup", "--home", base / "45", "--out", base / "45.backup", "--split", "2/3",
       "--recipient", base / "officer/recipient.json", "--shares-dir", base / "shares")  # fmt: skip
    return base


@pytest.mark.parametrize("way", ["recipient", "shares"])
def test_a_lost_home_is_restored(member, tmp_path, way):
    how = {
        "recipient": ("--recipient-dir", member / "officer"),
        "shares": ("--share", member / "shares/share-03.txt", "--share", member / "shares/share-01.txt"),
    }[way]
    printed = json.loads(
        ok("keys", "restore", member / "45.backup", "--home", tmp_path / "45", *how, "--json")
    )
    old, new = (open_key_store(load(home / "node.toml")) for home in (member / "45", tmp_path / "45"))
    assert {name: new.get(name) for name in new.names()} == {name: old.get(name) for name in old.names()}
    assert printed["keys"] == old.names()
    for name in ("node.toml", "tls/node.pem", "tls/ca.pem"):
        assert (tmp_path / "45" / name).read_bytes() == (member / "45" / name).read_bytes()
    assert (tmp_path / "45/passphrase").read_bytes() != (member / "45/passphrase").read_bytes()
    assert "all sound" in ok("keys", "verify", "--home", tmp_path / "45")
    ages = [int(store.path_of("oprf.1").stat().st_mtime) for store in (old, new)]
    assert ages[0] == ages[1]


def test_shares_are_private_and_nothing_secret_is_said(member, tmp_path):
    said = ok("keys", "backup", "--home", member / "45", "--out", tmp_path / "b", "--split", "2/2",
              "--shares-dir", tmp_path / "shares")  # fmt: skip
    found = sorted((tmp_path / "shares").iterdir())
    assert [path.name for path in found] == ["share-01.txt", "share-02.txt"]
    assert {path.stat().st_mode & 0o777 for path in found} == {0o600}
    words = found[0].read_text().splitlines()[1]
    assert len(words.split()) == 33
    assert words not in said
    assert "key_store_backed_up" in ok("audit", "list", "--home", member / "45")


def test_holders_named_in_the_configuration_restore_together(tmp_path):
    ok("ca", "init", "--dir", tmp_path / "ca", "--federation", "test")
    make_member(tmp_path, "45")
    home, made = tmp_path / "45", tmp_path / "45.backup"
    backup = ("keys", "backup", "--home", home, "--out", made)
    assert heqiao(*backup)[0] == 2  # nobody is named yet
    for name in ("li", "wu", "qin"):
        ok("keys", "recipient", "--dir", tmp_path / name, "--name", name)
    named = [str(tmp_path / name / "recipient.json") for name in ("li", "wu", "qin")]
    set_config(home, "backups", holders=named)
    printed = json.loads(ok(*backup, "--json"))
    assert (printed["holders"], printed["shares"]) == (["li", "wu", "qin"], [])
    files = []
    for name in ("wu", "qin"):
        files += ["--share", tmp_path / f"{name}.txt"]
        said = ok("keys", "share", made, "--recipient-dir", tmp_path / name, "--out", files[-1])
        head, words = files[-1].read_text().splitlines()
        assert (len(words.split()), "2 are needed" in head) == (33, True)
        assert words not in said
        assert files[-1].stat().st_mode & 0o777 == 0o600
    code, _, err = heqiao("keys", "restore", made, "--home", tmp_path / "new", *files[:2])
    assert (code, "2 are needed" in err) == (1, True)
    ok("keys", "restore", made, "--home", tmp_path / "new", *files)
    old, new = (open_key_store(load(one / "node.toml")) for one in (home, tmp_path / "new"))
    assert {name: new.get(name) for name in new.names()} == {name: old.get(name) for name in old.names()}


def test_restore_refuses(member, tmp_path):
    officer = ("--recipient-dir", member / "officer")
    (tmp_path / "there").mkdir()
    ok("keys", "recipient", "--dir", tmp_path / "other", "--name", "x")
    shutil.copy(member / "45.backup", tmp_path / "cut")
    (tmp_path / "cut").write_bytes((tmp_path / "cut").read_bytes()[:500])
    (tmp_path / "wrong").write_text("geheim\n")
    (tmp_path / "wrong").chmod(0o600)
    new = tmp_path / "new"
    cases = (
        ((member / "45.backup", "--home", tmp_path / "there", *officer), "exists already"),
        ((tmp_path / "cut", "--home", new, *officer), "not JSON"),
        ((tmp_path / "none", "--home", new, *officer), "No such file"),
        ((member / "45.backup", "--home", new, "--recipient-dir", tmp_path / "other"), "not sealed to this"),
        ((member / "45.backup", "--home", new, *officer, "--fingerprint", "00" * 16), "another fingerprint"),
        ((member / "45.backup", "--home", new, "--share", member / "shares/share-01.txt"), "2 are needed"),
        ((member / "45.backup", "--home", new, "--share", member / "45/node.toml"), "open to other accounts"),
        ((member / "45.backup", "--home", new, *officer, "--recipient-passphrase-file", tmp_path / "wrong"),
         "does not open"),
    )  # fmt: skip
    for arguments, text in cases:
        code, _, err = heqiao("keys", "restore", *arguments)
        assert (code, text in err) == (1, True), (text, err)
        assert "geheim" not in err
        assert not new.exists()
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]
    assert heqiao("keys", "restore", member / "45.backup", "--home", new)[0] == 2


def test_backup_refuses(member, tmp_path):
    card_file = member / "officer/recipient.json"
    for options, code in (
        (("--out", tmp_path / "b"), 2),
        (("--out", tmp_path / "b", "--split", "2/3"), 2),
        (("--out", tmp_path / "b", "--split", "3/2", "--shares-dir", tmp_path / "s"), 2),
        (("--out", member / "45.backup", "--recipient", card_file), 1),
        (("--out", member / "45.backup", "--split", "2/3", "--shares-dir", tmp_path / "s"), 1),
        (("--out", tmp_path / "b", "--recipient", member / "45/node.toml"), 1),
        (("--out", tmp_path / "no/b", "--recipient", card_file), 1),
    ):
        assert heqiao("keys", "backup", "--home", member / "45", *options)[0] == code
    assert list(tmp_path.iterdir()) == []
