"""What a command loads, seen in a real process: the start is most of a short command's time."""

import json
import subprocess
import sys

import pytest

from tests.support.killed_commands import copy

# Registered first, so it runs last, and sees what the command left.
SEEN = """
import atexit, gc, json, sys
def tell():
    print(json.dumps([sorted(sys.modules), gc.get_threshold()[0], gc.get_freeze_count()]), file=sys.stderr)
atexit.register(tell)
from node.cli import main
main()
"""
ALWAYS = ("alembic", "mako", "matplotlib", "pandas", "pyarrow", "pytest")
NO_DATABASE = ("sqlalchemy", "numpy", "grpc", "rich", "opendp")


@pytest.fixture(scope="module")
def world(made, tmp_path_factory):
    place = copy(made, tmp_path_factory.mktemp("start") / "world")
    (place / "r.csv").write_text("id_no,name,record_no\n", encoding="utf-8")
    return place


@pytest.mark.parametrize(
    ("words", "heavy"),
    [
        (("--version",), NO_DATABASE),
        (("--help",), NO_DATABASE),
        (("ca", "revoke", "--code", "44", "--out", "revoked.pem"), ("sqlalchemy", "numpy", "grpc", "opendp")),
        (("peers", "list"), ("numpy", "grpc", "opendp", "psycopg")),
        (("audit", "verify"), ("numpy", "grpc", "opendp", "psycopg")),
        (("keys", "status"), ("grpc", "opendp", "psycopg", "structlog", "tenacity")),
        (("import", "C21", "r.csv", "--allow-empty"), ("grpc", "opendp", "psycopg")),
    ],
    ids=lambda value: value[0],
)
def test_a_command_loads_what_it_uses(world, words, heavy):
    home = () if words[0].startswith("-") else ("--dir", "ca") if words[0] == "ca" else ("--home", "44")
    done = subprocess.run(
        [sys.executable, "-c", SEEN, *words, *home], capture_output=True, text=True, check=False, cwd=world
    )
    assert done.returncode == 0, done.stderr
    loaded, threshold, frozen = json.loads(done.stderr.splitlines()[-1])
    assert [name for name in (*ALWAYS, *heavy) if name in loaded] == []
    # Objects of the modules are not looked through for cycles again and again, nor when the command ends.
    assert threshold >= 10_000
    assert frozen > 10_000
