"""For tests of sums: a node's rows of B11, decrypted by phe, and the expected rows."""

from dataclasses import replace

import phe
from blake3 import blake3

from matcher import identity, oprf
from matcher.suites import tokens
from matcher.sums import slots
from matcher.sums.cohort import interleave
from node.database import key_epochs, sum_tables
from node.index.sum_blocks import read_rows
from node.registers import importer


def bring(node, tmp_path, rows, mode="full", header="id_no,former_id_no,amount_fen"):
    path = tmp_path / "wages.csv"
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return importer.import_item(node, "B11", [path], mode=mode, workers=0)


def epoch_states(node):
    """The state of each epoch of the keys of sums, which must agree."""
    with node.store.transaction("look") as tx:
        every = key_epochs.read_epochs(tx)
    found = {
        epoch: {key.state.value for key in every if key.epoch == epoch} for epoch in {k.epoch for k in every}
    }
    assert all(len(one) == 1 for one in found.values())
    return {epoch: one.pop() for epoch, one in found.items()}


def with_rule(node, **changes):
    """The node under another catalogue: the rule of B11 changed."""
    rule = replace(node.catalogue.item("B11").sum, **changes)
    items = tuple(replace(one, sum=rule) if one.code == "B11" else one for one in node.catalogue.items)
    return replace(node, catalogue=replace(node.catalogue, items=items))


def phe_key(keys):
    public = phe.PaillierPublicKey(int.from_bytes(keys.modulus, "big"))
    return phe.PaillierPrivateKey(public, keys.private.p, keys.private.q)


def held(node, keys=None):
    """The slots that phe decrypts, by point of the current sum key.

    Digest, order and check are verified, and that phe decrypts the value that is sealed beside a row, capped.
    """
    keys = keys or node.keys.sums
    private, size, found = phe_key(keys), keys.private.public.ciphertext_size, {}
    rule = node.catalogue.item("B11").sum
    layout, cap = rule.layout, rule.max_contribution or 2**63
    check = slots.CheckKey.derive(keys.check, "B11", layout)
    with node.store.transaction("look") as tx:
        for group in sum_tables.current_groups(tx, "B11", keys.epoch):
            every, at, last = b"", 0, b""
            sealed = {
                row["point"].tobytes(): int(row["value"]) for rows in read_rows(node, group) for row in rows
            }
            while block := sum_tables.read_block(tx, group.id, at):
                every += interleave(block.points, block.ciphertexts, 32, size)
                for row in range(len(block.points) // 32):
                    point = block.points[32 * row : 32 * row + 32]
                    assert point > last
                    last = point
                    cipher = int.from_bytes(block.ciphertexts[size * row : size * row + size], "big")
                    totals = slots.unpack(layout, private.raw_decrypt(cipher))
                    slots.require_consistent(check, totals)
                    assert min(sealed.pop(point), cap) == totals.total
                    bits = blake3(b"heqiao v1 sum guard" + point, key=keys.check).digest()[0]
                    assert totals.guards == tuple(bits >> bit & 1 for bit in range(8))
                    found[point] = (totals.count, totals.total, group.prefix)
                at += 1
            assert not sealed
            assert blake3(every).digest() == group.digest
    return found


def expected(node, wages):
    keys = node.keys.sums
    point = {
        person: oprf.evaluate_own(keys.sum_key, tokens.map_to_curve(node.keys.salt, identity.parse(person)))
        for person in wages
    }
    return {point[person]: (1, fen) for person, fen in wages.items()}


def plain(found):
    return {point: row[:2] for point, row in found.items()}
