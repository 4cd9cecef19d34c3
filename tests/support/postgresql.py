"""PostgreSQL for tests, as fixtures: one server in each process, a separate database for each test."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from node.database import open_store
from tests.support.cached import empty_database
from tests.support.ports import free_port


def programs() -> Path | None:
    places = [*sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True), Path("/usr/local/bin")]
    found = shutil.which("initdb")
    if found:
        places.append(Path(found).resolve().parent)
    return next((p for p in places if (p / "initdb").exists() and (p / "pg_ctl").exists()), None)


# In a process of its own: waits until the one that started it has ended, however it did, and clears up.
_CLEAR_UP = 'read -r _; "$1" -D "$2/data" -m immediate stop; rm -rf "$2"'


class PostgreSQL:
    """A PostgreSQL in a temporary folder, run by an account that is not root (it refuses to be)."""

    def __init__(self, folder: Path, binaries: Path, port: int) -> None:
        self.folder, self.binaries, self.port = folder, binaries, port
        self._numbers, self._made, self._migrated = count(1), list[str](), ""
        self.account = ["runuser", "-u", "nobody", "--"] if os.geteuid() == 0 else []

    def run(self, *arguments: str) -> None:
        command = [*self.account, str(self.binaries / arguments[0]), *arguments[1:]]
        done = subprocess.run(command, capture_output=True, check=False, timeout=240, cwd=self.folder)
        if done.returncode:
            pytest.skip(f"PostgreSQL does not run here: {arguments[0]}: {done.stderr.decode()[-300:]}")

    def start(self) -> None:
        if self.account:
            shutil.chown(self.folder, "nobody")
        self._last = subprocess.Popen(
            [*self.account, "sh", "-c", _CLEAR_UP, "sh", str(self.binaries / "pg_ctl"), str(self.folder)],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            cwd=self.folder.parent, start_new_session=True,
        )  # fmt: skip
        data = str(self.folder / "data")
        self.run(
            "initdb", "-D", data, "-U", "heqiao", "-A", "trust", "--no-sync", "-E", "UTF8", "--no-locale"
        )
        self.launch()

    def launch(self) -> None:
        """Start it again, on the same files and port."""
        data = str(self.folder / "data")
        options = f"-c listen_addresses=127.0.0.1 -c unix_socket_directories='' -p {self.port} -c fsync=off"
        self.run("pg_ctl", "-D", data, "-l", str(self.folder / "log"), "-w", "-o", options, "start")

    def stop(self) -> None:
        self.run("pg_ctl", "-D", str(self.folder / "data"), "-m", "immediate", "stop")

    def close(self) -> None:
        """Stop it for good, and remove its folder."""
        self._last.communicate(timeout=60)

    def create(self, name: str, template: str = "template1") -> str:
        self._execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        self._made.append(name)
        return self.url(name)

    def create_another(self) -> str:
        """A new database with a generated name, without tables."""
        return self.create(f"test_{next(self._numbers)}")

    def create_migrated(self) -> str:
        """The same with the tables of a node, without rows: a copy of what the migrations make."""
        if not self._migrated:
            open_store(self.create_another()).dispose()
            self._migrated = self._made.pop()
        return self.create(f"test_{next(self._numbers)}", self._migrated)

    def drop_all(self) -> None:
        """Remove the databases of tests that are over."""
        while self._made:
            self._execute(f"DROP DATABASE {self._made.pop()} WITH (FORCE)")

    def _execute(self, statement: str) -> None:
        engine = create_engine(self.url("postgres"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(statement))
        engine.dispose()

    def url(self, name: str) -> str:
        return f"postgresql+psycopg://heqiao@127.0.0.1:{self.port}/{name}"


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgreSQL]:
    """Making one takes as long as all that a module asks of it."""
    binaries = programs()
    if binaries is None:
        pytest.skip("PostgreSQL (initdb, pg_ctl) is not installed")
    pytest.importorskip("psycopg")
    # Not in pytest's folders, which other accounts may not enter.
    server = PostgreSQL(Path(tempfile.mkdtemp(prefix="heqiao-pg-")), binaries, free_port())
    try:
        server.start()
        yield server
    finally:
        server.close()


@pytest.fixture(scope="module")
def postgres(postgres_server: PostgreSQL) -> Iterator[PostgreSQL]:
    yield postgres_server
    postgres_server.drop_all()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database with the tables of a node, without rows."""
    if request.param == "sqlite":
        (tmp_path / "a.db").write_bytes(empty_database())
        return f"sqlite:///{tmp_path / 'a.db'}"
    return request.getfixturevalue("postgres").create_migrated()


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without tables."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'a.db'}"
    return request.getfixturevalue("postgres").create_another()
