"""A home with a register and a second salt."""

import secrets
from dataclasses import replace

import pytest

from node.domain.peers import PeerRow, read_grants
from node.registers import importer
from tests.support.single_node import LIMITS, make_node, number, ring_of, with_key_store

PEOPLE = [number(i) for i in range(40)] + [number(i, "459999") for i in range(20)]


def write_register(path, people=PEOPLE, header="id_no,record_no"):
    rows = [header, *(f"{person},a{at}" for at, person in enumerate(people))]
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def home(tmp_path):
    node, store = with_key_store(make_node(tmp_path / "44", {**LIMITS, "k_anonymity": 8}))
    store.add("salt.2", secrets.token_bytes(32))
    node = replace(node, ring=ring_of(node, store))
    importer.import_item(node, "C21", [write_register(tmp_path / "r.csv")])
    yield node, store
    node.store.dispose()


def run(node, tmp_path, people, mode="full", **options):
    file = write_register(tmp_path / "more.csv", people)
    return importer.import_item(node, "C21", [file], mode=mode, **options)


PEER = PeerRow("45", "广西", "localhost:1", b"", False, read_grants(("44", "45", "D35:44", "D35:45")))
