"""A node without network for tests of the import: real database, real keys, small buckets."""

import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import event

from keys import KdfCost, KeyStore
from keys.store.vault import Vault
from matcher import Identity, LabelRecord, buckets, identity, label, merkle, oprf, pads
from matcher.suites import tokens
from matcher.suites.suite import CURRENT
from matcher.suites.tokens import TAG_SIZE
from node import config
from node.context import Node
from node.credentials.active_keys import active_epoch, grace_keys, read_salts, salt_in_use, upcoming_key
from node.credentials.keyring import Epochs, KeyRing, NodeKeys
from node.credentials.sum_keys import SUM_PURPOSES, SumKeys, active_sums, grace_sums
from node.database import Store, key_epochs, open_store
from node.database import partitions as index_rows
from node.database.engine import make_engine
from node.domain import catalogue
from tests.support.cached import empty_database

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
LIMITS: Mapping[str, int] = {"k_anonymity": 2, "planted_per_partition": 1}


def make_node(folder: Path, limits: Mapping[str, int] = LIMITS, sums: SumKeys | None = None) -> Node:
    folder.mkdir(parents=True, exist_ok=True)
    lines = [f"{name} = {value}" for name, value in limits.items()]
    text = "\n".join(["[node]", 'code = "44"', 'name = "test"', "[limits]", *lines])
    (folder / "node.toml").write_text(text, encoding="utf-8")
    if not (folder / "heqiao.db").exists():
        (folder / "heqiao.db").write_bytes(empty_database())
    loaded = config.load(folder / "node.toml")
    secret = secrets.token_bytes(32)
    keys = NodeKeys(
        epoch=1,
        oprf=secret,
        canaries=CURRENT.class_canaries(secret),
        record=secrets.token_bytes(32),
        salts={1: secrets.token_bytes(32)},
        signing=secrets.token_bytes(32),
        vault=Vault({1: secrets.token_bytes(32)}, 1),
        digest_key=secrets.token_bytes(32),
        tls_key=b"",
        certificate=b"",
        ca=b"",
        sums=sums,
    )
    return Node(
        loaded,
        open_store(f"sqlite:///{folder}/heqiao.db"),
        KeyRing.fixed(keys),
        catalogue.load(),
        lambda: NOW,
    )


def copied(node: Node, folder: Path, limits: Mapping[str, int] = LIMITS, sums: SumKeys | None = None) -> Node:
    """The home of a node that is closed, with all it holds and the same keys, for a test that changes it."""
    shutil.copytree(node.config.folder, folder)
    return replace(make_node(folder, limits, sums), ring=node.ring)


def number(order: int, area: str = "449999") -> str:
    body = f"{area}1990{1 + order // 1000 % 12:02}{1 + order // 12000 % 28:02}{order % 1000:03}"
    return body + identity.check_digit(body)


def class_key(node: Node, code: str) -> bytes:
    """The key of an item's class in the active epoch."""
    return CURRENT.class_key(node.keys.oprf, node.catalogue.item(code).token_class)


class Held:
    """The served partitions of one item, read and checked as by a peer with all grants."""

    def __init__(self, node: Node, code: str) -> None:
        self.node, self.code = node, code
        self.buckets: dict[tuple[str, int], dict[bytes, bytes]] = {}
        self.served: dict[tuple[str, int], bytes] = {}
        self.tags: dict[str, set[bytes]] = {}
        with node.store.transaction("look") as tx:
            self.partitions = {row.origin: row for row in index_rows.partitions_of(tx, code, node.keys.epoch)}
            for origin, row in self.partitions.items():
                self._read(tx, origin, row)

    def _read(self, tx, origin: str, row: index_rows.PartitionRow) -> None:
        stored = index_rows.read_buckets(tx, row.id, range(1 << row.bits))
        leaves = [buckets.bucket_leaf(number, entries) for number, entries in stored]
        assert [number for number, _ in stored] == list(range(1 << row.bits))
        assert (merkle.root(leaves), b"".join(leaves)) == (row.root, index_rows.read_leaves(tx, row.id))
        for number, entries in stored:
            self.served[origin, number] = entries
            self.buckets[origin, number] = buckets.read_bucket(entries, buckets.entry_size(row.width))
        self.tags[origin] = {tag for number in range(1 << row.bits) for tag in self.buckets[origin, number]}
        assert len(self.tags[origin]) == row.entries
        k = self.node.config.limits.k_anonymity
        assert buckets.bucket_bits(row.entries, k, 0) <= row.bits <= buckets.bucket_bits(row.entries, k)
        assert row.pads == pads.pad_count(row.entries - row.pads, k)

    def people(self, origin: str) -> set[bytes]:
        """The tags of a partition that are not those of pads."""
        row, keys = self.partitions[origin], self.node.keys
        place = self.code, origin, keys.epoch, range(row.pads), row.width
        served, prefixes = pads.draw_pads(pads.pad_key(class_key(self.node, self.code)), *place)
        found = {bytes(row[:TAG_SIZE]) for row in served}
        for entry, prefix in zip(map(bytes, served), prefixes.tolist(), strict=True):
            bucket = self.buckets[origin, buckets.bucket_number(prefix, row.bits)]
            assert bucket[entry[:TAG_SIZE]] == entry[TAG_SIZE:]
        return self.tags[origin] - found

    def open(self, found: Identity) -> tuple[LabelRecord, bytes] | None:
        """The record under an identity with the key of its label, None where there is none."""
        keys, origin = self.node.keys, identity.origin(found)
        if origin not in self.partitions:
            return None
        key = class_key(self.node, self.code)
        secret = tokens.token_secret(oprf.evaluate_own(key, tokens.map_to_curve(keys.salt, found)))
        tag, key = tokens.entry_keys(secret, self.code, keys.epoch)
        bits = self.partitions[origin].bits
        sealed = self.buckets[
            origin, buckets.bucket_number(tokens.bucket_prefix(keys.salt, found), bits)
        ].get(tag)
        if sealed is None:
            return None
        place = label.associated_data(self.code, origin, keys.epoch, tag)
        opened = label.open_label(key, sealed, self.partitions[origin].width, place)
        return replace(opened, as_of=opened.as_of or self.partitions[origin].date), key


def with_key_store(node: Node) -> tuple[Node, KeyStore]:
    """The same node with its OPRF key in a key store, so that the key can rotate."""
    folder = node.config.folder / "keys"
    store = KeyStore.create(folder, b"only for tests", cost=KdfCost(iterations=1, lanes=1, memory_kib=8))
    store.add("oprf.1", node.keys.oprf)
    sums = node.keys.sums
    if sums is not None:
        for purpose, secret in zip(SUM_PURPOSES, (sums.sum_key, sums.primes, sums.check), strict=True):
            store.add(f"{purpose}.1", secret)
    store.add("salt.1", node.keys.salt)
    return replace(node, ring=ring_of(node, store)), store


def ring_of(node: Node, store: KeyStore) -> KeyRing:
    """Keys of the epochs that the database knows, with all other keys of the node."""
    first = node.keys

    def read() -> Epochs:
        with node.store.transaction("read key epochs") as tx:
            return key_epochs.read_epochs(tx)

    def load(found: Epochs) -> NodeKeys:
        epoch = active_epoch(store, found)
        return replace(
            first,
            epoch=epoch,
            oprf=store.get(f"oprf.{epoch}"),
            canaries=CURRENT.class_canaries(store.get(f"oprf.{epoch}")),
            grace=grace_keys(store, found),
            sums=active_sums(store, found),
            grace_sums=grace_sums(store, found),
            salts=read_salts(store, found),
            salt_in_use=salt_in_use(found),
            upcoming=upcoming_key(store, found),
        )

    return KeyRing(read, load)


@contextmanager
def cramped(node: Node, spare: int) -> Iterator[Node]:
    """The same node on a disk with room for only a few more pages of its SQLite file."""
    with node.store.transaction("look") as tx:
        used = tx.exec_driver_sql("PRAGMA page_count").scalar()
    engine = make_engine(f"sqlite:///{node.config.folder}/heqiao.db")

    @event.listens_for(engine, "connect")
    def limit(connection, _record) -> None:
        connection.execute(f"PRAGMA max_page_count = {used + spare}")

    full = Store(engine)
    yield replace(node, store=full)
    full.dispose()
