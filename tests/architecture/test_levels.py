"""The rooms of the code and their levels, read from the imports (docs/architecture.md).

A module imports only from a lower level, never from another package of its own level; no circle, not even
inside a function.
"""

import ast
from functools import cache

import pytest

from tests.support.paths import ROOT, python_files

# Lowest first; packages in one row never import each other.
LEVELS = (
    ("matcher",),
    ("keys",),
    ("node.errors", "node.clock", "node.acting"),
    ("node.config", "node.domain", "node.compute", "node.files"),
    ("node.telemetry", "node.database", "node.wire", "node.tabular"),
    ("node.credentials", "node.mirror", "node.governance", "node.federation", "node.reports"),
    ("node.context",),
    ("node.transport", "node.index", "node.requester", "node.responder"),
    ("node.registers", "node.rotation", "node.jobs"),
    ("node.services", "node.client"),
    ("synth",),
    ("node.console",),
    ("node.cli", "node.migrations"),
    ("testbed",),
    ("bench",),
)
LEVEL_OF = {package: level for level, packages in enumerate(LEVELS) for package in packages}
LONGEST = 40  # lines of a function
TOPS = ("matcher", "keys", "node", "synth", "testbed", "bench")
# What synthetic people may know of the node.
SYNTH_KNOWS = {"node.errors", "node.domain", "node.tabular", "matcher"}
# The library of a peer in the benchmark's own environment is imported where it is called.
APART = ("bench.peers.paillier_party",)


def module_name(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in python_files(TOPS)}


@cache
def tree(module):
    return ast.parse(MODULES[module].read_text(encoding="utf-8"))


def room(module):
    """The package of a module that has a level: `node.index`, `keys`."""
    return ".".join(module.split(".")[: 2 if module.startswith("node.") else 1])


@cache
def imported(module):
    """Our modules that one imports, wherever it does so."""
    found = set()
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: imports are absolute"
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in MODULES else str(node.module) for name in names}
    return (found & set(MODULES)) - {module}


# One test for each rule: a test for each of 500 modules takes longer to begin than to run.
def test_every_module_has_a_level():
    assert {room(module) for module in MODULES} <= {*LEVEL_OF, "node"}


def test_imports_lead_down_only():
    wrong = [
        (module, other)
        for module in MODULES
        for other in imported(module)
        if room(other) not in (room(module), "node") and LEVEL_OF[room(other)] >= LEVEL_OF[room(module)]
    ]
    assert not wrong


def test_no_circles():
    done, path = set(), []

    def visit(module):
        if module in done:
            return
        assert module not in path, " -> ".join([*path[path.index(module) :], module])
        path.append(module)
        for other in sorted(imported(module)):
            visit(other)
        done.add(path.pop())

    for module in MODULES:
        visit(module)


def test_no_import_inside_a_function():
    inside = [
        (module, node.lineno)
        for module in sorted(set(MODULES) - set(APART))
        for function in ast.walk(tree(module))
        if isinstance(function, ast.FunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert not inside


@pytest.mark.parametrize(
    ("of", "known"),
    [
        # Synthetic people know little of the node.
        (("synth",), {"synth", *SYNTH_KNOWS}),
        # The roles do not know the transport: they take protocols, a link to the peer, a checkpoint.
        (("node.requester", "node.responder"), {*LEVEL_OF, "node"} - {"node.transport"}),
        # Commands know no database.
        (("node.cli",), {*LEVEL_OF, "node"} - {"node.database", "node.migrations"}),
    ],
)
def test_what_a_package_may_know(of, known):
    modules = [module for module in MODULES if room(module) in of]
    assert modules
    assert not [
        (module, other) for module in modules for other in imported(module) if room(other) not in known
    ]


def test_no_function_is_too_long():
    """Its docstring apart: a command's is its help."""
    long = []
    for module in (name for name in MODULES if "migrations.versions" not in name):
        for node in ast.walk(tree(module)):
            if isinstance(node, ast.FunctionDef):
                body = node.body[1:] if ast.get_docstring(node) is not None else node.body
                if body and (body[-1].end_lineno or 0) - body[0].lineno >= LONGEST:
                    long.append((module, node.name))
    assert not long


def test_no_test_module_imports_another():
    wrong = []
    for path in sorted((ROOT / "tests").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            name = node.module if isinstance(node, ast.ImportFrom) else ""
            if name and name.startswith("tests.") and not name.startswith(("tests.support", "tests.vectors")):
                wrong.append((str(path), name))
    assert not wrong
