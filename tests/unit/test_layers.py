"""The layers of the code, read from its imports: who may know whom (docs/CONTRIBUTING, style of the tree).

node -> keys -> matcher and nothing back; what is foreign (generated messages, gRPC, SQL, primitives) is
known to a few named files each, so that a reviewer knows where to look.
"""

import ast
import re
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("matcher", "keys", "node")
SOURCES = {
    str(path.relative_to(ROOT)): path
    for package in PACKAGES
    for path in sorted((ROOT / package).rglob("*.py"))
}

# package -> packages of ours that it may import
LAYERS = {"matcher": {"matcher"}, "keys": {"keys", "matcher"}, "node": {"node", "keys", "matcher"}}

# foreign module -> the files that may import it, and nobody else
KNOWN_TO = {
    # generated code: the two wires, the two ends of a connection, and commands that show a job
    "heqiao": (
        "node/wire.py",
        "node/aggregate/wire.py",
        "node/platform_wire.py",
        "node/aggregate/platform_wire.py",
        "node/line.py",
        "node/link.py",
        "node/client.py",
        "node/peer_service.py",
        "node/platform_service.py",
        "node/server.py",
        "node/cli/verify.py",
        "node/cli/jobs.py",
        "node/cli/health.py",
    ),
    "google": (
        "node/wire.py",
        "node/platform_wire.py",
        "node/status.py",
        "node/client.py",
        "node/cli/jobs.py",
    ),
    "grpc": (
        "node/line.py",
        "node/link.py",
        "node/client.py",
        "node/server.py",
        "node/tls.py",
        "node/interceptors.py",
        "node/status.py",
    ),
    "grpc_status": ("node/status.py",),
    "grpc_reflection": ("node/server.py",),
    "grpc_health": ("node/server.py", "node/line.py"),
    # SQL
    "sqlalchemy": ("node/store/*.py", "node/migrations/*.py"),
    "alembic": ("node/store/schema.py", "node/migrations/*.py"),
    # primitives: curve and AEAD of labels, keys at rest and certificates, the manifest's signature,
    # temporary files of an import
    "cryptography": (
        "matcher/x25519.py",
        "matcher/label.py",
        "matcher/lanes.py",
        "keys/wrap.py",
        "keys/kinds.py",
        "keys/certs.py",
        "keys/issuing.py",
        "keys/enrol.py",
        "keys/backup.py",
        "keys/revocation.py",
        "keys/succession.py",
        "node/manifest.py",
        "node/spill.py",
    ),
    "ctypes": ("matcher/x25519.py",),
    "gmpy2": ("matcher/x25519.py", "matcher/paillier.py", "matcher/modulus.py"),
    "hashlib": ("keys/header.py", "keys/documents.py", "keys/kinds.py"),
    "pkcs11": ("keys/hsm.py",),
    "shamir_mnemonic": ("keys/shares.py",),
    # randomness that need not be secret exists for synthetic people only
    "random": ("node/synth/*.py",),
    "structlog": ("node/log.py",),
}
# The matcher is pure: no file, network, clock, log. Its two backends need to find a library.
IMPURE = ("asyncio", "logging", "os", "pathlib", "random", "socket", "subprocess", "threading", "time")
IMPURE_ALLOWED = {"matcher/x25519.py": {"os", "pathlib"}}
WIRING = {"node.server": ("node/cli/serve.py",)}

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


@pytest.mark.parametrize("name", SOURCES)
def test_nothing_reaches_back(name):
    allowed = LAYERS[name.partition("/")[0]]
    assert not (tops(SOURCES[name]) & {*PACKAGES, "tests", "compose", "bench"}) - allowed


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
    assert aborting == {"node/interceptors.py"}


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
    folders = (*PACKAGES, "tests", "compose", "bench")
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            name = path.relative_to(ROOT)
            if not any(part.startswith(".") for part in name.parts):
                yield str(name), path.read_text(encoding="utf-8")


def test_no_file_is_too_long():
    assert not [name for name, text in own_files() if text.count("\n") > LONGEST], "split them"


def test_nothing_is_left_to_do_later():
    words = ("TO" + "DO", "FIX" + "ME", "HA" + "CK")
    found = [name for name, text in own_files() if re.search(rf"\b({'|'.join(words)})\b", text)]
    assert not found
