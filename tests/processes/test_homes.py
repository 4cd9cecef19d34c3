"""Homes with any name, terminals of any encoding, several first starts: real processes."""

import json
import os
import shlex
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from tests.support.cli_runner import heqiao as in_this_process
from tests.support.cluster import processes
from tests.support.federation import Federation
from tests.support.postgresql import empty_url, postgres  # noqa: F401  fixtures
from tests.support.several_commands import run_several

HEQIAO = str(Path(sys.executable).with_name("heqiao"))
NAMES = {
    "question": "what?/home",
    "options": "a?mode=memory&x=1",
    "percent": "100%/%(here)s %20",
    "hash": "nr#1",
    "chinese": "核桥/家𠮷",
    "quotes": ' it\'s "so" $HOME;`id` \\u0041',
    "line": "two\nlines a\x7fb",
}
STARTS = 4


def heqiao(*arguments, **options):
    return subprocess.run(
        [HEQIAO, *map(str, arguments)], capture_output=True, check=False, timeout=120, **options
    )


def here(*arguments):
    code, out, err = in_this_process(*arguments)
    return subprocess.CompletedProcess(arguments, code, out.encode(), err.encode())


# The first command is a process where the name is hard for the words of a command themselves: characters of
# several bytes, line ends. What a database, a pattern or TOML makes of it is the same in this process.
FIRST = {name: heqiao if name in ("chinese", "line") else here for name in NAMES}


@pytest.mark.parametrize("shown", NAMES)
def test_a_home_of_any_name_keeps_all_it_has(tmp_path, shown):
    name, first = NAMES[shown], FIRST[shown]
    home = tmp_path / "outer" / name
    home.parent.mkdir(parents=True)
    passphrase = home.parent / f"secret of {home.name}"
    passphrase.write_bytes(b"only for tests\n")
    passphrase.chmod(0o600)
    made = first("init", "--home", home, "--code", "44", "--name", "广东", "--passphrase-file", passphrase)
    assert made.returncode == 0, made.stderr.decode()
    migrated = here("migrate", "--home", home)
    assert migrated.returncode == 0, migrated.stderr.decode()
    file = home / "heqiao.db"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with sqlite3.connect(os.fsencode(file)) as base:
        assert base.execute("SELECT count(*) FROM alembic_version").fetchone() == (1,)
    base.close()
    checked = json.loads(here("doctor", "--home", home, "--json").stdout)["checks"]
    assert (
        next(one["text"] for one in checked if one["check"] == "database") == "SQLite, heqiao.db in this home"
    )
    assert {path.name for path in home.parent.iterdir()} == {home.name, passphrase.name}
    assert [path.name for path in tmp_path.iterdir()] == ["outer"]


@pytest.mark.parametrize("name", [NAMES["question"], NAMES["percent"], NAMES["chinese"]])
def test_a_home_of_any_name_is_served(tmp_path, name):
    (tmp_path / "outer").mkdir()
    home = Federation.create().make_home(tmp_path / "outer" / name, "44")
    with processes(home) as (node,):
        node.start()
        told = (home / "node.toml").read_text(encoding="utf-8")
        for section, port in (("peer", node.port), ("platform", node.platform_port)):
            told = told.replace(
                f'[{section}]\nlisten = "127.0.0.1:0"', f'[{section}]\nlisten = "127.0.0.1:{port}"'
            )
        (home / "node.toml").write_text(told, encoding="utf-8")
        found = here("health", "--home", home)
        assert (found.returncode, found.stdout.count(b"serving")) == (0, 2), found
        assert here("import", "--clean", "--home", home).returncode == 0
        assert node.stop() == 0


def test_a_command_to_copy_is_quoted_for_the_shell(tmp_path):
    home = tmp_path / "it's; a"
    assert here("init", "--home", home, "--code", "44", "--name", "x").returncode == 0
    (home / "passphrase").chmod(0o644)
    done = here("keys", "verify", "--home", home).stderr.decode()
    assert f"chmod 600 {shlex.quote(str(home / 'passphrase'))}" in done


# Processes that have loaded what they need, and begin when the pipe ends.
AT_ONCE = """
import os, sys
from node.database import open_store
import alembic.command, alembic.config
waiting, go = os.pipe()
children = []
for _ in range(int(sys.argv[2])):
    children.append(os.fork())
    if children[-1] == 0:
        os.close(go)
        os.read(waiting, 1)
        open_store(sys.argv[1])
        os._exit(0)
os.close(go)
print([os.waitpid(child, 0)[1] for child in children])
"""


def test_first_starts_wait_for_each_other(empty_url):
    """Four processes find the same empty database; all of them have it then."""
    command = [sys.executable, "-c", AT_ONCE, empty_url, str(STARTS)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=240)
    assert (done.stdout, done.stderr) == (f"{[0] * STARTS}\n", "")
    engine = create_engine(empty_url)
    with engine.connect() as base:
        assert base.execute(text("SELECT count(*) FROM alembic_version")).scalar() == 1
    engine.dispose()


@pytest.fixture(scope="module")
def chinese_home(tmp_path_factory):
    home = tmp_path_factory.mktemp("terminal") / "家𠮷"
    assert here("init", "--home", home, "--code", "44", "--name", "广东").returncode == 0
    return home


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "gbk"])
def test_a_terminal_without_chinese(chinese_home, encoding):
    given = {**os.environ, "PYTHONIOENCODING": encoding, "HEQIAO_HOME": str(chinese_home)}
    commands = (("catalogue",), ("catalogue", "--json"), ("--help",), ("doctor",), ("doctor", "--json"))
    ended = run_several(commands, env=given)
    assert [one.code for one in ended] == [0, 0, 0, 1, 1], ended  # it has not joined
    for command, one in zip(commands, ended, strict=True):
        assert one.out
        assert b"Traceback" not in one.err
        if "--json" in command:
            json.loads(one.out.decode(encoding))


@pytest.mark.parametrize("name", ["C", "POSIX"])
def test_a_locale_without_chinese(tmp_path, name):
    given = {**os.environ, "LC_ALL": name, "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    commands = (("catalogue",), ("doctor", "--home", str(tmp_path / "none")))
    shown, failed = run_several(commands, env=given)
    assert (shown.code, shown.err) == (0, b"")
    assert (failed.code, b"Traceback" in failed.out + failed.err) == (1, False)


@pytest.mark.parametrize(
    ("ending", "code", "said"),
    [
        (">&-", 1, "the output: Bad file descriptor"),
        ("2>&- >/dev/null", 0, ""),
        ("<&-", 0, ""),
        ("<&- >&- 2>&-", 1, ""),
        (">/dev/full", 1, "the output: No space left on device"),
        ("| true; exit ${PIPESTATUS[0]}", None, ""),
    ],
)
def test_streams_that_are_closed_or_full(chinese_home, ending, code, said):
    shell = f"{shlex.quote(HEQIAO)} audit verify --home {shlex.quote(str(chinese_home))} {ending}"
    done = subprocess.run(["bash", "-c", shell], capture_output=True, text=True, check=False, timeout=60)
    assert code is None or done.returncode == code, done
    assert (said in done.stderr, "Traceback" in done.stderr) == (True, False)
    with sqlite3.connect(chinese_home / "heqiao.db") as base:  # no output went into a file
        assert base.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    base.close()
