"""Rotation of the storage key: what is sealed in any table is sealed again, and nothing is lost."""

import hashlib
import json
import os
import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import LargeBinary

from keys.errors import StoreDamagedError
from keys.store.vault import EPOCH_BYTES, OVERHEAD, Vault, prefix_of
from keys.types import RotationPolicy
from matcher import identity
from node.config import load, open_key_store
from node.database import asked, sealed_rows, sum_exposures, sum_queries
from node.database import jobs as job_rows
from node.database.leases import job_lease
from node.database.sealed_rows import SEALED
from node.database.sum_exposures import ExposureRow
from node.database.tables import jobs, metadata
from node.domain import sealed_names
from node.domain.days import china_day
from node.domain.findings import Outcome
from node.domain.job_access import NODE_ACCESS
from node.domain.subjects import Subject
from node.domain.users import NewUser, Person, Role
from node.domain.verification import Verification
from node.errors import UnavailableError
from node.governance import users
from node.index.update_lock import open_workspace
from node.jobs import drafts, engine, households, mandates
from node.jobs.acting import people_of
from node.jobs.leases import Leases
from node.registers.importer import import_item
from node.requester.context import Session
from node.requester.match_query import Answer
from node.requester.sum_checkpoint import StoredSumCheckpoint
from node.requester.sum_context import Product
from node.rotation import driver, storage
from node.rotation.kinds import STORAGE
from node.services.periodic import periodic_tasks
from tests.support.case_rows import add_cases
from tests.support.cli_runner import fails, heqiao, ok
from tests.support.cluster import know, open_home
from tests.support.examples import mandate_for
from tests.support.federation import Federation, set_config
from tests.support.kept_watch import keep_watch
from tests.support.mandate_lists import household, mandate
from tests.support.postgresql import postgres  # noqa: F401  a fixture
from tests.support.single_node import Held, number
from tests.support.sum_fixtures import bring

KEYS = {1: os.urandom(32), 2: os.urandom(32)}


# ---- the vault


def test_a_vault_opens_what_was_sealed_before():
    old, both, new = Vault({1: KEYS[1]}, 1), Vault(KEYS, 2), Vault({2: KEYS[2]}, 2)
    sealed = old.seal("a", b"x")
    assert (sealed[:EPOCH_BYTES], len(sealed)) == (prefix_of(1), 1 + OVERHEAD)
    assert both.unseal("a", sealed) == b"x"
    again = both.seal("a", b"x")
    assert (again[:EPOCH_BYTES], new.unseal("a", again)) == (prefix_of(2), b"x")
    for vault, place, content in (
        (new, "a", sealed),
        (both, "b", sealed),
        (both, "a", prefix_of(2) + sealed[2:]),
    ):
        with pytest.raises(StoreDamagedError):
            vault.unseal(place, content)
    for rubbish in (b"", b"\0", b"\0\1", b"\0\1HQ"):
        with pytest.raises(StoreDamagedError):
            both.unseal("a", rubbish)
    assert repr(both) == str(both) == "Vault(****)"
    with pytest.raises(TypeError):
        both.__reduce__()


def test_every_sealed_column_is_known():
    """A new one must be sealed again too: it is added to SEALED, with the place that its seal names."""
    columns = {
        f"{table.name}.{column.name}"
        for table in metadata.sorted_tables
        for column in table.columns
        if column.name.endswith("sealed") and isinstance(column.type, LargeBinary)
    }
    assert columns == {str(one) for one in SEALED} == set(storage._PLACES)


# ---- a home with something in every sealed column

JOB = "j"
PERSON = identity.parse(number(1))
MANDATE = mandate_for(PERSON.value)
ASKED = Verification(
    ("C21",), ("44",), "review", "SA-2026-41", (Subject("h/1", "h", "", (PERSON,), "M"),), {"M": MANDATE}
)
SESSION = Session(bytes(16), bytes(32), b"manifest", bytes(64), b"layout", ("C21",))
POLICY = RotationPolicy(timedelta(days=730), timedelta(days=7))


def keep_people(node):
    """An account, a draft that waits for approval, and one that was returned with a reason."""
    unit, today = "450124000000", china_day(node.clock())
    new = NewUser("li", "李华", unit, frozenset({Role.PREPARER}), today)
    users.add(people_of(node), new, None, node.clock())
    preparer = Person("li", unit, frozenset({Role.PREPARER}), None)
    for at in (1, 2):
        draft = drafts.save(node, preparer, "", 0, b"{}")
        waiting = drafts.send_for_approval(node, preparer, draft.id, 1, f"of-draft-{at}", ASKED)
    drafts.give_back(node, replace(preparer, account="he"), waiting.id, waiting.version, "reason")


def fill(node, folder):
    """Two registers of people with two numbers, a job in the middle, and a sum that a peer opened."""
    rows = "".join(f"{number(at)},{number(at, '539999')},n{at},r{at}\n" for at in range(40))
    (folder / "cars.csv").write_text("id_no,former_id_no,name,record_no\n" + rows, encoding="utf-8")
    import_item(node, "C21", [folder / "cars.csv"], workers=0)
    bring(node, folder, [f"{number(at)},{number(at, '539999')},{at}00" for at in range(8)])
    assert engine.submit(node, JOB, ASKED)
    households.put(node, "node", [household()])
    mandates.add(node, "node", [mandate(no="M", doc_hash=hashlib.sha256(b"%PDF-").hexdigest())])
    mandates.put_form(node, NODE_ACCESS, "M", b"%PDF-")
    with node.store.transaction("parts") as tx:
        (part,) = job_rows.list_parts(tx, JOB)
    add_cases(node, JOB)
    with Leases(node.store, 30).hold(job_lease(JOB)) as lease:
        part_of = StoredSumCheckpoint(node, JOB, part, lease)
        part_of.begin(SESSION)
        part_of.add_tokens(0, bytes(range(32)))
        part_of.add_answers("C21", [Answer(Outcome.FOUND, 1)], b"entries")
        part_of.add_product("B11", Product(b"c", None))
        part_of.refuse([{"C21": "no_mandate"}], reused=b"reused")
    query, vault = ("45", bytes(16), "B11"), node.keys.vault
    answer = vault.seal(sealed_names.of_opened_sum(*query), b"answer")
    ref = vault.seal(sealed_names.of_urgent(JOB, 0), b"h/1")
    guards = vault.seal(sealed_names.of_guards(*query), b"guards")
    row = sum_queries.ChargedItem("B11", 1, node.clock(), bytes(32), 4, 0, bytes(32), bytes(32))
    with node.store.transaction("a sum", write=True) as tx:
        asked.add_urgent(tx, [asked.UrgentRow(JOB, 0, "node", bytes(16), 1, node.clock(), None, ref)])
        sum_queries.add_query(tx, "45", bytes(16), [row])
        sum_queries.keep_answer(tx, *query, sum_queries.Opening(bytes(32), 4, guards, bytes(32), answer))
        rows = vault.seal(sealed_names.of_exposure(*query), b"rows")
        sum_exposures.add_exposure(tx, ExposureRow(*query, 1, 9, rows))
    keep_watch(node, "w", ASKED, "44")
    keep_people(node)


def make_home(folder, url=""):
    """A home on SQLite, or on the database of `url`."""
    federation = Federation.create()
    homes = {code: federation.make_home(folder / code, code) for code in ("45", "44")}
    if url:
        set_config(homes["45"], "store", url=url)
    node = open_home(homes["45"])
    know(node, homes["44"], 0)
    fill(node, folder)
    node.store.dispose()
    return homes["45"]


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """A home on SQLite, which tests copy."""
    return make_home(tmp_path_factory.mktemp("filled"))


@pytest.fixture(params=["sqlite"])
def home(request, tmp_path):
    """On SQLite, and on PostgreSQL where it is the statements that are tested."""
    if request.param == "postgresql":
        return make_home(tmp_path, request.getfixturevalue("postgres").create_migrated())
    return Path(shutil.copytree(request.getfixturevalue("filled"), tmp_path / "45"))


both_databases = pytest.mark.parametrize("home", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def node(home):
    found = open_home(home)
    yield found
    found.store.dispose()


def keys_of(home):
    return open_key_store(load(home / "node.toml"))


def sealed_under(node, epoch):
    with node.store.transaction("count") as tx:
        found = {str(one): sealed_rows.count_under(tx, one, epoch) for one in SEALED}
    return {name: count for name, count in found.items() if count}


def contents(node):
    """Every sealed value, opened, by its place."""
    found = {}
    for epoch in node.keys.vault.epochs:
        for one in SEALED:
            with node.store.transaction("read") as tx:
                rows = sealed_rows.read_under(tx, one, epoch, (), 10_000)
            for row in rows:
                place = storage._PLACES[str(one)](row)
                found[place] = node.keys.vault.unseal(place, bytes(row.content))
    return found


def rotate(home):
    """`heqiao keys rotate storage`, by another process than the node's."""
    other = open_home(home)
    done = driver.rotate(STORAGE, other, keys_of(home), POLICY)
    other.store.dispose()
    return done


def states(home):
    keys = json.loads(heqiao("keys", "status", "--home", home, "--json")[1])["keys"]
    return {key["epoch"]: key["state"] for key in keys if key["purpose"] == "storage"}


@both_databases
def test_everything_is_sealed_again(home, node):
    before, columns = contents(node), sealed_under(node, 1)
    assert set(columns) == {str(one) for one in SEALED}
    digest = node.keys.digest_key
    assert rotate(home).switched
    node.ring.refresh()
    assert (node.keys.vault.active, sealed_under(node, 1), contents(node)) == (2, columns, before)
    assert engine.submit(node, JOB, ASKED) is False  # the same request is known by its digest
    assert node.keys.digest_key == digest
    assert storage.has_older(node)
    assert storage.reseal(node).moved == sum(columns.values())
    assert (sealed_under(node, 1), sealed_under(node, 2)) == ({}, columns)
    assert contents(node) == before
    assert Held(node, "C21").open(PERSON)
    assert storage.reseal(node).moved == 0


def test_it_is_retired_and_erased_only_when_nothing_is_left(home, node):
    rotate(home)
    assert states(home) == {1: "grace", 2: "active"}
    assert "nothing to retire" in ok("keys", "retire", "storage", "--home", home)  # its grace lasts
    node.ring.refresh()
    assert sealed_under(node, 1) == {}  # but the work is done
    assert "storage.1 is retired" in ok("keys", "retire", "storage", "--home", home, "--now")
    node.ring.refresh()
    assert node.keys.vault.epochs == (2,)
    assert "storage.1 is destroyed" in ok("keys", "destroy", "storage", "--home", home, "--confirm")
    assert keys_of(home).epochs("storage") == [2]
    assert Held(node, "C21").open(PERSON)
    assert len(contents(node)) == sum(sealed_under(node, 2).values())
    ok("audit", "verify", "--home", home)
    ok("keys", "verify", "--home", home)


def test_a_key_that_still_seals_something_is_not_erased(home, node):
    """As in a database that was restored from before."""
    old = node.keys.vault
    rotate(home)
    ok("keys", "retire", "storage", "--home", home, "--now")
    place = sealed_names.of_request(JOB)
    with node.store.transaction("restored", write=True) as tx:
        tx.execute(jobs.update().values(request_sealed=old.seal(place, b"x")))
    assert "storage.1 still seals values of jobs.request_sealed" in fails(
        "keys", "destroy", "storage", "--home", home, "--confirm"
    )
    assert keys_of(home).epochs("storage") == [1, 2]


def test_what_a_process_with_old_keys_writes_is_found(home, node):
    old = node.keys.vault
    rotate(home)
    node.ring.refresh()
    storage.reseal(node)
    place = sealed_names.of_request(JOB)
    with node.store.transaction("late", write=True) as tx:
        tx.execute(jobs.update().values(request_sealed=old.seal(place, b"late")))
    ok("keys", "retire", "storage", "--home", home, "--now")
    node.ring.refresh()
    assert contents(node)[place] == b"late"


@both_databases
def test_a_value_that_changes_meanwhile_is_not_overwritten(home, node):
    rotate(home)
    node.ring.refresh()
    place, (one, *_) = sealed_names.of_request(JOB), SEALED
    with node.store.transaction("read", write=True) as tx:
        (row,) = sealed_rows.read_under(tx, one, 1, (), 10)
        tx.execute(jobs.update().values(request_sealed=node.keys.vault.seal(place, b"newer")))
    with node.store.transaction("write", write=True) as tx:
        assert not sealed_rows.replace_sealed(tx, one, row, b"older")
    assert contents(node)[place] == b"newer"


def test_a_damaged_value_keeps_the_old_key(home, node):
    rotate(home)
    node.ring.refresh()
    with node.store.transaction("damage", write=True) as tx:
        tx.execute(jobs.update().values(request_sealed=prefix_of(1) + bytes(60)))
    with pytest.raises(UnavailableError, match=r"1 of jobs\.request_sealed"):
        STORAGE.settle(node, keys_of(home))
    assert sealed_under(node, 1) == {"jobs.request_sealed": 1}  # all else is done
    assert "do not open" in fails("keys", "retire", "storage", "--home", home, "--now")
    assert states(home) == {1: "grace", 2: "active"}


def test_an_import_excludes_the_last_pass_only(home, node):
    rotate(home)
    node.ring.refresh()
    with open_workspace(node):
        assert storage.reseal(node, lambda: True).moved == 0  # asked to stop
        assert storage.reseal(node).moved  # in the background, beside it
        assert "another import or rotation" in fails("keys", "retire", "storage", "--home", home, "--now")


def test_a_serving_node_does_it_in_the_background(home, node):
    tasks = {task.name: task for task in periodic_tasks(node)}
    rotate(home)
    node.ring.refresh()
    with Leases(node.store, 30).hold("scheduler") as lease:
        tasks["storage_resealed"].run(lease)
    assert sealed_under(node, 1) == {}
