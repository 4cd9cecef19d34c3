"""Peers that still query under an old epoch: stored with each query's audit event, shown by `keys status`."""

import json
from datetime import UTC, datetime, timedelta

from keys.types import KeyState, RotationPolicy
from node.config import load, open_key_store
from node.context import open_node
from node.database.epoch_usage import EpochUse, note_use, read_uses
from node.rotation import driver
from node.rotation.kinds import OPRF
from node.rotation.status import read_status
from tests.support.cli_runner import ok
from tests.support.members import make_member

NOW = datetime.now(UTC).replace(microsecond=0)
POLICY = RotationPolicy(timedelta(days=90), timedelta(days=7))


def test_old_and_new(tmp_path):
    ok("ca", "init", "--dir", tmp_path / "ca", "--federation", "test")
    home = make_member(tmp_path, "44")
    config = load(home / "node.toml")
    node, store = open_node(config), open_key_store(config)
    with node.store.transaction("note", write=True) as tx:
        for peer, purpose in (("45", "oprf"), ("33", "oprf"), ("33", "sum")):
            note_use(tx, EpochUse(peer, purpose, 1, NOW))
    assert not any(use.behind for use in read_status(config, store, NOW).peers)
    driver.rotate(OPRF, node, store, POLICY)
    with node.store.transaction("note", write=True) as tx:
        note_use(tx, EpochUse("33", "oprf", 2, NOW))
        assert read_uses(tx) == [
            EpochUse("33", "oprf", 2, NOW), EpochUse("33", "sum", 1, NOW), EpochUse("45", "oprf", 1, NOW)
        ]  # fmt: skip
    late = [use for use in read_status(config, store, NOW).peers if use.behind]
    assert [(use.peer, use.epoch, use.state) for use in late] == [("45", 1, KeyState.GRACE)]
    found = json.loads(ok("keys", "status", "--home", home, "--json"))["peers"]
    assert [(use["peer"], use["purpose"], use["behind"]) for use in found] == [
        ("33", "oprf", False), ("33", "sum", False), ("45", "oprf", True)
    ]  # fmt: skip
    line = f"peer 45 last asked under oprf.1, {NOW:%Y-%m-%d %H:%M} UTC: "
    shown = ok("keys", "status", "--home", home)
    assert line + "answered until" in shown
    assert "peer 33" not in shown
    driver.retire(OPRF, node, store, early=True)
    node.store.dispose()
    assert line + "no longer answered" in ok("keys", "status", "--home", home)
