"""`heqiao keys` on a home made by the commands."""

import json
import shutil

import pytest
from test_cli_init import heqiao, ok

from keys.kinds import generate_secret
from node.config import load, open_key_store


@pytest.fixture(scope="module")
def member(tmp_path_factory):
    base = tmp_path_factory.mktemp("member")
    ok("ca", "init", "--dir", base / "ca", "--federation", "test")
    ok("init", "--home", base / "45", "--code", "45", "--name", "广西")
    ok("ca", "issue", "--dir", base / "ca", base / "45/request.json", "--out", base / "bundle")
    ok("join", "--home", base / "45", base / "bundle")
    return base


@pytest.fixture
def home(member, tmp_path):
    shutil.copytree(member / "45", tmp_path / "45")
    return tmp_path / "45"


def store_of(home):
    return open_key_store(load(home / "node.toml"))


def test_status_of_a_sound_home(home):
    found = json.loads(ok("keys", "status", "--home", home, "--json"))
    assert found["good"] is True
    assert found["problems"] == []
    assert [(key["purpose"], key["epoch"], key["state"]) for key in found["keys"]] == [
        (purpose, 1, "active") for purpose in ("enrol", "oprf", "salt", "signing", "storage", "tls")
    ]
    assert len({key["fingerprint"] for key in found["keys"]}) == 6
    table = ok("keys", "status", "--home", home)
    assert "certificate valid until" in table
    assert ok("keys", "verify", "--home", home).endswith("6 keys in " + str(home / "keys") + ", all sound\n")


def test_no_secret_is_printed(home):
    store = store_of(home)
    printed = ok("keys", "status", "--home", home, "--json") + ok("keys", "status", "--home", home)
    for name in store.names():
        assert store.get(name).hex()[:16] not in printed.replace("-", "")


def test_a_new_tls_key_is_pending_until_it_has_a_certificate(home):
    store_of(home).add("tls.2", generate_secret("tls"))
    store_of(home).add("signing.2", generate_secret("signing"))
    found = json.loads(ok("keys", "status", "--home", home, "--json"))
    states = {f"{key['purpose']}.{key['epoch']}": key["state"] for key in found["keys"]}
    assert (states["tls.1"], states["tls.2"]) == ("active", "pending")
    assert (states["signing.1"], states["signing.2"]) == ("grace", "active")


def test_faults_are_all_told(home):
    (home / "keys/oprf.1.key").write_bytes(b"rubbish")
    (home / "keys/salt.1.key").chmod(0o644)
    shutil.copy(home / "tls/ca.pem", home / "tls/node.pem")
    code, out, _ = heqiao("keys", "verify", "--home", home, "--json")
    told = json.loads(out)
    assert (code, told["good"]) == (1, False)
    text = "\n".join(told["problems"])
    for words in ("oprf.1: not a sealed key", "salt.1.key: open to other accounts", "for another key"):
        assert words in text
    assert heqiao("keys", "status", "--home", home)[0] == 1


def test_a_home_that_has_not_joined(home):
    shutil.rmtree(home / "tls")
    code, out, _ = heqiao("keys", "verify", "--home", home)
    assert (code, out) == (1, "no certificate yet: this home has not joined a federation\n")


@pytest.mark.parametrize("command", ["status", "verify"])
def test_wrong_passphrase_and_newer_store(home, command):
    (home / "passphrase").write_text("geheim\n")
    code, _, err = heqiao("keys", command, "--home", home)
    assert code == 1
    assert "the passphrase does not open this key store" in err
    assert "geheim" not in err
    header = home / "keys/store.json"
    header.write_text(header.read_text().replace('"version": 1', '"version": 9'))
    code, _, err = heqiao("keys", command, "--home", home)
    assert code == 1
    assert "key store of version 9" in err
