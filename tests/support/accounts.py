"""Commands run as another account: this needs root, and an interpreter that others may run."""

import os
import pwd
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.support.command_server import command_server
from tests.support.federation import Federation
from tests.support.paths import ROOT

OTHER = "nobody"
MAIN = "from node.cli import main; main()"


def interpreter() -> str:
    """A Python of this version that the other account may run; skips where there is none."""
    if os.geteuid() != 0:
        pytest.skip("only root may run commands as another account")
    wanted = f"{sys.version_info.major}.{sys.version_info.minor}"
    for path in (sys.executable, "/usr/bin/python3"):
        asked = [path, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
        try:
            found = subprocess.run(asked, capture_output=True, text=True, check=False, **account(OTHER))
        except PermissionError:
            continue
        if found.stdout.strip() == wanted:
            return path
    pytest.skip("no Python here that another account may run")


def account(name: str) -> dict[str, Any]:
    """Options of subprocess for running under an account."""
    found = pwd.getpwnam(name)
    return {"user": found.pw_uid, "group": found.pw_gid, "extra_groups": [], "cwd": "/"}


def command(*arguments: object) -> list[str]:
    """The command line of `heqiao`, for any account."""
    return [interpreter(), "-c", MAIN, *map(str, arguments)]


def environment() -> Mapping[str, str]:
    """Where that interpreter finds Heqiao and what it needs."""
    found = (str(ROOT), str(ROOT / "proto/gen"), sysconfig.get_path("purelib"))
    kept = {key: value for key, value in os.environ.items() if key != "HEQIAO_HOME"}
    return {**kept, "PYTHONPATH": os.pathsep.join(found), "PYTHONDONTWRITEBYTECODE": "1"}


def run_as(name: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run `heqiao` under an account, in a folder that it may enter; that of the tests needs no interpreter of
    its own.
    """
    if pwd.getpwnam(name).pw_uid == os.geteuid():
        return command_server().run(arguments, cwd=Path("/"), env=environment())
    return subprocess.run(
        command(*arguments),
        capture_output=True,
        text=True,
        env=environment(),
        check=False,
        timeout=120,
        **account(name),
    )


def give_away(folder: Path) -> None:
    """Everything in a folder belongs to the other account from now on."""
    for path in (folder, *folder.rglob("*")):
        shutil.chown(path, OTHER)
    folder.chmod(0o700)


def owners(folder: Path) -> dict[str, str]:
    """The account of every file in a folder."""
    return {
        str(path.relative_to(folder)): pwd.getpwuid(path.lstat().st_uid).pw_name for path in folder.rglob("*")
    }


@pytest.fixture
def others_home() -> Iterator[tuple[Federation, Path]]:
    """A federation, and the home of its node 44, which belongs to the other account."""
    interpreter()
    folder = Path(tempfile.mkdtemp(prefix="heqiao-home-"))  # other accounts may not enter pytest's folders
    folder.chmod(0o755)
    federation = Federation.create()
    home = federation.make_home(folder / "44", "44")
    give_away(home)
    try:
        yield federation, home
    finally:
        shutil.rmtree(folder)
