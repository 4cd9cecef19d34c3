"""A federation that changes its salt, each province in its own time, while they ask each other."""

import secrets
import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from keys.types import RotationPolicy
from node.config import load, open_key_store
from node.domain.verification import Verification
from node.requester import match
from node.rotation import driver
from node.rotation.kinds import SALT
from tests.support.cluster import (
    World,
    findings_of,
    import_registers,
    open_home,
    part_of,
    query_database,
    read_verification,
    run_job,
    serve_all,
)
from tests.support.crash_points import run_until_killed
from tests.support.federation import set_config
from tests.support.salt_change import take_salt

pytestmark = pytest.mark.usefixtures("keys_at_once")

ITEMS = ("C21", "Z59b", "C23")
POLICY = RotationPolicy(timedelta(days=3_650), timedelta(days=90))


@pytest.fixture(scope="module")
def asked(small: World) -> Verification:
    return read_verification(small.data, ITEMS, most=60)


@pytest.fixture(scope="module")
def undisturbed(small_served, asked: Verification) -> dict:
    return findings_of(run_job(small_served["45"], "before-the-salt", asked))


def move(small: World, home: Path, *, retire: bool = False) -> None:
    """One province from salt 1 to salt 2, as the commands do it, beside its running node."""
    node, store = open_home(home), open_key_store(load(home / "node.toml"))
    if not driver.rotate(SALT, node, store, POLICY).switched:
        import_registers(node, small.data, ITEMS)
        assert driver.rotate(SALT, node, store, POLICY).switched
    if retire:
        driver.retire(SALT, node, store, early=True)
    node.store.dispose()


def salts_asked(home: Path, job: str) -> dict[object, object]:
    return dict(query_database(home, "SELECT peer, epoch FROM parts WHERE job = ?", job))


def test_each_province_in_its_own_time(
    small: World, asked: Verification, undisturbed: dict, tmp_path: Path
) -> None:
    """Who has both salts asks by the one that is offered; who has the old one only is served in the grace."""
    homes, salt = small.copy(tmp_path), secrets.token_bytes(32)
    take_salt(small.federation, salt, homes["44"], homes["33"])
    with serve_all(homes) as provinces:

        def ask(job: str) -> dict[object, object]:
            shutil.rmtree(homes["45"] / "mirror", ignore_errors=True)  # which would be used for a day
            assert findings_of(run_job(provinces["45"], job, asked)) == undisturbed
            return salts_asked(homes["45"], job)

        assert ask("bundles-taken") == {"44": 1, "33": 1}
        move(small, homes["44"])
        assert ask("one-has-moved") == {"44": 1, "33": 1}  # 45 has the old salt only
        take_salt(small.federation, salt, homes["45"])
        provinces["45"].node.ring.refresh()  # else within half a second
        assert ask("has-both") == {"44": 2, "33": 1}
        move(small, homes["45"])
        assert ask("moved-itself") == {"44": 2, "33": 1}
        move(small, homes["33"], retire=True)
        assert ask("all-moved") == {"44": 2, "33": 2}


def test_the_old_salt_after_its_grace(small: World, asked: Verification, tmp_path: Path) -> None:
    """The part is refused with a reason, the other goes on."""
    homes = small.copy(tmp_path)
    take_salt(small.federation, secrets.token_bytes(32), homes["44"])
    move(small, homes["44"], retire=True)
    with serve_all(homes) as provinces:
        report = run_job(provinces["45"], "late", asked)
        assert part_of(report, "44") == ("refused", "salt_not_current")
        assert part_of(report, "33") == ("done", "")


@pytest.mark.parametrize("retire", [pytest.param(False, marks=pytest.mark.long), True])
def test_a_running_job_ends_right(
    small: World,
    asked: Verification,
    undisturbed: dict,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    retire: bool,
) -> None:
    """In the grace under the old salt; after it anew under the new one, without a person."""
    homes = small.copy(tmp_path)
    set_config(homes["45"], "requester", mirror_mib=0)
    take_salt(small.federation, secrets.token_bytes(32), *homes.values())
    original, moved = match.evaluate_query, []

    def evaluate(context, *rest):
        original(context, *rest)
        if context.peer.code == "44" and not moved:
            moved.append(1)
            move(small, homes["44"], retire=retire)

    monkeypatch.setattr(match, "evaluate_query", evaluate)
    with serve_all(homes) as provinces:
        assert findings_of(run_job(provinces["45"], "across", asked)) == undisturbed
        assert salts_asked(homes["45"], "across") == {"44": 2 if retire else 1, "33": 1}


_DIE = """
import sys
from datetime import timedelta
from pathlib import Path
from tests.support.cluster import import_registers, open_home
from tests.support.crash_points import Dying
from keys.types import RotationPolicy
from node.registers import importer
from node.rotation import driver
from node.rotation.kinds import SALT
from node.config import load, open_key_store
from node.database import epoch_switch as succession
home, data, where, calls = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], int(sys.argv[4])
node, store = open_home(home), open_key_store(load(home / "node.toml"))
owner, name = {
    "key file": (type(store), "add"),
    "begun": (type(SALT), "make"),
    "prepared": (importer, "_prepare"),
    "published": (importer, "import_item"),
    "switched": (driver, "_switch"),
    "partitions removed": (succession, "forget_epoch"),
    "salt removed": (type(store), "remove"),
}[where]
Dying(calls).after(owner, name)
policy = RotationPolicy(timedelta(days=90), timedelta(0))
driver.rotate(SALT, node, store, policy)
for path in sorted((data / "44" / "registers").iterdir()):
    importer.import_item(node, path.name.split("_")[1], [path])
driver.rotate(SALT, node, store, policy)
driver.retire(SALT, node, store, early=True)
driver.destroy(SALT, node, store)
"""
LONG = pytest.mark.long
KILLS = [
    pytest.param("key file", 1, marks=LONG),
    pytest.param("begun", 1, marks=LONG),
    ("prepared", 2),
    pytest.param("prepared", 1, marks=LONG),
    pytest.param("published", 1, marks=LONG),
    pytest.param("switched", 2, marks=LONG),
    pytest.param("partitions removed", 1, marks=LONG),
    pytest.param("salt removed", 1, marks=LONG),
]


@pytest.mark.parametrize(("where", "calls"), KILLS)
def test_killed_at_any_step(
    small: World, asked: Verification, undisturbed: dict, tmp_path: Path, where: str, calls: int
) -> None:
    """The node starts with the old or the new salt whole; running the commands again finishes it."""
    homes = small.copy(tmp_path)
    take_salt(small.federation, secrets.token_bytes(32), *homes.values())
    run_until_killed(_DIE, homes["44"], small.data, where, calls)
    with serve_all(homes) as provinces:
        switched = where in ("switched", "partitions removed", "salt removed")
        assert provinces["44"].node.keys.salt_version == 1 + switched
        assert findings_of(run_job(provinces["45"], "after-the-kill", asked)) == undisturbed
        if not switched:
            move(small, homes["44"])
        node, store = open_home(homes["44"]), open_key_store(load(homes["44"] / "node.toml"))
        driver.retire(SALT, node, store, early=True)
        driver.destroy(SALT, node, store)
        assert store.epochs("salt") == [2]
        node.store.dispose()
        assert findings_of(run_job(provinces["45"], "at-the-end", asked)) == undisturbed
    states = query_database(homes["44"], "SELECT purpose, epoch, state FROM key_epochs")
    assert {("salt", 1, "destroyed"), ("salt", 2, "active")} <= set(states)
    assert query_database(homes["44"], "SELECT count(*) FROM partitions WHERE epoch = 1") == [(0,)]


def test_who_asked_under_which_epoch_is_remembered(
    small: World, asked: Verification, undisturbed: dict, tmp_path: Path
) -> None:
    homes = small.copy(tmp_path)
    take_salt(small.federation, secrets.token_bytes(32), homes["44"])
    with serve_all(homes) as provinces:
        move(small, homes["44"])
        assert findings_of(run_job(provinces["45"], "old-salt", asked)) == undisturbed
    found = query_database(homes["44"], "SELECT peer, purpose, epoch FROM epoch_uses")
    assert found == [("45", "oprf", 1)]
