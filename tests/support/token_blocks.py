"""What the token blocks of a node hold, and whether the index points to it rightly: an oracle of its own.

Tokens are computed by the scalar steps of the protocol, one identity at a time.
"""

from sqlalchemy import select, update

from matcher import batch, buckets, identity, oprf
from matcher.suites import tokens
from matcher.suites.suite import CURRENT
from matcher.types import TokenClass
from node.database import index_tables
from node.database import partitions as index_rows


def token_of(node, found, token_class):
    key = CURRENT.class_key(node.keys.oprf, token_class)
    return oprf.evaluate_own(key, tokens.map_to_curve(node.keys.salt, found))


def stored_blocks(node, epoch=None):
    """(class, prefix) -> [(digest, token), ...] by slot, of an epoch."""
    rows, epoch = index_tables.token_blocks, node.keys.epoch if epoch is None else epoch
    with node.store.transaction("look") as tx:
        found = tx.execute(select(rows).where(rows.c.epoch == epoch)).all()
    blocks = {}
    for row in found:
        name, prefix, version = row._mapping["class"], row.prefix, row.version
        content = node.keys.vault.unseal(f"tokens {name} {epoch} {prefix} {version}", bytes(row.sealed))
        count = int.from_bytes(content[:4], "big")
        assert len(content) == 4 + 48 * count
        middle = 4 + 16 * count
        blocks[TokenClass(name), prefix] = [
            (content[4 + 16 * at : 20 + 16 * at], content[middle + 32 * at : middle + 32 * at + 32])
            for at in range(count)
        ]
    return blocks


def held_tokens(node, epoch=None):
    """Tokens by class and digest; each digest is there once, in the block of its first 12 bits."""
    found = {each: {} for each in TokenClass}
    for (token_class, prefix), slots in stored_blocks(node, epoch).items():
        for digest, token in slots:
            if any(digest):
                assert int.from_bytes(digest[:2], "big") >> 4 == prefix
                assert digest not in found[token_class]
                found[token_class][digest] = token
            else:
                assert not any(token)
    return found


def pointers_in_use(node):
    """All pointers of current partitions by class; each leads to the token that gives its entry's tag."""
    blocks, found = stored_blocks(node), {each: set() for each in TokenClass}
    with node.store.transaction("look") as tx:
        for part in index_rows.partitions_of_epoch(tx, node.keys.epoch):
            for row in index_rows.read_cut(tx, part.cut, part.version, range(1 << part.bits)):
                place = f"kept {part.item} {part.origin} {part.epoch} {row.number}"
                kept = node.keys.vault.unseal(place, row.kept_sealed)
                size = buckets.entry_size(part.width)
                count = len(row.entries) // size
                assert len(kept) == count * (4 + 10 + part.width)
                for at in range(count):
                    pointer = int.from_bytes(kept[4 * at : 4 * at + 4], "big")
                    if pointer == 0xFFFFFFFF:
                        continue
                    _, token = blocks[part.token_class, pointer >> 20][pointer & 0xFFFFF]
                    secret = tokens.token_secret(token)
                    tag, _ = tokens.entry_keys(secret, part.item, part.epoch)
                    assert tag == row.entries[at * size : at * size + 10]
                    found[part.token_class].add(pointer)
    return found


def check_tokens(node, *, unused=True):
    """Blocks and pointers fit each other; without `unused` nothing is held that no entry points to."""
    held, used = held_tokens(node), pointers_in_use(node)
    for each in TokenClass:
        assert len(used[each]) <= len(held[each])
        assert unused or len(used[each]) == len(held[each])
    return held


def damage_block(node, number, token_class=TokenClass.ORDINARY):
    """Flip a bit of the block with the token of a person in the active epoch."""
    rows = index_tables.token_blocks
    place = (rows.c["class"] == token_class.value, rows.c.epoch == node.keys.epoch)
    with node.store.transaction("damage", write=True) as tx:
        prefix = int.from_bytes(digest_of(node, number)[:2], "big") >> 4
        place = (*place, rows.c.prefix == prefix)
        bad = bytearray(tx.scalar(select(rows.c.sealed).where(*place)))
        bad[60] ^= 1
        tx.execute(update(rows).where(*place).values(sealed=bytes(bad)))


def digest_of(node, number):
    """The placing digest of a resident number."""
    found = identity.parse(number)
    return CURRENT.digests(node.keys.salt, *batch.pack_identities([(found.id_type, found.value)]))[
        0
    ].tobytes()
