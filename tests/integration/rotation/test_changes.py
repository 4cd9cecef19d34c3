"""How far a change of the salt is, and which step is the next one: what the console shows and lets do."""

import pytest

from node.database.epoch_usage import EpochUse, note_use
from node.database.peers import put_peer
from node.errors import PreconditionError
from node.rotation import driver
from node.rotation.changes import plan_salt_step, read_salt_change
from node.rotation.kinds import SALT
from tests.support.salt_rotation import PEER, PEOPLE, home, run  # noqa: F401  a fixture


def turn(node, keys):
    return driver.rotate(SALT, node, keys, SALT.policy(node.config), workers=0)


def refused(node, keys, step):
    with pytest.raises(PreconditionError) as caught:
        plan_salt_step(node, keys, step)
    return caught.value.details["rule"]


def test_each_state_has_one_next_step(home, tmp_path):
    node, keys = home
    with node.store.transaction("a peer", write=True) as tx:
        put_peer(tx, PEER, node.clock())
        note_use(tx, EpochUse("45", "oprf", 1, node.clock()))
    found = read_salt_change(node, keys)
    assert (found.used, found.next, found.state, found.missing, found.old) == (1, 2, "taken", (), ())
    assert [refused(node, keys, one) for one in ("switch", "abandon")] == ["salt_step"] * 2
    version, asked = plan_salt_step(node, keys, "begin")
    assert (version, asked["salt_version"], asked["step"]) == (2, 2, "begin")

    turn(node, keys)
    found = read_salt_change(node, keys)
    assert (found.state, [one.item for one in found.missing]) == ("importing", ["C21"])
    assert [refused(node, keys, one) for one in ("begin", "switch")] == ["salt_step", "salt_waits"]
    assert plan_salt_step(node, keys, "abandon") == (0, {"abandon": 1})

    run(node, tmp_path, PEOPLE)
    found = read_salt_change(node, keys)
    assert (found.state, found.missing) == ("ready", ())
    assert refused(node, keys, "begin") == "salt_step"
    version, asked = plan_salt_step(node, keys, "switch")
    assert (version, asked["step"], asked["grace_days"]) == (2, "switch", 90)

    assert not any(one.behind for one in found.peers)
    assert turn(node, keys).switched
    found = read_salt_change(node, keys)
    assert (found.used, found.next, found.state) == (2, 0, "current")
    assert [(key.epoch, key.state.value) for key in found.old] == [(1, "grace")]
    assert [(one.peer, one.offers, one.behind) for one in found.peers] == [("45", 0, True)]
    assert [refused(node, keys, one) for one in ("begin", "switch", "abandon")] == ["salt_step"] * 3
