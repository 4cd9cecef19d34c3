"""The rows of encrypted sums: decrypted by phe, they are the records of the register."""

import secrets

import phe
import pytest
from blake3 import blake3

from matcher import identity, oprf
from matcher.suites import tokens
from matcher.sums import slots
from matcher.sums.cohort import interleave
from node.credentials.sum_keys import SumKeys
from node.database import sum_tables
from node.errors import InputError, PreconditionError
from node.index.sum_blocks import read_rows
from node.registers import importer
from node.wire.sum_messages import BLOCK_ROWS
from tests.support.cached import paillier_key
from tests.support.single_node import LIMITS, make_node, number
from tests.support.sum_fixtures import with_rule

KEYS = SumKeys(1, secrets.token_bytes(32), paillier_key("44"), secrets.token_bytes(32))
PRIVATE = phe.PaillierPrivateKey(
    phe.PaillierPublicKey(int.from_bytes(KEYS.modulus, "big")), KEYS.private.p, KEYS.private.q
)
SIZE = KEYS.private.public.ciphertext_size
WAGES = {number(at, "449999"): 100 * at for at in range(20)} | {number(at, "459999"): at for at in range(3)}


@pytest.fixture
def node(tmp_path):
    made = make_node(tmp_path / "44", {**LIMITS, "k_anonymity": 4}, KEYS)
    yield made
    made.store.dispose()


def bring(node, tmp_path, rows, mode="full", header="id_no,amount_fen", **options):
    path = tmp_path / "wages.csv"
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return importer.import_item(node, "B11", [path], mode=mode, workers=0, **options)


def lines(wages):
    return [f"{person},{fen}" for person, fen in wages.items()]


def point(node, person):
    return oprf.evaluate_own(KEYS.sum_key, tokens.map_to_curve(node.keys.salt, identity.parse(person)))


def held(node):
    """Of each group: value and count that phe decrypts, by point; digest and order are checked."""
    groups = {}
    with node.store.transaction("look") as tx:
        for group in sum_tables.current_groups(tx, "B11", 1):
            rows, number, all_rows = {}, 0, b""
            sealed = {row["point"].tobytes(): row["value"] for some in read_rows(node, group) for row in some}
            while block := sum_tables.read_block(tx, group.id, number):
                count = len(block.points) // 32
                assert len(block.ciphertexts) == count * SIZE
                assert count <= BLOCK_ROWS
                all_rows += interleave(block.points, block.ciphertexts, 32, SIZE)
                for at in range(count):
                    cipher = int.from_bytes(block.ciphertexts[SIZE * at : SIZE * at + SIZE], "big")
                    plain = PRIVATE.raw_decrypt(cipher)
                    rows[block.points[32 * at : 32 * at + 32]] = (plain >> 128) % 2**128
                    assert plain % 2**128 == 1
                number += 1
            assert list(rows) == sorted(rows)
            cap = node.catalogue.item("B11").sum.max_contribution or 2**63
            assert rows == {point: min(int(value), cap) for point, value in sealed.items()}
            assert (len(rows), blake3(all_rows).digest()) == (group.rows, group.digest)
            groups[group.prefix] = rows
    return groups


def sealed_values(node):
    """What is sealed beside the rows: the values of the source."""
    with node.store.transaction("look") as tx:
        groups = sum_tables.current_groups(tx, "B11", 1)
    rows = (row for group in groups for some in read_rows(node, group) for row in some)
    return {row["point"].tobytes(): int(row["value"]) for row in rows}


def merged(node):
    return {point: value for rows in held(node).values() for point, value in rows.items()}


def expected(node, wages):
    return {point(node, person): fen for person, fen in wages.items()}


def test_a_column_is_the_register(node, tmp_path):
    bring(node, tmp_path, lines(WAGES))
    groups = held(node)
    assert {prefix: len(rows) for prefix, rows in groups.items()} == {"449999": 20, "45": 3}
    assert merged(node) == expected(node, WAGES)
    bring(node, tmp_path, lines({number(1): 5}))
    assert merged(node) == expected(node, {number(1): 5})
    assert list(held(node)) == ["44"]


def test_rows_follow_upserts_and_deletes(node, tmp_path):
    bring(node, tmp_path, lines(WAGES))
    changed = {number(3): 7, number(500): 11, number(9, "519999"): 13}
    bring(node, tmp_path, lines(changed), mode="upsert")
    now = WAGES | changed
    assert merged(node) == expected(node, now)
    leaving = [number(4), number(0, "459999"), number(9, "519999"), number(777)]
    bring(node, tmp_path, leaving, mode="delete", header="id_no")
    assert merged(node) == expected(node, {k: v for k, v in now.items() if k not in leaving})


def test_a_record_under_two_numbers_is_one_row_whichever_is_named(node, tmp_path):
    one, former = number(1), number(2)
    header = "id_no,former_id_no,amount_fen"
    bring(node, tmp_path, [f"{one},{former},10", f"{number(3)},,20"], header=header)
    assert sorted(merged(node).values()) == [10, 20]
    bring(node, tmp_path, [f"{former},30"], mode="upsert")
    assert sorted(merged(node).values()) == [20, 30]
    bring(node, tmp_path, [former, one], mode="delete", header="id_no")
    assert sorted(merged(node).values()) == [20]


def test_a_value_that_does_not_fit_is_a_rejected_row(node, tmp_path):
    greatest = slots.Layout.of((), 3072).max_value
    rows = lines({number(1): greatest, number(2): greatest + 1, number(3): 0})
    done = bring(node, tmp_path, rows, rejects_file=tmp_path / "rejects.csv")
    assert (done.tally.read, done.tally.accepted, done.tally.rejected) == (3, 2, 1)
    assert dict(done.tally.reasons) == {"amount_too_large": 1}
    assert merged(node) == expected(node, {number(1): greatest, number(3): 0})


@pytest.mark.parametrize("mode", ["full", "upsert"])
def test_a_contribution_is_capped_at_what_the_noise_hides(node, tmp_path, mode):
    """Also of people with two numbers, of several rows, and above what a slot holds without the cap."""
    capped = {"mode": "dp", "epsilon_milli": 500, "max_contribution": 5_000}
    node, most = with_rule(node, **capped), slots.Layout.of((), 3072).max_value
    if mode == "upsert":
        bring(node, tmp_path, lines({number(1): 1}))
    rows = [
        f"{number(1)},,4999",
        f"{number(2)},,5000",
        f"{number(3)},,5001",
        f"{number(4)},{number(5)},{most}",
    ]
    rows += [f"{number(6)},,3000,{name}" for name in "ab"] + [f"{number(7)},,{most},{name}" for name in "ab"]
    header = "id_no,former_id_no,amount_fen,record_no"
    bring(node, tmp_path, rows, mode=mode, header=header)
    wanted = {1: 4_999, 2: 5_000, 3: 5_000, 4: 5_000, 6: 5_000, 7: 5_000}
    assert merged(node) == expected(node, {number(at): fen for at, fen in wanted.items()})
    plain = {1: 4_999, 2: 5_000, 3: 5_001, 4: most, 6: 6_000, 7: 2 * most}
    assert sealed_values(node) == expected(node, {number(at): fen for at, fen in plain.items()})


@pytest.mark.parametrize("change", [{"bands": (1, 500)}, {"mode": "dp", "max_contribution": 700}])
def test_rows_of_one_group_are_packed_by_one_rule(node, tmp_path, change):
    """After a change of the catalogue an upsert would mix them; a full import makes all anew."""
    bring(node, tmp_path, lines(WAGES))
    other = with_rule(node, **change)
    for mode, rows, header in (
        ("upsert", [f"{number(1)},5"], "id_no,amount_fen"),
        ("delete", [number(1)], "id_no"),
    ):
        with pytest.raises(
            PreconditionError, match="bands or cap of its sums, or the release, changed"
        ) as refused:
            bring(other, tmp_path, rows, mode=mode, header=header)
        assert "full export" in refused.value.hint
    assert merged(node) == expected(node, WAGES)
    bring(other, tmp_path, lines(WAGES))
    bring(other, tmp_path, lines({number(1): 5}), mode="upsert")
    most = change.get("max_contribution", 10**9)
    assert merged(other) == expected(
        node, {who: min(fen, most) for who, fen in (WAGES | {number(1): 5}).items()}
    )
    # Another part of the rule is no matter of packing.
    bring(with_rule(other, min_cohort=77), tmp_path, lines({number(1): 6}), mode="upsert")


def test_what_fails_leaves_the_rows_as_they_were(node, tmp_path, monkeypatch):
    bring(node, tmp_path, lines(WAGES))
    before = merged(node)
    with pytest.raises(InputError):
        bring(node, tmp_path, ["nobody,1"])
    monkeypatch.setattr(importer, "publish", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        bring(node, tmp_path, lines({number(1): 5}))
    assert merged(node) == before
    monkeypatch.undo()
    assert bring(node, tmp_path, lines(WAGES)).rolled_back
    assert merged(node).keys() == before.keys()


def test_equal_values_have_different_ciphertexts(node, tmp_path):
    bring(node, tmp_path, lines({number(at): 5 for at in range(6)}))
    with node.store.transaction("look") as tx:
        (group,) = sum_tables.current_groups(tx, "B11", 1)
        block = sum_tables.read_block(tx, group.id, 0)
    assert len({block.ciphertexts[SIZE * at : SIZE * at + SIZE] for at in range(6)}) == 6
