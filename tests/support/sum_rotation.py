"""A home whose wages are summed, and cohorts to query."""

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from keys.store.kinds import generate_secret
from keys.types import RotationPolicy
from matcher import identity
from matcher.suites.suite import CURRENT
from node.context import Node
from node.credentials.sum_keys import SumKeys
from node.domain.catalogue import BUILT_IN
from node.rotation import sums
from testbed.drill.sums import CATALOGUE, write_catalogue
from tests.support.cached import paillier_key
from tests.support.federation import set_config
from tests.support.single_node import LIMITS, copied, make_node, number, with_key_store
from tests.support.sum_fixtures import bring
from tests.support.sum_peer import begin, blind_cohort, keep_peer, send

POLICY = RotationPolicy(timedelta(days=90), timedelta(days=7))


KEYS = SumKeys(1, secrets.token_bytes(32), paillier_key("44"), secrets.token_bytes(32))


LIMITS_4 = {**LIMITS, "k_anonymity": 4}


WAGES = {number(at): 1000 * at + 7 for at in range(13)} | {number(at, "459999"): at for at in range(3)}


FORMER = number(700)  # of the first person


@pytest.fixture(scope="module")
def drawn():
    """Paillier keys take a moment to draw."""
    return [paillier_key(name) for name in ("drawn", "drawn next")]


@pytest.fixture(scope="module")
def register(tmp_path_factory):
    """A home whose register is imported."""
    return make_register(tmp_path_factory.mktemp("register"), WAGES)


@pytest.fixture
def home(tmp_path, monkeypatch, drawn, register):
    monkeypatch.setattr(
        sums,
        "generate_secret",
        lambda purpose, *rest: drawn[0] if purpose == "paillier" else generate_secret(purpose, *rest),
    )
    node, store = with_key_store(copied(register, tmp_path / "44", LIMITS_4, KEYS))
    yield node, store
    node.store.dispose()


def ask(node, people, epoch, query):
    """Rounds 1 to 3 under an epoch."""
    keys = node.keys.sums_of(epoch, node.clock())
    blind = CURRENT.cohort_blind(secrets.token_bytes(32))
    blinded = blind_cohort(node, people, blind)
    joined = send(node, replace(begin(query, len(blinded) // 32), epoch=epoch), blinded)
    return keys, blind, {joined[at : at + 32] for at in range(0, len(joined), 32)}


def make_register(folder: Path, wages: Mapping[str, int]) -> Node:
    """A home with these wages, and a peer; nothing of it is open."""
    node = make_node(folder / "44", LIMITS_4, KEYS)
    rows = [f"{person},{FORMER if not at else ''},{fen}" for at, (person, fen) in enumerate(wages.items())]
    bring(node, folder, rows)
    keep_peer(node)
    node.store.dispose()
    return node


LAW = "SA-2026-41"


def give_room(homes: Iterable[Path], folder: Path) -> None:
    """The drill's catalogue: exact sums, and honest cohorts are hardly ever taken for near ones."""
    target = folder / CATALOGUE
    write_catalogue(BUILT_IN, target)
    for home in homes:
        set_config(home, "catalogue", path=str(target))


def number(order: int) -> str:
    body = f"4599991985{1 + order // 1000 % 12:02}{1 + order // 12000 % 28:02}{order % 1000:03}"
    return body + identity.check_digit(body)
