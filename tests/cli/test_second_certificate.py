"""A name has one key, unless the CA's administrator wants a second one (attack A1)."""

import json
import shutil
from datetime import UTC, datetime, timedelta

import pytest

from keys.pki.certificates import identity_of
from keys.pki.enrolment import is_same_holder, load_request
from node.errors import PreconditionError
from node.federation.authority_folder import require_same_holder
from testbed.fingerprints import of_request
from tests.support.cli_runner import fails, ok
from tests.support.members import answer, join, make_member


@pytest.fixture(scope="module")
def member(tmp_path_factory):
    """A CA, its member 45, and a home of somebody else that calls itself 45."""
    base = tmp_path_factory.mktemp("member")
    ok("ca", "init", "--dir", base / "ca", "--federation", "test")
    make_member(base, "45")
    ok("init", "--home", base / "impostor", "--code", "45", "--name", "45")
    return base


@pytest.fixture
def world(member, tmp_path):
    shutil.copytree(member, tmp_path / "world")
    return tmp_path / "world"


def refused(world, request, *more):
    """Nothing is written, neither for the sender nor in the CA's records."""
    before = sorted(path.name for path in (world / "ca/issued").iterdir())
    out = world / "refused.bundle"
    error = fails("ca", "issue", "--dir", world / "ca", request, *of_request(request), "--out", out, *more)
    assert not out.exists()
    assert sorted(path.name for path in (world / "ca/issued").iterdir()) == before
    return error


def test_an_impostor_gets_no_second_certificate(world):
    own = identity_of((world / "45/tls/node.pem").read_bytes())
    error = refused(world, world / "impostor/request.json")
    assert f"node 45 has a certificate of another key: {own.fingerprint[:16]} until" in error
    assert f"heqiao ca revoke {own.fingerprint[:16]}" in error
    assert "--second" in error


def test_a_second_one_on_purpose(world):
    bundle = world / "second.bundle"
    answer(world / "ca", world / "impostor/request.json", bundle, "--second")
    join(world / "impostor", bundle, world / "ca")
    for home in ("45", "impostor"):  # both hold the name now, and both renew
        answer(world / "ca", world / home / "request.json", world / f"{home}.again")


def test_the_same_key_is_renewed(world):
    answer(world / "ca", world / "45/request.json", world / "again.bundle")
    ok("join", "--home", world / "45", world / "again.bundle")


def test_a_rotated_key_is_vouched_for_by_the_one_before(world):
    for epoch in (2, 3):
        made = json.loads(ok("keys", "rotate", "tls", "--home", world / "45", "--json"))
        assert made["epoch"] == epoch
        answer(world / "ca", world / "45/request.json", world / f"{epoch}.bundle")
        ok("join", "--home", world / "45", world / f"{epoch}.bundle")
    assert "has a certificate of another key" in refused(world, world / "impostor/request.json")


def test_a_borrowed_voucher_is_none(world):
    """The signature of the key in use is over one request: in another one it is worth nothing."""
    ok("keys", "rotate", "tls", "--home", world / "45")
    certificate = (world / "45/tls/node.pem").read_bytes()
    genuine = load_request(world / "45/request.json")
    assert is_same_holder(genuine, certificate)
    other = load_request(world / "impostor/request.json")
    for changed in (
        other.model_copy(update={"continues": genuine.continues}),
        genuine.model_copy(update={"csr": other.csr}),
        genuine.model_copy(update={"hosts": ("192.0.2.1",)}),
        genuine.model_copy(update={"hpke_key": other.hpke_key}),
        genuine.model_copy(update={"continues": b""}),
        genuine.model_copy(update={"continues": genuine.continues[:-1]}),
    ):
        assert not is_same_holder(changed, certificate)


def test_after_a_revocation_another_key_is_taken(world):
    own = identity_of((world / "45/tls/node.pem").read_bytes())
    ok("ca", "revoke", "--dir", world / "ca", own.fingerprint[:16].upper(), "--out", world / "list")
    answer(world / "ca", world / "impostor/request.json", world / "new.bundle")


def test_an_expired_certificate_holds_no_name(world):
    root = (world / "ca/ca.pem").read_bytes()
    who, now = ("node", "45", ""), datetime.now(UTC)
    with pytest.raises(PreconditionError, match="another key"):
        require_same_holder(world / "ca", root, now + timedelta(days=390), who, lambda _: False)
    require_same_holder(world / "ca", root, now + timedelta(days=400), who, lambda _: False)


def test_platforms_are_told_apart_by_name(world):
    client = ("ca", "issue", "--dir", world / "ca", "--code", "45", "--client-cert")
    ok(*client, "民政", "--out", world / "one")
    ok(*client, "医保", "--out", world / "two")
    assert "platform 45 民政 has a certificate of another key" in fails(*client, "民政", "--out", world / "3")
    assert not (world / "3").exists()
    ok("init", "--home", world / "p", "--role", "platform", "--code", "45", "--name", "民政")
    assert "platform 45 民政" in refused(world, world / "p/request.json")
    ok(*client, "民政", "--out", world / "3", "--second")
