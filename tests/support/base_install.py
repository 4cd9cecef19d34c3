"""An install without any extra: the base dependencies of pyproject.toml and their dependencies."""

import re
import tomllib
from functools import cache
from importlib import metadata

from tests.support.paths import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
# This repository's modules come from here, not from an installed copy.
OURS = ("heqiao", "keys", "matcher", "node", "synth")


def distribution(requirement: str) -> str:
    """The package name of a requirement, in the normalised form of package indexes."""
    found = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert found, requirement
    return re.sub(r"[-_.]+", "-", found[0]).lower()


def listed(*extras: str) -> set[str]:
    """The distributions that pyproject.toml lists itself, of some extras or else of the base."""
    found = [PROJECT["optional-dependencies"][extra] for extra in extras] or [PROJECT["dependencies"]]
    return {distribution(requirement) for requirements in found for requirement in requirements}


@cache
def base_distributions() -> frozenset[str]:
    """The base dependencies, and their dependencies in turn."""
    found: set[str] = set()
    waiting = sorted(listed())
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        needed = metadata.requires(name) or ()
        waiting += [distribution(one) for one in needed if "extra ==" not in one and is_installed(one)]
    return frozenset(found)


def is_installed(requirement: str) -> bool:
    """Whether there is such a distribution; some are for other systems or Pythons."""
    try:
        metadata.distribution(distribution(requirement))
    except metadata.PackageNotFoundError:
        return False
    return True


@cache
def modules_by_base() -> tuple[frozenset[str], frozenset[str]]:
    """Top-level modules of the installed packages: those of the base, and all others."""
    base, others = set(), set()
    for module, distributions in metadata.packages_distributions().items():
        names = {distribution(name) for name in distributions}
        if module not in OURS:
            (base if names & base_distributions() else others).add(module)
    return frozenset(base), frozenset(others)


# Run with -c; the first argument names the modules that cannot be imported, the second is a Python file that
# is then run with the rest of the arguments, or `-` for the command line of heqiao.
WITHOUT = """
import runpy, sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in refused:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

refused = frozenset(sys.argv[1].split(","))
sys.meta_path.insert(0, Refuse())
script, sys.argv = sys.argv[2], sys.argv[2:]
if script == "-":
    from node.cli import main
    main()
runpy.run_path(script, run_name="__main__")
"""


def without_extras(script: str, *arguments: object) -> list[str]:
    """Arguments of a Python interpreter that runs a script as an install without extras would."""
    return ["-c", WITHOUT, ",".join(sorted(modules_by_base()[1])), script, *map(str, arguments)]
