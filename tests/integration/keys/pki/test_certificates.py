"""Certificates as OpenSSL and a real handshake see them."""

import subprocess
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from keys.pki.certificates import identity_of
from keys.pki.issuing import create_ca, create_request, issue
from keys.pki.names import target_name
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


def test_openssl_computes_the_fingerprint():
    expected = openssl("x509", "-noout", "-fingerprint", "-sha256", content=NODE)[1]
    assert identity_of(NODE).fingerprint.upper() == expected.partition("=")[2].strip().replace(":", "")


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


def test_extensions_of_the_ca(files):
    _, text = openssl("x509", "-in", files / "ca.pem", "-noout", "-text")
    for expected in ("CA:TRUE, pathlen:0", "Certificate Sign", "O = zhongguo", "Subject Key Identifier"):
        assert expected in text
    usages = x509.load_pem_x509_certificate(PLATFORM).extensions.get_extension_for_class(
        x509.ExtendedKeyUsage
    )
    assert list(usages.value) == [ExtendedKeyUsageOID.CLIENT_AUTH]


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
        return channel.unary_unary("/echo/Whoami")(b"", timeout=60)


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
