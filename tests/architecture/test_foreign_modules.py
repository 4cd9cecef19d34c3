"""What is foreign (generated messages, gRPC, SQL, primitives) is known to a few named files each.

A reviewer knows where to look. Who of ours may import whom is in test_levels.py.
"""

import ast
import re
from fnmatch import fnmatch
from functools import cache

import pytest

from tests.support.paths import ROOT, python_files

PACKAGES = ("matcher", "keys", "node")
SOURCES = {str(path.relative_to(ROOT)): path for path in python_files(PACKAGES)}

# foreign module -> the files that may import it, and nobody else
KNOWN_TO = {
    # generated code: the two wires and the two ends of a connection
    "heqiao": (
        "node/wire/match.py",
        "node/wire/mirror.py",
        "node/wire/sums.py",
        "node/wire/platform.py",
        "node/wire/platform_jobs.py",
        "node/wire/job_pages.py",
        "node/wire/platform_requests.py",
        "node/wire/report_files.py",
        "node/client/report_files.py",
        "node/services/report_files.py",
        "node/wire/platform_sums.py",
        "node/wire/platform_catalogue.py",
        "node/wire/people.py",
        "node/client/people.py",
        "node/client/drafts.py",
        "node/wire/drafts.py",
        "node/services/drafts.py",
        "node/services/sessions.py",
        "node/services/users.py",
        "node/services/access_admin.py",
        "node/services/work_admin.py",
        "node/services/import_admin.py",
        "node/services/approvals.py",
        "node/services/overview.py",
        "node/services/peer_admin.py",
        "node/services/records.py",
        "node/client/administration.py",
        "node/client/key_administration.py",
        "node/services/key_admin.py",
        "node/services/key_messages.py",
        "node/services/platform_port.py",
        "node/wire/platform_deadlines.py",
        "node/wire/platform_statistics.py",
        "node/wire/watch.py",
        "node/wire/notices.py",
        "node/wire/catalogue.py",
        "node/wire/corrections.py",
        "node/wire/cases.py",
        "node/wire/case_facts.py",
        "node/wire/declared.py",
        "node/client/persons.py",
        "node/services/persons.py",
        "node/client/cases.py",
        "node/services/cases.py",
        "node/services/corrections.py",
        "node/transport/channel.py",
        "node/transport/peer_client.py",
        "node/wire/mandates.py",
        "node/wire/households.py",
        "node/client/platform.py",
        "node/client/records.py",
        "node/services/peer.py",
        "node/services/platform.py",
        "node/services/jobs.py",
        "node/services/job_messages.py",
        "node/client/jobs.py",
        "node/services/mandates.py",
        "node/services/households.py",
        "node/client/watches.py",
        "node/services/peer.py",
        "node/services/platform.py",
        "node/services/watch.py",
        "node/services/notices.py",
        "node/client/catalogue.py",
        "node/client/sources.py",
        "node/services/sources.py",
        "node/wire/quality_reports.py",
        "node/services/peer.py",
        "node/services/platform.py",
        "node/services/catalogue.py",
        "node/client/health.py",
        "node/services/server.py",
    ),
    "google": (
        "node/client/cases.py",
        "node/wire/common.py",
        "node/wire/match.py",
        "node/wire/platform.py",
        "node/wire/platform_jobs.py",
        "node/client/jobs.py",
        "node/wire/corrections.py",
        "node/transport/status.py",
        "node/transport/peer_client.py",
        "node/transport/correction_client.py",
        "node/client/platform.py",
    ),
    "grpc": (
        "node/transport/channel.py",
        "node/transport/secure_channel.py",
        "node/transport/health.py",
        "node/transport/peer_client.py",
        "node/transport/correction_client.py",
        "node/client/*.py",
        "node/services/server.py",
        "node/services/platform_port.py",
        "node/transport/tls.py",
        "node/transport/interceptors.py",
        "node/transport/status.py",
    ),
    "grpc_status": ("node/transport/status.py",),
    "grpc_reflection": ("node/services/server.py",),
    "grpc_health": ("node/services/server.py", "node/transport/health.py"),
    # SQL
    "sqlalchemy": ("node/database/*.py", "node/tabular/sql.py", "node/migrations/*.py"),
    "alembic": ("node/migrations/*.py",),
    # primitives: curve and AEAD of labels, keys at rest and certificates, the manifest's signature,
    # temporary files of an import
    "cryptography": (
        "node/console/kept_forms.py",
        "matcher/suites/x25519.py",
        "matcher/label.py",
        "matcher/vectorised.py",
        "keys/passwords.py",
        "keys/store/wrap.py",
        "keys/store/kinds.py",
        "keys/store/key_pairs.py",
        "keys/pki/administrators.py",
        "keys/pki/certificates.py",
        "keys/pki/issuing.py",
        "keys/pki/enrolment.py",
        "keys/pki/offices.py",
        "keys/store/backup.py",
        "keys/pki/revocation.py",
        "keys/pki/catalogue_signature.py",
        "keys/signing_chain.py",
        "node/wire/manifest.py",
        "node/compute/scratch.py",
        "node/reports/signature.py",
    ),
    "ctypes": ("matcher/suites/x25519.py", "node/services/memory.py"),
    "gmpy2": (
        "matcher/oprf.py",
        "matcher/suites/x25519.py",
        "matcher/sums/paillier.py",
        "matcher/sums/modulus_proof.py",
    ),
    "hashlib": (
        "keys/store/header.py",
        "keys/pki/fingerprints.py",
        "keys/store/kinds.py",
        "node/console/pages/checks.py",
        "node/domain/scanned_forms.py",
        "node/reports/files.py",
        "node/reports/groups.py",
        "node/reports/parts.py",
        "node/reports/rendering.py",
        "node/client/report_files.py",
    ),
    "pyotp": ("node/governance/sign_in.py",),
    "shamir_mnemonic": ("keys/store/shares.py",),
    "structlog": ("node/telemetry/log.py",),
}
# The matcher is pure: no file, network, clock, log. Its two backends need to find a library.
IMPURE = ("asyncio", "logging", "os", "pathlib", "random", "socket", "subprocess", "threading", "time")
IMPURE_ALLOWED = {"matcher/suites/x25519.py": {"os", "pathlib"}}
WIRING = {"node.services.server": ("node/cli/serve.py",)}

CONTEXT = re.compile(r"heqiao v1 [a-z ]+")
LONGEST = 399


@cache
def imports(path):
    """Every module that a file imports, wherever it does so, with the names taken from it."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            found += ((node.module, alias.name) for alias in node.names)
    return found


def modules(path):
    return {module for module, _ in imports(path)} | {f"{m}.{n}" for m, n in imports(path) if n}


def tops(path):
    return {module.partition(".")[0] for module, _ in imports(path)}


@pytest.mark.parametrize("module", KNOWN_TO)
def test_foreign_code_is_known_to_named_files_only(module):
    users = {name for name, path in SOURCES.items() if module in tops(path)}
    strangers = {name for name in users if not any(fnmatch(name, known) for known in KNOWN_TO[module])}
    assert not strangers, f"these must not import {module}"
    unused = [known for known in KNOWN_TO[module] if not any(fnmatch(name, known) for name in users)]
    assert not unused, f"these no longer import {module}: take them off the list"


@pytest.mark.parametrize("module", WIRING)
def test_only_the_command_wires_a_node(module):
    users = {name for name, path in SOURCES.items() if module in modules(path)}
    assert users == set(WIRING[module])


@pytest.mark.parametrize("name", [name for name in SOURCES if name.startswith("matcher/")])
def test_the_matcher_is_pure(name):
    assert not (tops(SOURCES[name]) & set(IMPURE)) - IMPURE_ALLOWED.get(name, set())
    text = SOURCES[name].read_text(encoding="utf-8")
    assert not re.search(r"\b(print|open)\(", text)


def test_only_the_interceptor_aborts_a_call():
    aborting = {
        name for name, path in SOURCES.items() if re.search(r"\.abort(_with_status)?\(", path.read_text())
    }
    assert aborting == {"node/transport/interceptors.py"}


def test_every_context_string_is_written_once():
    """A context string separates one use of a hash or key from all others, so it has one place."""
    found = {}
    for name, path in SOURCES.items():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            text = getattr(node, "value", None) if isinstance(node, ast.Constant) else None
            text = text.decode("latin-1") if isinstance(text, bytes) else text
            if isinstance(text, str) and (match := CONTEXT.match(text)):
                found.setdefault(match[0], []).append(name)
    assert {text: names for text, names in found.items() if len(names) > 1} == {}
    assert len(found) > 15


def own_files():
    for path in python_files((*PACKAGES, "synth", "testbed", "tests", "bench")):
        yield str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")


def test_no_file_is_too_long():
    assert not [name for name, text in own_files() if text.count("\n") > LONGEST], "split them"


def test_nothing_is_left_to_do_later():
    words = ("TO" + "DO", "FIX" + "ME", "HA" + "CK")
    found = [name for name, text in own_files() if re.search(rf"\b({'|'.join(words)})\b", text)]
    assert not found
