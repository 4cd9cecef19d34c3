"""A home beside a folder of registers, and runs of `heqiao import --all` over them."""

import contextlib
import json

import pytest

from node.config import load
from node.database import database_url, open_store, partitions
from node.database.tables import imports
from tests.support.cli_runner import heqiao
from tests.support.killed_commands import copy
from tests.support.single_node import number

HEADS = {"C21": "id_no,record_no", "C22": "id_no,record_no", "C23": "id_no,record_no,amount_yuan"}
IMPORTED = dict.fromkeys(HEADS, "imported")
BEFORE = dict.fromkeys(HEADS, "done before")


def write(path, code, people=3, wrong=0):
    """A register of some people, and some wrong numbers."""
    path.parent.mkdir(parents=True, exist_ok=True)
    more = ",1000000" if code == "C23" else ""
    rows = [f"{number(at)},R{at}{more}" for at in range(people)] + [f"1,W{at}{more}" for at in range(wrong)]
    path.write_text("\n".join([HEADS[code], *rows]) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def place(made, tmp_path):
    """A home, and beside it a folder with three registers."""
    copy(made / "44", tmp_path / "44")
    for count, code in enumerate(HEADS, 2):
        write(tmp_path / "in" / f"{code}.csv", code, count)
    return tmp_path


def run(place, source, *options, code=0):
    """The report, by item, and the whole of it."""
    ended, out, err = heqiao("import", "--home", place / "44", "--all", source, "--json", *options)
    assert (ended, err) == (code, ""), err
    found = json.loads(out)
    assert found["ok"] is (code == 0)
    return {one["item"]: one for one in found["items"]}, found


def states(place, source, *options, code=0):
    return {item: one["state"] for item, one in run(place, source, *options, code=code)[0].items()}


def refused(place, *arguments, code=1):
    before = stored(place)
    ended, out, err = heqiao("import", "--home", place / "44", "--all", *arguments)
    assert (ended, out) == (code, ""), err
    assert "Traceback" not in err
    assert "heqiao: hint:" in err
    assert stored(place) == before
    return err


@contextlib.contextmanager
def opened(place):
    store = open_store(database_url(load(place / "44" / "node.toml")))
    with store.transaction("look", write=True) as tx:
        yield tx
    store.dispose()


def stored(place):
    """Every import that was published, and what is served."""
    with opened(place) as tx:
        made = [(row.item, row.mode) for row in tx.execute(imports.select().order_by(imports.c.id))]
        origins = ("00", "33", "44", "45")
        return made, [(row.item, row.root) for row in partitions.offered_partitions(tx, 1, origins)]
