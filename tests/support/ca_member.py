"""A certificate authority and its member, made by the commands, with key stores that open quickly."""

import json
import shutil

import pytest

from keys.pki.certificates import load_roots
from keys.pki.issuing import Authority
from keys.store.atomic_files import read_passphrase
from keys.store.header import by_passphrase
from keys.store.key_pairs import load_tls_key
from keys.store.key_store import KeyStore
from keys.store.wrap import KdfCost
from tests.support.cached import paillier_key
from tests.support.cli_runner import ok
from tests.support.killed_commands import copy
from tests.support.members import answer, join
from tests.support.once import made_once
from tests.support.single_node import number

CHEAP = KdfCost(iterations=1, lanes=1, memory_kib=8)


def ca(world, *arguments):
    return ("ca", arguments[0], "--dir", world / "ca", *arguments[1:])


def issue(world, code):
    (world / f"{code}.bundle").unlink(missing_ok=True)
    answer(world / "ca", world / code / "request.json", world / f"{code}.bundle")


def store_of(folder):
    return KeyStore.open(folder / "keys", read_passphrase(folder / "passphrase"))


def load_ca(world):
    """The only root of the CA, with its key."""
    (root,) = load_roots((world / "ca/ca.pem").read_bytes())
    return Authority(root, load_tls_key(store_of(world / "ca").get("ca.1")))


def make_member(base):
    ok("ca", "init", "--dir", base / "ca", "--federation", "test")
    for code in ("44", "45"):
        ok("init", "--home", base / code, "--code", code, "--name", code)
        issue(base, code)
        join(base / code, base / f"{code}.bundle", base / "ca")
    for folder in (base / "ca", base / "44"):
        secret = read_passphrase(folder / "passphrase")
        KeyStore.open(folder / "keys", secret).rewrap(by_passphrase(secret, CHEAP))
    ok(*ca(base, "revoke", "--code", "45", "--out", base / "revoked.pem"))
    ok("peers", "revocations", "--home", base / "44", base / "revoked.pem")
    shutil.rmtree(base / "45")


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """A CA that has revoked a certificate, and a member, with key stores that open quickly."""
    return made_once(tmp_path_factory, "ca-member", make_member)


REGISTER = f"id_no,name,record_no\n{number(1)},陈三,a\n"


@pytest.fixture(scope="session")
def base(made, tmp_path_factory):
    """The member has records and the next salt."""
    place = tmp_path_factory.mktemp("base") / "world"
    copy(made, place)
    (place / "r.csv").write_text(REGISTER, encoding="utf-8")
    ok("import", "--home", place / "44", "C21", place / "r.csv")
    take_salt(place)
    return place


@pytest.fixture(scope="session")
def drawn():
    return paillier_key("drawn")


def make_salt(world):
    made_ = json.loads(ok("ca", "salt", "--dir", world / "ca", "--out", world / "salts", "--json"))
    (name,) = made_["bundles"]
    (world / "salts" / name).rename(world / f"salt.{made_['salt_version']}")
    shutil.rmtree(world / "salts")
    return world / f"salt.{made_['salt_version']}"


def take_salt(world):
    ok("join", "--home", world / "44", make_salt(world))
