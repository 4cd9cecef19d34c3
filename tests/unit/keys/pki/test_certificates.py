import ipaddress
import subprocess
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

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


def openssl(*arguments, content=b""):
    done = subprocess.run(["openssl", *map(str, arguments)], input=content, capture_output=True, check=False)
    return done.returncode, (done.stdout + done.stderr).decode()


@pytest.fixture
def files(tmp_path):
    for name, content in (("ca", CA.pem), ("foreign", FOREIGN.pem), ("node", NODE), ("platform", PLATFORM)):
        (tmp_path / f"{name}.pem").write_bytes(content)
    return tmp_path


def verdict(files, leaf, purpose, ca="ca", at=None):
    extra = ["-attime", int(at.timestamp())] if at else []
    code, text = openssl(
        "verify",
        "-x509_strict",
        *extra,
        "-purpose",
        purpose,
        "-CAfile",
        files / f"{ca}.pem",
        files / f"{leaf}.pem",
    )
    return code == 0, text


@pytest.mark.parametrize(
    ("leaf", "purpose", "good"),
    [
        ("node", "sslserver", True),
        ("node", "sslclient", True),
        ("platform", "sslclient", True),
        ("platform", "sslserver", False),
        ("node", "smimesign", False),
    ],
)
def test_openssl_agrees_on_purposes(files, leaf, purpose, good):
    accepted, text = verdict(files, leaf, purpose)
    assert accepted is good, text


def test_openssl_agrees_on_chain_and_dates(files):
    assert not verdict(files, "node", "sslserver", ca="foreign")[0]
    assert not verdict(files, "node", "sslserver", at=NOW + timedelta(days=398))[0]
    assert not verdict(files, "node", "sslserver", at=NOW - timedelta(minutes=11))[0]
    assert verdict(files, "node", "sslserver", at=NOW - timedelta(minutes=9))[0]
    assert verdict(files, "ca", "any")[0]


def test_openssl_sees_the_names(files):
    _, text = openssl(
        "x509", "-in", files / "node.pem", "-noout", "-ext", "subjectAltName,keyUsage,basicConstraints"
    )
    for expected in (
        "URI:heqiao://zhongguo/node/45",
        "DNS:45.node.heqiao, DNS:localhost, IP Address:127.0.0.1",
        "CA:FALSE",
        "Digital Signature",
    ):
        assert expected in text
    assert "Certificate Sign" not in text
    for host, good in (("45.node.heqiao", True), ("localhost", True), ("44.node.heqiao", False)):
        _, text = openssl("x509", "-in", files / "node.pem", "-noout", "-checkhost", host)
        assert ("does match" in text) is good


def test_identity():
    identity = identity_of(NODE)
    assert (identity.federation, identity.role, identity.code, identity.name) == (
        "zhongguo",
        "node",
        "45",
        "",
    )
    assert identity.not_after == NOW + timedelta(days=397)
    expected = openssl("x509", "-noout", "-fingerprint", "-sha256", content=NODE)[1]
    assert identity.fingerprint.upper() == expected.partition("=")[2].strip().replace(":", "")
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
def test_certificates_that_name_nobody(uris):
    for others in ((), [x509.DNSName("45.node.heqiao")]):
        with pytest.raises(CertificateError, match="name exactly one"):
            identity_of(make(uris, others=others))


@pytest.mark.parametrize("pem", [b"", b"x", NODE + NODE, KEY, CSR, NODE[:-60]], ids=range(6))
def test_not_one_certificate(pem):
    with pytest.raises(CertificateError, match="exactly one certificate"):
        identity_of(pem)


def test_ca_takes_no_name_from_the_request():
    key = load_tls_key(KEY)
    greedy = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "44.node.heqiao")]))
        .add_extension(
            x509.SubjectAlternativeName(
                [x509.DNSName("44.node.heqiao"), x509.UniformResourceIdentifier("heqiao://zhongguo/node/44")]
            ),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
    )
    issued = issue(CA, greedy, "node", "45", NOW)
    _, text = openssl("x509", "-noout", "-text", content=issued)
    assert "44.node" not in text
    assert "node/44" not in text
    assert "CA:TRUE" not in text


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


def test_extensions_of_the_ca(files):
    _, text = openssl("x509", "-in", files / "ca.pem", "-noout", "-text")
    for expected in ("CA:TRUE, pathlen:0", "Certificate Sign", "O = zhongguo", "Subject Key Identifier"):
        assert expected in text
    usages = x509.load_pem_x509_certificate(PLATFORM).extensions.get_extension_for_class(
        x509.ExtendedKeyUsage
    )
    assert list(usages.value) == [ExtendedKeyUsageOID.CLIENT_AUTH]


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


# A real handshake, with the TLS that the node speaks.


class Echo(grpc.GenericRpcHandler):
    def service(self, details):
        def whoami(request, context):
            return identity_of(context.auth_context()["x509_pem_cert"][0]).code.encode()

        return grpc.unary_unary_rpc_method_handler(whoami)


@pytest.fixture(scope="module")
def port():
    server = grpc.server(ThreadPoolExecutor(2), handlers=[Echo()])
    credentials = grpc.ssl_server_credentials([(KEY, NODE)], CA.pem, require_client_auth=True)
    port = server.add_secure_port("127.0.0.1:0", credentials)
    server.start()
    yield port
    server.stop(None)


CALLER_KEY = generate_tls_key()
CALLER_CSR = create_request(load_tls_key(CALLER_KEY))
CALLERS = {
    "node": issue(CA, CALLER_CSR, "node", "44", NOW),
    "platform": issue(CA, CALLER_CSR, "platform", "44", NOW, name="lab"),
    "expired": issue(CA, CALLER_CSR, "node", "44", NOW - timedelta(days=3), days=1),
    "early": issue(CA, CALLER_CSR, "node", "44", NOW + timedelta(days=3), days=1),
    "foreign": issue(FOREIGN, CALLER_CSR, "node", "44", NOW),
}


def call(port, certificate, target, ca=CA):
    chain = (CALLER_KEY, certificate) if certificate else (None, None)
    credentials = grpc.ssl_channel_credentials(ca.pem, *chain)
    options = [("grpc.ssl_target_name_override", target)]
    with grpc.secure_channel(f"127.0.0.1:{port}", credentials, options) as channel:
        return channel.unary_unary("/echo/Whoami")(b"", timeout=5)


@pytest.mark.parametrize("caller", ["node", "platform"])
def test_a_member_is_served(port, caller):
    assert call(port, CALLERS[caller], target_name("45")) == b"44"


@pytest.mark.parametrize(
    ("caller", "target", "ca"),
    [
        (None, "45.node.heqiao", CA),
        ("expired", "45.node.heqiao", CA),
        ("early", "45.node.heqiao", CA),
        ("foreign", "45.node.heqiao", CA),
        ("node", "44.node.heqiao", CA),
        ("node", "45.node.heqiao", FOREIGN),
    ],
    ids=["no-certificate", "expired", "not-yet-valid", "foreign-ca", "wrong-node", "server-of-a-foreign-ca"],
)
def test_a_stranger_is_refused(port, caller, target, ca):
    with pytest.raises(grpc.RpcError) as caught:
        call(port, CALLERS.get(caller), target, ca)
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
