"""Moves tokens, and the entries made of them, to another OPRF key without source data (design.md 3.1).

    rekey_tokens   T' = (k'/k) T, each token once, in its slot
    take_tokens    pointers, plain records and the tokens of both epochs -> new tags and label keys

Pointers and records stay as they are, and no label is opened. A bucket keeps its number and its people, since
buckets are cut by identity and not by tag.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from matcher.suites.suite import CURRENT
from matcher.types import TokenClass
from node.compute.scratch import Piece, SealedScratch
from node.index.entries import altered, load_entries, set_keys
from node.index.layout import Place
from node.index.stored_entries import find_tokens
from node.index.token_blocks import Blocks, TokenBlock, TokenTable, pack, unpack


@dataclass(frozen=True, slots=True)
class Rekeying:
    """What every process of a rotation needs: both epochs with the keys that class keys derive from."""

    old_epoch: int
    old: bytes = field(repr=False)
    new_epoch: int
    new: bytes = field(repr=False)
    folder: Path
    scratch_key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class TokensToRekey:
    """Blocks of a class by prefix, and those that an earlier run made of them."""

    token_class: TokenClass
    old: Blocks = field(repr=False)
    new: Blocks = field(repr=False)


@dataclass(frozen=True, slots=True)
class EntriesToRekey:
    """Copied entries of one part under the old epoch, with the blocks that they point to in both."""

    place: Place
    pieces: Sequence[Piece]
    old: Blocks = field(repr=False)
    new: Blocks = field(repr=False)


def rekey_tokens(work: Rekeying, _scratch: SealedScratch, task: TokensToRekey) -> Mapping[int, bytes]:
    """The blocks under the new key; a token that the earlier run has already is not multiplied again."""
    new, old = (CURRENT.class_key(key, task.token_class) for key in (work.new, work.old))
    before = {prefix: unpack(content) for prefix, content in task.old.items()}
    made = {prefix: _extend(block, unpack(task.new.get(prefix, b""))) for prefix, block in before.items()}
    missing = {
        prefix: np.flatnonzero(before[prefix].used & ~block.tokens.any(axis=1))
        for prefix, block in made.items()
    }
    tokens = CURRENT.rekey(
        new, old, np.concatenate([before[prefix].tokens[slots] for prefix, slots in missing.items()])
    )
    at = 0
    for prefix, slots in missing.items():
        made[prefix].tokens[slots] = tokens[at : at + len(slots)]
        at += len(slots)
    return {prefix: pack(block) for prefix, block in made.items()}


def _extend(before: TokenBlock, after: TokenBlock) -> TokenBlock:
    """The slots of `before`, with the tokens of `after` where it holds the same digest."""
    tokens = np.zeros_like(before.tokens)
    same = np.flatnonzero(before.used[: len(after)] & (before.digests[: len(after)] == after.digests).all(1))
    tokens[same] = after.tokens[same]
    return TokenBlock(before.digests, tokens)


def take_tokens(work: Rekeying, scratch: SealedScratch, task: EntriesToRekey) -> Piece:
    """Give entries new tags and label keys. Raises UnavailableError where one does not fit its token."""
    entries = load_entries(task.place, scratch, task.pieces).copy()
    old, new = TokenTable(task.old), TokenTable(task.new)
    if (find_tokens(task.place, entries, old) < 0).any():
        raise altered(task.place.item)
    rows = new.follow(entries["pointer"])
    if (rows < 0).any():
        raise altered(task.place.item)
    set_keys(entries, Place(task.place.item, task.place.width, work.new_epoch), new.slots.tokens[rows])
    return scratch.write(entries.tobytes())
