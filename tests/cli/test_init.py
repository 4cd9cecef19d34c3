import json
import subprocess
import sys

import pytest

from keys.pki.certificates import identity_of
from keys.pki.enrolment import load_card, load_request
from keys.store.atomic_files import read_passphrase, write_new
from keys.store.key_store import KeyStore
from node.config import load, open_key_store
from tests.support.cli_runner import heqiao, ok
from tests.support.members import answer, join


@pytest.fixture(scope="module")
def federation(tmp_path_factory):
    """A CA and a member node 45, made by the commands."""
    base = tmp_path_factory.mktemp("federation")
    made = ok(
        "init", "--home", base / "h45", "--code", "45", "--name", "广西", "--host", "node.gx.example.cn"
    )
    ca = ok("ca", "init", "--dir", base / "ca", "--federation", "zhongguo", "--json")
    issued = answer(base / "ca", base / "h45/request.json", base / "bundle.json")
    joined = join(base / "h45", base / "bundle.json", base / "ca", "--json")
    (base / "said").write_text("\n".join((made, ca, issued, joined)))
    return base


def test_what_init_makes(federation):
    home = federation / "h45"
    assert sorted(path.name for path in home.iterdir()) == [
        "heqiao.db",
        "keys",
        "node.toml",
        "passphrase",
        "request.json",
        "tls",
    ]
    assert home.stat().st_mode & 0o777 == 0o700
    assert (home / "passphrase").stat().st_mode & 0o777 == 0o600
    config = load(home / "node.toml")
    assert open_key_store(config).names() == [
        "enrol.1",
        "oprf.1",
        "paillier.1",
        "record.1",
        "salt.1",
        "signing.1",
        "storage.1",
        "sum.1",
        "sumcheck.1",
        "tls.1",
    ]
    assert load_request(home / "request.json").hosts == ("node.gx.example.cn", "127.0.0.1")


def test_what_the_commands_say(federation):
    said = (federation / "said").read_text()
    made, rest = said.split("\n{", 1)
    assert load_request(federation / "h45/request.json").fingerprint() in made
    assert "in production move the file to another medium" in made
    assert "zhongguo" in rest
    assert "hosts: node.gx.example.cn, 127.0.0.1" in rest
    ca, joined = (json.loads(line) for line in said.splitlines() if line.startswith("{"))
    assert joined["ca_fingerprint"] == ca["ca_fingerprint"]
    assert (joined["code"], joined["salt_version"]) == ("45", 1)


def test_no_secret_outside_the_sealed_files(federation):
    home = federation / "h45"
    store = open_key_store(load(home / "node.toml"))
    ca = KeyStore.open(federation / "ca/keys", read_passphrase(federation / "ca/passphrase"))
    assert store.get("salt.1") == ca.get("salt.1")
    secrets = [read_passphrase(home / "passphrase"), read_passphrase(federation / "ca/passphrase")]
    secrets += [one.get(name) for one in (store, ca) for name in one.names()]
    for path in federation.rglob("*"):
        if path.is_file() and path.name != "passphrase":
            content = path.read_bytes()
            assert not [
                secret for secret in secrets if secret in content or secret.hex().encode() in content
            ], path


def test_certificate_is_in_place(federation):
    home = federation / "h45"
    identity = identity_of((home / "tls/node.pem").read_bytes())
    assert (identity.role, identity.code) == ("node", "45")
    assert (home / "tls/ca.pem").read_bytes() == (federation / "ca/ca.pem").read_bytes()
    assert (federation / "ca/issued" / f"{identity.fingerprint}.pem").read_bytes() == (
        home / "tls/node.pem"
    ).read_bytes()


def test_a_node_notes_on_its_audit_chain_that_it_joined(federation):
    (noted,) = ok("audit", "list", "--home", federation / "h45").splitlines()
    event = json.loads(noted)
    identity = identity_of((federation / "h45/tls/node.pem").read_bytes())
    assert event["event"] == "certificate_taken"
    assert event["details"] == {"until": identity.not_after.isoformat(), "salt_version": 1}


def test_card(federation, tmp_path):
    home = federation / "h45"
    out = ok("card", home=home)
    (tmp_path / "card.json").write_text(out)
    card = load_card(tmp_path / "card.json")
    assert (card.code, card.name, card.address) == ("45", "广西", "127.0.0.1:7443")
    result = json.loads(ok("card", "--home", home, "--out", tmp_path / "out.json", "--json"))
    assert load_card(tmp_path / "out.json") == card
    assert result["fingerprint"] == card.fingerprint()
    code, _, err = heqiao("card", "--home", home, "--out", tmp_path / "none/card.json")
    assert (code, "no such folder" in err) == (1, True)


def test_client_certificate_for_a_stock_client(federation, tmp_path):
    out = tmp_path / "client"
    arguments = (
        "ca",
        "issue",
        "--dir",
        federation / "ca",
        "--client-cert",
        "lab",
        "--code",
        "45",
        "--out",
        out,
    )
    assert "unencrypted" in ok(*arguments)
    assert (out / "client.key").stat().st_mode & 0o777 == 0o600
    assert identity_of((out / "client.pem").read_bytes()).name == "lab"
    checked = subprocess.run(
        ["openssl", "verify", "-purpose", "sslclient", "-CAfile", out / "ca.pem", out / "client.pem"],
        check=False,
    )
    assert checked.returncode == 0
    code, _, err = heqiao(*arguments, "--second")
    assert (code, "exists already" in err) == (1, True)


def test_platform_home_with_a_passphrase_of_its_own(federation, tmp_path):
    write_new(tmp_path / "word", b"a passphrase of ours\n")
    home = tmp_path / "p45"
    arguments = ("init", "--home", home, "--code", "45", "--name", "广西核对", "--role", "platform")
    result = json.loads(ok(*arguments, "--passphrase-file", tmp_path / "word", "--json"))
    assert result["passphrase_made"] is False
    assert not (home / "passphrase").exists()
    config = load(home / "node.toml")
    assert config.keys.passphrase_file == tmp_path / "word"
    assert "oprf.1" not in open_key_store(config).names()
    answer(federation / "ca", home / "request.json", tmp_path / "b.json")
    join(home, tmp_path / "b.json", federation / "ca")
    assert identity_of((home / "tls/node.pem").read_bytes()).name == "广西核对"
    code, _, err = heqiao("card", "--home", home)
    assert (code, "a platform has no card" in err) == (1, True)


def test_another_ca_is_refused_by_a_member(federation, tmp_path):
    ok("ca", "init", "--dir", tmp_path / "ca2", "--federation", "zhongguo")
    answer(tmp_path / "ca2", federation / "h45/request.json", tmp_path / "b.json")
    before = (federation / "h45/tls/node.pem").read_bytes()
    code, _, err = heqiao("join", "--home", federation / "h45", tmp_path / "b.json")
    assert (code, "trusts another federation CA" in err) == (1, True)
    assert (federation / "h45/tls/node.pem").read_bytes() == before


GOOD = ("--code", "45", "--name", "x")
CLIENT = ("--client-cert", "x", "--code", "45")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("init", "--code", "47", "--name", "x"), 2, "two digits of GB/T 2260"),
        (("init", "--code", "45"), 2, "Missing option '--name'"),
        (("init", *GOOD, "--role", "boss"), 2, "'boss' is not one of"),
        (("init", *GOOD, "--host", "*.cn"), 2, "without wildcard"),
        (("init", *GOOD, "--host", "44.node.heqiao"), 2, "granted by code only"),
        (("init", *GOOD, "--peer-listen", "7443"), 2, "host:port"),
        (("init", *GOOD, "--advertise", "0.0.0.0:1"), 2, "cannot call"),
        (("init", *GOOD, "--passphrase-file", "none"), 1, "no such passphrase file"),
        (("ca", "init", "--dir", "ca", "--federation", "A b"), 2, "federation's name"),
        (("ca", "issue", "--dir", "ca", "--out", "b"), 2, "give either REQUEST"),
        (("ca", "issue", "--dir", "ca", "--out", "b", "--client-cert", "x"), 2, "give either REQUEST"),
        (("ca", "issue", "--dir", "ca", "--out", "b", "r", "--days", "0"), 2, "not in the range"),
        (("ca", "issue", "--dir", "ca", "--out", "b", "r"), 1, "r: No such file"),
        (("ca", "issue", "--dir", "ca", "--out", "b", *CLIENT), 1, "no CA here"),
        (("ca", "issue", "--dir", "ca", "--out", "b", *CLIENT, "--fingerprint", "0"), 2, "of a REQUEST"),
        (("join", "b.json"), 1, "no configuration here"),
        (("card",), 1, "no configuration here"),
    ],
    ids=lambda value: "-".join(map(str, value))[:40] if isinstance(value, tuple) else None,
)
def test_wrong_usage_and_failures(tmp_path, monkeypatch, arguments, code, message):
    monkeypatch.chdir(tmp_path)
    got, _, err = heqiao(*arguments, home=tmp_path / "home")
    assert got == code, err
    assert message in " ".join(err.split())
    assert not list(tmp_path.iterdir())  # nothing, and nothing half written


def test_init_keeps_what_is_there(tmp_path):
    (tmp_path / "home").mkdir()
    for home, message in ((tmp_path / "home", "exists already"), (tmp_path / "no/home", "no such folder")):
        code, _, err = heqiao("init", "--home", home, *GOOD)
        assert (code, message in err) == (1, True)
    assert [path.name for path in tmp_path.iterdir()] == ["home"]
    assert not list((tmp_path / "home").iterdir())


def test_as_a_process(tmp_path):
    command = [
        sys.executable,
        "-c",
        "from node.cli import main; main()",
        "init",
        "--home",
        tmp_path / "home",
        *GOOD,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "node 45 x: home made" in done.stdout
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("heqiao: error: ")
    assert "heqiao: hint: nothing was changed" in done.stderr
