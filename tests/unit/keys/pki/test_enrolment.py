import base64
import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from keys.errors import CertificateError, EnrolmentError, KeyMissingError
from keys.pki.certificates import identity_of, tls_key_for
from keys.pki.enrolment import (
    Bundle,
    EnrolmentRequest,
    NodeCard,
    accept_bundle,
    ca_fingerprint,
    issue_bundle,
    load_card,
    load_request,
    make_card,
    make_request,
)
from keys.pki.issuing import create_ca, create_request, issue
from keys.store.key_pairs import generate_tls_key, load_tls_key
from keys.store.key_store import KeyStore
from keys.store.kinds import NODE_KEYS, generate_secret
from keys.store.wrap import KdfCost

CHEAP = KdfCost(iterations=1, lanes=1, memory_kib=8)
NOW = datetime.now(UTC).replace(microsecond=0)
CA = create_ca("zhongguo", NOW)
OTHER_CA = create_ca("zhongguo", NOW)
SALT = b"planted salt of the federation.."


def make_store(folder):
    store = KeyStore.create(folder, b"passphrase", cost=CHEAP)
    for purpose in NODE_KEYS:
        store.add(f"{purpose}.1", generate_secret(purpose))
    return store


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The files of a store, copied for each test: its Paillier key takes half a second to make."""
    folder = tmp_path_factory.mktemp("made") / "keys"
    make_store(folder)
    return folder


@pytest.fixture
def store(made, tmp_path):
    return KeyStore.open(Path(shutil.copytree(made, tmp_path / "keys")), b"passphrase")


@pytest.fixture
def request_(store):
    return make_request(store, "node", "45", "广西", ["127.0.0.1", "127.0.0.1"])


@pytest.fixture
def bundle(request_):
    return issue_bundle(CA, request_, SALT, 3, NOW)


def accept(store, bundle, now=NOW, role="node", code="45", name="广西"):
    return accept_bundle(store, bundle, role, code, name, now)


def resign(bundle, ca=CA, **fields):
    """A bundle with other content, signed by its CA."""
    changed = bundle.model_copy(update=fields)
    return changed.model_copy(
        update={"signature": ca.key.sign(changed.signed_part(b"heqiao v1 bundle"), ec.ECDSA(hashes.SHA256()))}
    )


def test_a_node_joins(tmp_path, store, request_, bundle):
    (tmp_path / "request.json").write_bytes(request_.to_json())
    (tmp_path / "bundle.json").write_bytes(bundle.to_json())
    assert load_request(tmp_path / "request.json") == request_
    member = accept(store, Bundle.load(tmp_path / "bundle.json"))
    assert (member.identity.role, member.identity.code, member.identity.federation) == (
        "node",
        "45",
        "zhongguo",
    )
    assert store.newest("salt") == (3, SALT)
    assert tls_key_for(store, member.certificate) == store.get("tls.1")
    assert member.ca_fingerprint == ca_fingerprint(CA.pem)
    assert b"heqiao://zhongguo/node/45" in base64.b64decode("".join(bundle.certificate.splitlines()[1:-1]))


def test_a_platform_joins(tmp_path):
    store = make_store(tmp_path / "platform")
    request = make_request(store, "platform", "45", "广西核对", [])
    bundle = issue_bundle(CA, request, SALT, 1, NOW)
    member = accept(store, bundle, role="platform", name="广西核对")
    assert (member.identity.role, member.identity.name) == ("platform", "广西核对")
    for role, code, name in (
        ("platform", "45", "other"),
        ("node", "45", "广西核对"),
        ("platform", "44", "广西核对"),
    ):
        with pytest.raises(EnrolmentError, match="bundle is for platform 45"):
            accept(store, bundle, role=role, code=code, name=name)


def test_joining_again_changes_nothing_and_renewal_keeps_the_salt(store, request_, bundle):
    accept(store, bundle)
    accept(store, bundle)
    later = NOW + timedelta(days=300)
    renewed = accept(store, issue_bundle(CA, request_, SALT, 3, later), now=later)
    assert renewed.identity.not_after == later + timedelta(days=397)
    assert store.epochs("salt") == [3]


def test_a_salt_is_never_exchanged_under_its_version(store, request_, bundle):
    accept(store, bundle)
    with pytest.raises(EnrolmentError, match="differs from this home's salt of the same version 3") as caught:
        accept(store, issue_bundle(CA, request_, b"another planted salt............", 3, NOW))
    assert "planted" not in str(caught.value)
    assert store.newest("salt") == (3, SALT)


def test_bundle_of_another_node(tmp_path, store, bundle):
    other = make_store(tmp_path / "other")
    with pytest.raises(EnrolmentError, match="bundle is for node 45, this home is node 44"):
        accept(other, bundle, code="44")
    with pytest.raises(CertificateError, match="another key"):
        accept(other, bundle)
    with pytest.raises(KeyMissingError):
        other.newest("salt")


def test_salt_sealed_to_another_node(tmp_path, store, request_, bundle):
    other = make_request(make_store(tmp_path / "other"), "node", "45", "广西", [])
    swapped = resign(bundle, sealed_salt=issue_bundle(CA, other, SALT, 3, NOW).sealed_salt)
    with pytest.raises(EnrolmentError, match="does not open"):
        accept(store, swapped)


@pytest.mark.parametrize(
    "change",
    [
        lambda b: {"salt_version": 4},
        lambda b: {"sealed_salt": b.sealed_salt[:-1] + bytes([b.sealed_salt[-1] ^ 1])},
        lambda b: {"sealed_salt": b""},
        lambda b: {"code": "44"},
        lambda b: {"role": "platform"},
        lambda b: {"federation": "other"},
        lambda b: {"ca": OTHER_CA.pem.decode()},
        lambda b: {"certificate": b.ca},
        lambda b: {"certificate": b.certificate.replace("A", "B", 1)},
        lambda b: {"signature": b""},
    ],
    ids=[
        "salt-version",
        "salt",
        "no-salt",
        "code",
        "role",
        "federation",
        "ca",
        "certificate",
        "bytes",
        "unsigned",
    ],
)
def test_altered_bundles_are_refused(store, bundle, change):
    with pytest.raises(EnrolmentError, match="not signed by its CA"):
        accept(store, bundle.model_copy(update=change(bundle)))
    assert store.epochs("salt") == []


@pytest.mark.parametrize(
    "change",
    [
        lambda b: {"salt_version": 4},
        lambda b: {"sealed_salt": b.sealed_salt[:-1] + bytes([b.sealed_salt[-1] ^ 1])},
        lambda b: {"sealed_salt": b""},
        lambda b: {"code": "44"},
        lambda b: {"federation": "other"},
        lambda b: {"certificate": b.ca},
        lambda b: {"certificate": "x"},
        lambda b: {"certificate": issue(OTHER_CA, stranger(), "node", "45", NOW).decode()},
        lambda b: {"certificate": issue(CA, stranger(), "node", "45", NOW).decode()},
        lambda b: {"certificate": issue(CA, stranger(), "node", "44", NOW).decode()},
    ],
    ids=[
        "version",
        "salt",
        "no-salt",
        "code",
        "federation",
        "ca-as-leaf",
        "junk",
        "foreign",
        "other-key",
        "other-node",
    ],
)
def test_wrong_bundles_are_refused_even_if_signed(store, bundle, change):
    with pytest.raises((EnrolmentError, CertificateError)):
        accept(store, resign(bundle, **change(bundle)))
    assert store.epochs("salt") == []


def stranger():
    return create_request(load_tls_key(generate_tls_key()))


@pytest.mark.parametrize("days", [-1, 398, 5000])
def test_expired_or_early_bundles_are_refused(store, bundle, days):
    with pytest.raises(CertificateError, match="not now"):
        accept(store, bundle, now=NOW + timedelta(days=days))
    assert store.epochs("salt") == []


def test_a_short_salt_is_refused(store, request_):
    with pytest.raises(EnrolmentError, match="does not open"):
        accept(store, issue_bundle(CA, request_, b"short", 1, NOW))


@pytest.mark.parametrize(
    "fields",
    [
        {"code": "44"},
        {"name": "广东"},
        {"hosts": ("evil.example.cn",)},
        {"hpke_key": bytes(range(32))},
        {"signing_key": bytes(range(32))},
        {"csr": "x"},
        {"signature": bytes(64)},
    ],
    ids=lambda fields: next(iter(fields)),
)
def test_altered_requests_are_refused(tmp_path, request_, fields):
    changed = request_.model_copy(update=fields)
    assert changed.fingerprint() != request_.fingerprint()
    (tmp_path / "request.json").write_bytes(changed.to_json())
    with pytest.raises(EnrolmentError, match="signature does not fit"):
        load_request(tmp_path / "request.json")
    with pytest.raises(EnrolmentError, match="signature does not fit"):
        issue_bundle(CA, changed, SALT, 1, NOW)


def test_a_low_order_hpke_key_is_refused(store, request_):
    from keys.store.key_pairs import signing_key

    bad = request_.model_copy(update={"hpke_key": bytes(32)})
    signature = signing_key(store).sign(bad.signed_part(b"heqiao v1 enrolment request"))
    with pytest.raises(EnrolmentError, match="HPKE key is not usable"):
        issue_bundle(CA, bad.model_copy(update={"signature": signature}), SALT, 1, NOW)


MALFORMED = {
    "no-json": lambda d: b"{",
    "not-an-object": lambda d: b"[1]",
    "deep": lambda d: b"[" * 100_000,
    "binary": lambda d: b"\xff\x00",
    "empty": lambda d: b"",
    "newer": lambda d: json.dumps(d | {"version": 2, "new": 1}).encode(),
    "no-version": lambda d: json.dumps(d | {"version": "1"}).encode(),
    "unknown-field": lambda d: json.dumps(d | {"geheim": 1}).encode(),
    "missing-field": lambda d: json.dumps({k: v for k, v in d.items() if k != "code"}).encode(),
    "bad-code": lambda d: json.dumps(d | {"code": "47"}).encode(),
    "number-for-text": lambda d: json.dumps(d | {"code": 45}).encode(),
    "control-in-name": lambda d: json.dumps(d | {"name": "geheim\n"}).encode(),
    "short-key": lambda d: json.dumps(d | {"signing_key": "AAAA"}).encode(),
    "loose-base64": lambda d: json.dumps(d | {"signing_key": "=" + d["signing_key"]}).encode(),
    "base64-with-spare-bits": lambda d: json.dumps(d | {"signing_key": "A" * 42 + "B="}).encode(),
}


@pytest.mark.parametrize("make", MALFORMED.values(), ids=MALFORMED)
@pytest.mark.parametrize("model", [EnrolmentRequest, NodeCard])
def test_malformed_documents(tmp_path, store, request_, model, make):
    good = request_ if model is EnrolmentRequest else make_card(store, "45", "广西", "10.45.0.1:7443")
    path = tmp_path / "document.json"
    path.write_bytes(make(json.loads(good.to_json())))
    with pytest.raises(EnrolmentError) as caught:
        model.load(path)
    assert str(path) in str(caught.value)
    assert caught.value.hint
    assert "geheim\n" not in str(caught.value)


def test_missing_and_oversized_files(tmp_path):
    (tmp_path / "big").write_bytes(b" " * 1_048_577)
    for path in (tmp_path / "none", tmp_path, tmp_path / "big"):
        with pytest.raises(EnrolmentError, match=str(path)):
            load_card(path)


def test_card(tmp_path, store):
    card = make_card(store, "45", "广西", "10.45.0.1:7443")
    path = tmp_path / "card.json"
    path.write_text(json.dumps(dict(reversed(json.loads(card.to_json()).items()))))  # order does not matter
    assert load_card(path) == card
    assert card.suites == ("X25519-BLAKE3-TAI",)
    for fields in (
        {"address": "10.44.0.1:7443"},
        {"name": "广东"},
        {"suites": ["NONE"]},
        {"signing_key": "A" * 43 + "="},
    ):
        path.write_text(json.dumps(json.loads(card.to_json()) | fields))
        with pytest.raises(EnrolmentError, match="signature does not fit"):
            load_card(path)
    with pytest.raises(ValueError, match="cannot call"):
        make_card(store, "45", "广西", "0.0.0.0:7443")


def test_no_secret_in_what_is_written_or_shown(store, request_, bundle):
    member = accept(store, bundle)
    card = make_card(store, "45", "广西", "10.45.0.1:7443")
    shown = "".join(f"{x!r}{x}" for x in (request_, bundle, member, card, store, CA))
    written = request_.to_json() + bundle.to_json() + card.to_json()
    for secret in (SALT, *(store.get(name) for name in store.names())):
        for form in (secret, base64.b64encode(secret), secret.hex().encode()):
            assert form not in written
            assert form.decode("latin-1") not in shown
        assert repr(secret)[2:-1] not in shown
    assert identity_of(member.certificate) == member.identity
