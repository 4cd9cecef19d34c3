"""Several machines over one PostgreSQL: one import or rotation at a time; the second is refused, or waits."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import create_engine, text

from keys.types import RotationPolicy
from node.database import open_store
from node.errors import ConflictError
from node.index import update_lock
from node.index.republish import republish
from node.index.verify import verify_index
from node.rotation import driver
from node.rotation.kinds import OPRF
from tests.support.item_registers import load, write
from tests.support.paths import ROOT
from tests.support.single_node import LIMITS, Held, make_node, number, with_key_store
from tests.support.token_blocks import check_tokens

POLICY = RotationPolicy(timedelta(days=90), timedelta(days=7))
PEOPLE = [number(at) for at in range(60)]


@pytest.fixture
def shared(tmp_path, postgres):
    """A home over an empty PostgreSQL, another home with the same keys over it, and their key store."""
    url = postgres.create_migrated()
    limits = {**LIMITS, "k_anonymity": 8}
    first, store = with_key_store(replace(make_node(tmp_path / "one/44", limits), store=open_store(url)))
    other = make_node(tmp_path / "two/44", limits)
    second = replace(first, config=other.config, store=open_store(url))
    yield first, second, store, url
    first.store.dispose()
    second.store.dispose()


def test_while_one_imports_the_other_is_refused(shared, tmp_path):
    first, second, store, _ = shared
    refused = []

    def meanwhile(stage, _done, _total):
        if stage == "write" and not refused:
            for attempt in (
                lambda: load(second, tmp_path / "two", "Z59b", PEOPLE),
                lambda: driver.rotate(OPRF, second, store, POLICY),
                lambda: verify_index(second),
                lambda: republish(second),
                lambda: update_lock.clean(second),
            ):
                with pytest.raises(ConflictError, match="running on this database") as told:
                    attempt()
                refused.append(told.value.code)

    load(first, tmp_path / "one", "C21", PEOPLE, progress=meanwhile)
    assert refused == ["conflict"] * 5
    load(second, tmp_path / "two", "Z59b", PEOPLE)
    check_tokens(first, unused=False)


def child(url, home, item, path, *, wait, holds=False):
    """A process that imports over the database; one that holds the lock goes on when its input ends."""
    program = f"""
import sys
sys.path[:0] = {[str(ROOT), *sys.path]!r}
from dataclasses import replace
from pathlib import Path
from node.database import open_store
from node.errors import NodeError
from node.registers import importer
from tests.support.single_node import LIMITS, make_node
node = make_node(Path({str(home)!r}), {{**LIMITS, "k_anonymity": 8}})
node = replace(node, store=open_store({url!r}))
def stop(stage, done, total):
    if stage == "index":
        print("holds", flush=True)
        sys.stdin.read()
try:
    importer.import_item(node, {item!r}, [Path({str(path)!r})], workers=0, wait={wait}, progress=stop)
except NodeError as error:
    print(type(error).__name__, getattr(error, "code", ""), flush=True)
else:
    print("done", flush=True)
"""
    return subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE if holds else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ,
    )


def test_two_processes(shared, tmp_path):
    """One holds the lock; the second ends with `conflict`, the third waits and then imports."""
    *_, url = shared
    path = write(tmp_path / "r.csv", "C21", PEOPLE)
    first = child(url, tmp_path / "a/44", "C21", path, wait=False, holds=True)
    assert first.stdout.readline() == "holds\n"
    waiting = child(url, tmp_path / "c/44", "C21", path, wait=True)
    refused = child(url, tmp_path / "b/44", "C21", path, wait=False)
    assert refused.communicate(timeout=120)[0] == "ConflictError conflict\n"
    assert first.communicate(timeout=120)[0].endswith("done\n")
    assert waiting.communicate(timeout=120)[0].endswith("done\n")


def test_a_killed_process_frees_the_lock(shared, tmp_path):
    first, _, _, url = shared
    path = write(tmp_path / "r.csv", "C21", PEOPLE)
    holder = child(url, tmp_path / "a/44", "C21", path, wait=False, holds=True)
    assert holder.stdout.readline() == "holds\n"
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait(60)
    holder.stdin.close()
    holder.stdout.close()
    load(first, tmp_path / "one", "C21", PEOPLE, wait=True)
    # The process had a storage key of its own: what it left does not open here, and nothing points to it.
    assert all(one.good for one in verify_index(first).items)
    assert len(Held(first, "C21").tags["44"]) > len(PEOPLE)


def test_a_lost_connection_is_told_before_anything_is_published(shared, tmp_path):
    first, _, _, url = shared
    load(first, tmp_path / "one", "C21", PEOPLE[:10])
    before = Held(first, "C21").served

    def cut(stage, _done, _total):
        if stage == "write":
            engine = create_engine(url)
            with engine.begin() as tx:
                tx.execute(
                    text(
                        "SELECT pg_terminate_backend(pid) FROM pg_locks "
                        "WHERE locktype = 'advisory' AND pid <> pg_backend_pid()"
                    )
                )
            engine.dispose()
            time.sleep(0.2)

    with pytest.raises(ConflictError, match="lock of the index"):
        load(first, tmp_path / "one", "C21", PEOPLE, progress=cut)
    assert Held(first, "C21").served == before
    load(first, tmp_path / "one", "C21", PEOPLE)
    check_tokens(first, unused=False)
