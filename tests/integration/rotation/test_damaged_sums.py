"""Damage to stored rows of sums: found by the seal, named, published by nothing, mended by a full import."""

from functools import partial

import pytest
from sqlalchemy import create_engine, text

from node.database import sum_tables
from node.errors import UnavailableError
from node.index import sum_blocks
from node.rotation import driver
from node.rotation.kinds import SUMS
from tests.support.single_node import number
from tests.support.sum_fixtures import bring, epoch_states, expected, held, phe_key, plain
from tests.support.sum_rotation import POLICY, drawn, home, make_register  # noqa: F401  a home with sums

WAGES = {number(at): 1000 * at + 7 for at in range(4)} | {number(at, "459999"): at for at in range(2)}
DAMAGE = "B11, area 4[45]9*: the stored rows of sums are damaged"


@pytest.fixture(scope="module")
def register(tmp_path_factory):
    """Of few people, in two areas: each damage is mended by encrypting all of them again."""
    return make_register(tmp_path_factory.mktemp("register"), WAGES)


def database(node):
    return create_engine(f"sqlite:///{node.config.folder}/heqiao.db")


def alter(node, column, change):
    """Change a column of the first stored block."""
    with database(node).begin() as tx:
        row = tx.execute(text(f"SELECT rowid, {column} FROM sum_blocks")).first()
        changed = {"b": change(getattr(row, column)), "r": row.rowid}
        tx.execute(text(f"UPDATE sum_blocks SET {column} = :b WHERE rowid = :r"), changed)


def require_refused(node, store, tmp_path):
    """Neither a rotation nor an upsert goes on."""
    with pytest.raises(UnavailableError, match=DAMAGE) as told:
        driver.rotate(SUMS, node, store, POLICY)
    assert "import B11" in told.value.hint
    assert not any(person in f"{told.value} {told.value.hint}" for person in WAGES)
    assert (epoch_states(node), node.keys.sums.epoch) == ({1: "active", 2: "pending"}, 1)
    with pytest.raises(UnavailableError, match=DAMAGE):
        bring(node, tmp_path, [f"{person},,5" for person in WAGES], mode="upsert")


def require_damaged(node, store, tmp_path):
    """The same, and a full import mends it."""
    require_refused(node, store, tmp_path)
    bring(node, tmp_path, [f"{person},,{fen}" for person, fen in WAGES.items()])
    assert driver.rotate(SUMS, node, store, POLICY).epoch == 2
    assert plain(held(node)) == expected(node, WAGES)


@pytest.mark.parametrize("forged", ["another number", "two people"])
def test_altered_rows_are_told_and_change_nothing(home, tmp_path, forged):
    """A ciphertext of our own key, and a row of two people: both pass a glance and not the seal."""
    node, store = home
    keys = node.keys.sums
    public, size = phe_key(keys).public_key, keys.private.public.ciphertext_size

    def forge(ciphertexts):
        first, second = (int.from_bytes(ciphertexts[size * at : size * at + size], "big") for at in (0, 1))
        made = public.encrypt(5).ciphertext() if forged == "another number" else first * second
        return (made % public.nsquare).to_bytes(size, "big") + ciphertexts[size:]

    alter(node, "ciphertexts", forge)
    require_damaged(node, store, tmp_path)


@pytest.mark.parametrize("column", ["points", "days", "ciphertexts", "values_sealed"])
def test_a_flipped_bit_is_found_by_the_seal(home, tmp_path, column):
    """The first, one in the middle and the last; the same bit again leaves what was there."""
    node, store = home

    def flip(place, data):
        at = int(place * (len(data) - 1))
        return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]

    for place in (0, 0.5, 1):
        alter(node, column, partial(flip, place))
        require_refused(node, store, tmp_path)
        alter(node, column, partial(flip, place))
    assert driver.rotate(SUMS, node, store, POLICY).epoch == 2
    assert plain(held(node)) == expected(node, WAGES)


def reseal(change):
    """The values of the first block sealed again at their place, changed: as by a fault of our own."""

    def write(node):
        (group, *_) = groups(node)
        with node.store.transaction("look") as tx:
            block = sum_tables.read_block(tx, group.id, 0)
        place = sum_blocks.place_of(group, 0, block.points, block.days, block.ciphertexts)
        values = node.keys.vault.unseal(place, block.values_sealed)
        alter(node, "values_sealed", lambda _: node.keys.vault.seal(place, change(values)))

    return write


def cut_off(column, size):
    return lambda node: alter(node, column, lambda data: data[:-size])


def groups(node, epoch=1):
    with node.store.transaction("look") as tx:
        return sum_tables.current_groups(tx, "B11", epoch)


def exchange(column):
    """A column of the blocks of both groups, exchanged."""

    def write(node):
        with database(node).begin() as tx:
            rows = tx.execute(text(f"SELECT rowid, {column} FROM sum_blocks ORDER BY rowid")).all()
            assert len(rows) == 2
            for row, other in zip(rows, rows[::-1], strict=True):
                values = {"b": getattr(other, column), "r": row.rowid}
                tx.execute(text(f"UPDATE sum_blocks SET {column} = :b WHERE rowid = :r"), values)

    return write


def one_block_for_both(node):
    """A whole block, with its seal, in the place of another group's."""
    with database(node).begin() as tx:
        columns = ("points", "days", "ciphertexts", "values_sealed")
        setting = ", ".join(f"{one} = (SELECT {one} FROM sum_blocks WHERE rowid = 1)" for one in columns)
        tx.execute(text(f"UPDATE sum_blocks SET {setting} WHERE rowid = 2"))


def an_old_block(node):
    """Of the version before an upsert, whole and with its seal."""
    bring(node, node.config.folder, [f"{next(iter(WAGES))},,5"], mode="upsert")
    with database(node).begin() as tx:
        twice = "SELECT prefix FROM sum_groups GROUP BY prefix HAVING count(*) = 2"
        old, new = tx.execute(
            text(f"SELECT id FROM sum_groups WHERE prefix IN ({twice}) ORDER BY version")
        ).scalars()
        tx.execute(text("DELETE FROM sum_blocks WHERE group_id = :g"), {"g": new})
        tx.execute(text("UPDATE sum_blocks SET group_id = :n WHERE group_id = :o"), {"n": new, "o": old})


def remove_a_block(node):
    with database(node).begin() as tx:
        tx.execute(text("DELETE FROM sum_blocks WHERE rowid = (SELECT min(rowid) FROM sum_blocks)"))


def shift_bytes(node):
    """Bytes of one column in another: what they are together is the same."""
    with database(node).begin() as tx:
        row = tx.execute(text("SELECT days, ciphertexts FROM sum_blocks WHERE rowid = 1")).one()
        changed = {"d": row.days[:-4], "c": row.days[-4:] + row.ciphertexts}
        tx.execute(text("UPDATE sum_blocks SET days = :d, ciphertexts = :c WHERE rowid = 1"), changed)


FAULTS = {
    "points cut": cut_off("points", 32),
    "a ciphertext cut": cut_off("ciphertexts", 1),
    "all ciphertexts cut": cut_off("ciphertexts", 768),
    "days cut": cut_off("days", 4),
    "sealed values cut": cut_off("values_sealed", 8),
    "no sealed values": lambda node: alter(node, "values_sealed", lambda _: b""),
    "a newer seal": lambda node: alter(node, "values_sealed", lambda data: data[:6] + b"\x09" + data[7:]),
    "a value too few": reseal(lambda values: values[:-8]),
    "a value too many": reseal(lambda values: values + bytes(8)),
    "half a value": reseal(lambda values: values[:-4]),
    "values exchanged": exchange("values_sealed"),
    "days exchanged": exchange("days"),
    "a block twice": one_block_for_both,
    "a block that is gone": remove_a_block,
    "an old block": an_old_block,
    "bytes in another column": shift_bytes,
    "a row fewer announced": lambda node: execute(node, "UPDATE sum_groups SET rows = rows - 1"),
    "another digest": lambda node: execute(node, "UPDATE sum_groups SET digest = zeroblob(32)"),
}


def execute(node, statement):
    with database(node).begin() as tx:
        tx.execute(text(statement))


@pytest.mark.parametrize("fault", FAULTS)
def test_damage_is_named_and_mended_by_a_full_import(home, tmp_path, fault):
    node, store = home
    FAULTS[fault](node)
    require_damaged(node, store, tmp_path)


def test_a_group_that_is_whole_is_not_held_up_by_the_damage_of_another(home):
    """Damage found later leaves what was done before it; nothing is published."""
    node, store = home
    with database(node).begin() as tx:
        last = tx.execute(text("SELECT max(group_id) FROM sum_blocks")).scalar()
        tx.execute(text("DELETE FROM sum_blocks WHERE group_id = :g"), {"g": last})
    for _ in range(2):
        with pytest.raises(UnavailableError, match=DAMAGE):
            driver.rotate(SUMS, node, store, POLICY)
        with database(node).connect() as tx:
            prepared = tx.execute(text("SELECT rows, published_at FROM sum_groups WHERE epoch = 2")).all()
        assert len(prepared) == 1
        assert prepared[0].published_at is None
