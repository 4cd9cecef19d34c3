"""Commands of the CA and of its members, killed before every step: old or new whole, then finished."""

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from keys.pki.certificates import load_roots, tls_epoch
from keys.pki.revocation import load_list
from keys.store.key_pairs import load_tls_key
from node.config import load, open_key_store
from node.context import open_node
from tests.support.ca_member import (
    ca,
    issue,
    store_of,
)
from tests.support.cli_runner import heqiao, ok
from tests.support.killed_commands import copy, each_step

STAGES: dict[str, Callable[[Path], object]] = {
    "made": lambda world: None,
    "rolled": lambda world: ok(*ca(world, "roll", "--out", world / "roots.json")),
    "taken": lambda world: ok("peers", "roots", "--home", world / "44", world / "roots.json"),
    "switched": lambda world: ok(*ca(world, "roll", "--switch")),
    "asked": lambda world: ok("keys", "rotate", "tls", "--home", world / "44"),
    "answered": lambda world: issue(world, "44"),
    "renewed": lambda world: (
        ok("join", "--home", world / "44", world / "44.bundle"),
        ok("peers", "revocations", "--home", world / "44", world / "ca/revoked.pem"),
    ),
}


@pytest.fixture(scope="module")
def stages(made, tmp_path_factory):
    """The world after each step of a roll-over."""
    found, before = {}, made
    for name, step in STAGES.items():
        found[name] = tmp_path_factory.mktemp(name) / "world"
        copy(before, found[name])
        step(found[name])
        before = found[name]
    return found


# ---- what is there; each raises where neither the old nor the new is whole


def roots_of_ca(world):
    """Every root has its key, and its list names who was revoked."""
    roots = load_roots((world / "ca/ca.pem").read_bytes())
    store = store_of(world / "ca")
    keys = [load_tls_key(store.get(f"ca.{epoch}")).public_key() for epoch in store.epochs("ca")]
    assert all(root.public_key() in keys for root in roots)
    listed = load_list((world / "ca/revoked.pem").read_bytes(), (world / "ca/ca.pem").read_bytes())
    assert len(listed.serials) == 1
    return len(roots), store.epochs("ca")


def rolled(world):
    count, epochs = roots_of_ca(world)
    assert epochs in ([1], [1, 2])
    return count == 2 and (world / "roots.json").exists()


def switched(world):
    """The root that issues is the new one."""
    assert roots_of_ca(world) == (2, [1, 2])
    new = load_tls_key(store_of(world / "ca").get("ca.2"))
    return load_roots((world / "ca/ca.pem").read_bytes())[0].public_key() == new.public_key()


def ended(world):
    count, epochs = roots_of_ca(world)
    assert epochs in ([1, 2], [2])
    return (count, epochs) == (1, [2])


def home_of(world):
    """The node of the member opens with the files there."""
    config = load(world / "44/node.toml")
    node = open_node(config)
    node.store.dispose()
    assert len(node.revocations.current.serials) == 1
    return config, open_key_store(config)


def trusts(count):
    def state(world):
        config, _ = home_of(world)
        return len(load_roots(config.tls.ca.read_bytes())) == count

    return state


def tls_asked(world):
    config, store = home_of(world)
    assert tls_epoch(store, config.tls.certificate.read_bytes()) == 1
    asked = json.loads((world / "44/request.json").read_text())
    before = json.loads((world / "44.request").read_text())
    return store.epochs("tls") == [1, 2] and asked != before


def renewed(world):
    config, store = home_of(world)
    return tls_epoch(store, config.tls.certificate.read_bytes()) == 2


def has_salt(world):
    epochs = store_of(world / "ca").epochs("salt")
    return len(epochs) > 1 and (world / "salts").exists()


def listed(count):
    def state(world):
        content = (world / "ca/revoked.pem").read_bytes()
        found = load_list(content, (world / "ca/ca.pem").read_bytes())
        assert len(found.serials) in (1, count)
        sent = world / "new.pem"
        return len(found.serials) == count and sent.exists() and sent.read_bytes() == content

    return state


def taken(count):
    def state(world):
        node = open_node(load(world / "44/node.toml"))
        node.store.dispose()
        return len(node.revocations.current.serials) == count

    return state


@dataclass(frozen=True)
class Case:
    """A command at a stage, and whether what it does is done."""

    stage: str
    command: Callable[[Path], Sequence[object]]
    is_done: Callable[[Path], bool]
    prepare: Callable[[Path], object] = lambda world: None


def home(*arguments):
    """A command of the member; paths are of the world."""
    return lambda world: (
        *(world / one if isinstance(one, Path) else one for one in arguments),
        "--home",
        world / "44",
    )


def more_revoked(world):
    ok(*ca(world, "revoke", "--code", "44", "--out", world / "more.pem"))


CASES = {
    "roll": Case("made", lambda world: ca(world, "roll", "--out", world / "roots.json"), rolled),
    "switch": Case("taken", lambda world: ca(world, "roll", "--switch"), switched),
    "end": Case("renewed", lambda world: ca(world, "roll", "--end"), ended),
    "take roots": Case("rolled", home("peers", "roots", Path("roots.json")), trusts(2)),
    "drop old root": Case("renewed", home("peers", "roots", "--drop-old"), trusts(1)),
    "tls key": Case(
        "switched",
        home("keys", "rotate", "tls"),
        tls_asked,
        lambda world: shutil.copy(world / "44/request.json", world / "44.request"),
    ),
    "new certificate": Case(
        "answered", lambda world: ("join", "--home", world / "44", world / "44.bundle"), renewed
    ),
    "salt": Case("made", lambda world: ca(world, "salt", "--out", world / "salts"), has_salt),
    "revoke": Case(
        "taken", lambda world: ca(world, "revoke", "--code", "44", "--out", world / "new.pem"), listed(2)
    ),
    "take list": Case("made", home("peers", "revocations", Path("more.pem")), taken(2), more_revoked),
}


LONG = ("roll", "salt", "take list", "take roots", "drop old root", "tls key")


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.long] * (name in LONG)) for name in CASES]
)
def test_killed_before_every_step(stages, tmp_path, name):
    case, seen = CASES[name], []
    copy(stages[case.stage], tmp_path / "before")
    case.prepare(tmp_path / "before")
    assert not case.is_done(tmp_path / "before")
    for world in each_step(tmp_path / "before", tmp_path, case.command):
        seen.append(case.is_done(world))
        again = heqiao(*case.command(world))
        done = seen[-1] and "exists already" in again[2]  # a folder of bundles is not written over
        assert again[0] == 0 or done, again
        assert case.is_done(world)
        ok("audit", "verify", "--home", world / "44")
    assert (seen[0], seen[-1], seen) == (False, True, sorted(seen))
