import ipaddress
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from keys.errors import CertificateError
from keys.pki.certificates import identity_of, load_ca_certificate, verify_chain
from keys.pki.issuing import create_ca, create_request, issue, load_ca
from keys.pki.names import PROVINCE_CODES, check_address, check_host, identity_uri, split_address, target_name
from keys.store.key_pairs import generate_tls_key, load_tls_key

NOW = datetime.now(UTC).replace(microsecond=0)
CA = create_ca("zhongguo", NOW)
FOREIGN = create_ca("zhongguo", NOW)
KEY = generate_tls_key()
CSR = create_request(load_tls_key(KEY))
NODE = issue(CA, CSR, "node", "45", NOW, hosts=["localhost", "127.0.0.1", "::1"])
PLATFORM = issue(CA, CSR, "platform", "45", NOW, name="广西 核对/1")


def test_identity():
    identity = identity_of(NODE)
    assert (identity.federation, identity.role, identity.code, identity.name) == (
        "zhongguo",
        "node",
        "45",
        "",
    )
    assert identity.not_after == NOW + timedelta(days=397)
    assert identity_of(PLATFORM).name == "广西 核对/1"
    assert identity_of(PLATFORM).role == "platform"


def make(uris, *, key=None, others=(), ca=CA):
    """A certificate of the CA with these URIs, made without the code under test."""
    public_key = load_tls_key(KEY).public_key()
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(ca.certificate.subject)
        .public_key(public_key)
        .serial_number(7)
        .not_valid_before(NOW)
        .not_valid_after(NOW + timedelta(days=1))
    )
    names = [*map(x509.UniformResourceIdentifier, uris), *others]
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(key or ca.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


@pytest.mark.parametrize(
    "uris",
    [
        [],
        ["heqiao://zhongguo/node/45", "heqiao://zhongguo/node/44"],
        ["heqiao://zhongguo/node/45", "https://example.org/"],
        ["heqiao://zhongguo/node/47"],
        ["heqiao://zhongguo/node/45/name"],
        ["heqiao://zhongguo/platform/45"],
        ["heqiao://zhongguo/platform/45/"],
        ["heqiao://zhongguo/platform/45/a%0ab"],
        ["heqiao://zhongguo/platform/45/%61"],
        ["heqiao://zhongguo/platform/45/a/b"],
        ["heqiao://zhongguo/admin/45"],
        ["heqiao://-/node/45"],
        ["heqiao://zhongguo/node/45\n"],
        ["https://zhongguo/node/45"],
        ["HEQIAO://zhongguo/node/45"],
    ],
    ids=lambda uris: "+".join(uris) or "none",
)
def test_certificates_without_a_valid_name(uris):
    for others in ((), [x509.DNSName("45.node.heqiao")]):
        with pytest.raises(CertificateError, match="name exactly one"):
            identity_of(make(uris, others=others))


@pytest.mark.parametrize("pem", [b"", b"x", NODE + NODE, KEY, CSR, NODE[:-60]], ids=range(6))
def test_not_one_certificate(pem):
    with pytest.raises(CertificateError, match="exactly one certificate"):
        identity_of(pem)


def signed_by(key):
    return (
        x509.CertificateSigningRequestBuilder()
        .subject_name(x509.Name([]))
        .sign(key, None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
    )


def test_requests_that_are_refused():
    der = bytearray(x509.load_pem_x509_csr(CSR).public_bytes(serialization.Encoding.DER))
    der[-1] ^= 1
    forged = x509.load_der_x509_csr(bytes(der)).public_bytes(serialization.Encoding.PEM)
    for csr, reason in (
        (forged, "not signed by its own key"),
        (signed_by(ed25519.Ed25519PrivateKey.generate()), "not for a P-256 key"),
        (signed_by(ec.generate_private_key(ec.SECP384R1())), "not for a P-256 key"),
        (b"", "malformed"),
        (NODE, "malformed"),
    ):
        with pytest.raises(CertificateError, match=reason):
            issue(CA, csr, "node", "45", NOW)


@pytest.mark.parametrize(
    "host",
    [
        "44.node.heqiao",
        "heqiao",
        "*.gx.cn",
        "GX.cn",
        "",
        "a..b",
        "-a.cn",
        "a_b",
        "10.1",
        "x" * 254,
        "a b",
        "fe80::1%eth0",
        "gx.cn.",
        "广西.cn",
    ],
)
def test_hosts_that_are_never_certified(host):
    with pytest.raises(ValueError):  # noqa: PT011  two messages
        check_host(host)
    with pytest.raises(ValueError):  # noqa: PT011
        issue(CA, CSR, "node", "45", NOW, hosts=[host])


@pytest.mark.parametrize("host", ["localhost", "node-1.gx.example.cn", "10.45.0.1", "::1"])
def test_hosts_that_may_be_certified(host):
    assert check_host(host) == host


def test_certificate_must_not_outlive_its_ca():
    with pytest.raises(CertificateError, match="outlive") as caught:
        issue(CA, CSR, "node", "45", NOW, days=3651)
    assert "3650" in caught.value.hint
    issue(CA, CSR, "node", "45", NOW, days=3650)
    with pytest.raises(CertificateError, match="outlive"):
        issue(CA, CSR, "node", "45", NOW + timedelta(days=3651), days=1)


def test_verify_chain():
    assert verify_chain(NODE, CA.pem, NOW) == identity_of(NODE)
    assert verify_chain(PLATFORM, CA.pem, NOW).name == "广西 核对/1"
    for certificate, ca, now, reason in (
        (NODE, FOREIGN.pem, NOW, "not issued by"),
        (NODE, CA.pem, NOW + timedelta(days=398), "valid from"),
        (NODE, CA.pem, NOW - timedelta(days=1), "valid from"),
        (NODE, NODE, NOW, "not the certificate of a federation CA"),
        (make(["heqiao://zhongguo/node/45"], key=FOREIGN.key), CA.pem, NOW, "not issued by"),
    ):
        with pytest.raises(CertificateError, match=reason):
            verify_chain(certificate, ca, now)


def test_a_leaf_cannot_issue():
    key = load_tls_key(KEY)
    sub = type(CA)(x509.load_pem_x509_certificate(NODE), key)
    with pytest.raises(CertificateError):
        verify_chain(make(["heqiao://zhongguo/node/44"], ca=sub), CA.pem, NOW)


def test_load_ca_wants_the_key_of_the_certificate():
    secret = CA.key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    assert load_ca(CA.pem, secret).federation == "zhongguo"
    with pytest.raises(CertificateError, match="not that of the CA's key"):
        load_ca(FOREIGN.pem, secret)
    assert "PRIVATE" not in repr(CA)
    assert "key=" not in repr(CA)
    load_ca_certificate(CA.pem)


def test_codes_and_names():
    assert len(PROVINCE_CODES) == 35
    assert target_name("66") == "66.node.heqiao"
    for code in ("47", "4", "450000", "４５", ""):
        with pytest.raises(ValueError, match="code"):
            target_name(code)
    for name in ("", " a", "a\n", "a\x7f", "x" * 65):
        with pytest.raises(ValueError, match="name"):
            identity_uri("zhongguo", "platform", "45", name)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "host",
        "host:",
        ":1",
        "host:65536",
        "host:-1",
        "host:٣",
        "::1:7443",
        "[host:1",
        "[[::1]]:1",
        "[localhost]:1",
        "[::1]",
        "a:000001",
    ],
)
def test_addresses_that_are_refused(address):
    with pytest.raises(ValueError):  # noqa: PT011
        split_address(address)


def test_addresses():
    assert split_address("127.0.0.1:0") == ("127.0.0.1", 0)
    assert split_address("[::1]:7443") == ("::1", 7443)
    assert ipaddress.ip_address(split_address("10.45.0.1:7443")[0])
    for address in ("0.0.0.0:7443", "[::]:7443", "localhost:0"):
        with pytest.raises(ValueError, match="cannot call"):
            check_address(address)
