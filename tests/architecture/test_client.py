"""The client of a platform is small, and needs the base dependencies only (pyproject.toml)."""

import ast
import sys
from functools import cache

import pytest

from tests.support.base_install import PROJECT, distribution, listed, modules_by_base
from tests.support.paths import ROOT

CLIENT = "node.client"
# What its modules import. A new one needs a line in pyproject.toml and docs/dependencies.md, and a reason.
FOREIGN = {"blake3", "cryptography", "google", "grpc", "grpc_status", "pydantic", "pydantic_core"}
GENERATED = {"heqiao"}
MOST_MODULES = 96  # a third of them are sections of the configuration, one small file each
NEVER = ("node.database", "node.context", "node.index", "node.registers", "node.requester", "node.responder")
DEPENDENCIES = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")


def path_of(module):
    """The file of a module of ours, None where it is none: a package without a file, a name in a module."""
    base = ROOT.joinpath(*module.split("."))
    return next((path for path in (base.with_suffix(".py"), base / "__init__.py") if path.is_file()), None)


def run_at_import(node):
    """The nodes of a syntax tree that run when its module is imported."""
    for child in ast.iter_child_nodes(node):
        for_types = isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"
        if not for_types and not isinstance(child, ast.FunctionDef | ast.Lambda):
            yield child
            yield from run_at_import(child)


@cache
def imported(module):
    """Every module that one imports when it is imported, and each package on the way: all of them run."""
    found = set()
    for node in run_at_import(ast.parse(path_of(module).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)}
    parts = [name.split(".") for name in found]
    return {".".join(names[:count]) for names in parts for count in range(1, len(names) + 1)}


def is_ours(module):
    return module.partition(".")[0] in ("node", "keys", "matcher") and path_of(module) is not None


@cache
def loaded(start=CLIENT):
    """The modules of ours that an import of one loads, itself among them."""
    found, waiting = set(), ["node", start]
    while waiting:
        module = waiting.pop()
        if module not in found:
            found.add(module)
            waiting += filter(is_ours, imported(module))
    return frozenset(found)


def foreign():
    """Top-level modules of others that they import, without those of Python."""
    tops = {name.partition(".")[0] for module in loaded() for name in imported(module)}
    return tops - {"node", "keys", "matcher"} - GENERATED - sys.stdlib_module_names


def test_the_client_imports_base_dependencies_only():
    assert foreign() == FOREIGN
    assert modules_by_base()[0] >= FOREIGN


def test_the_client_is_small():
    assert "node.client.platform" in loaded()
    assert len(loaded()) <= MOST_MODULES
    assert not [module for module in loaded() if module.startswith(NEVER)]


@pytest.mark.parametrize("extra", [None, *sorted(set(PROJECT["optional-dependencies"]) - {"dev"})])
def test_every_dependency_has_a_reason(extra):
    """In docs/dependencies.md, under the heading or in the row of its extra."""
    assert listed(*((extra and [extra]) or ())) == documented()[extra or "base"]


def documented():
    found = {"base": set()}
    extra = ""
    for line in DEPENDENCIES.splitlines():
        if line.startswith("## "):
            extra = {"## The base": "base", "## The extra `node`": "node"}.get(line, "")
            in_extras = line == "## Other extras"
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if not line.startswith("| ") or cells[0] in ("package", "---"):
            continue
        assert cells[-1], f"{cells[0]}: no reason"
        if extra or in_extras:
            found.setdefault(extra or cells[1], set()).add(distribution(cells[0]))
    return found


def test_what_was_split_off_is_in_no_other_place():
    extras = PROJECT["optional-dependencies"]
    assert not listed() & listed(*extras)
    assert {
        "node",
        "console",
        "excel",
        "parquet",
        "postgres",
        "pkcs11",
        "plot",
        "report",
        "fast",
        "dev",
    } == set(extras)
