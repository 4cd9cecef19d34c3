"""Any imports and rotations of several items: the partitions are those of a first import, the tokens fit."""

import shutil
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from keys.types import RotationPolicy
from node.index import layout
from node.index.verify import verify_index
from node.registers import importer
from node.rotation import driver
from node.rotation.kinds import OPRF
from tests.support.effort import examples
from tests.support.item_registers import AMOUNTS, HEADERS, ITEMS, load
from tests.support.single_node import LIMITS, Held, make_node, number, with_key_store
from tests.support.token_blocks import check_tokens

POLICY = RotationPolicy(timedelta(days=90), timedelta(days=7))
line = st.tuples(st.integers(0, 25), st.integers(-60, 25))
step = st.one_of(
    st.tuples(
        st.sampled_from(["full", "upsert", "upsert", "delete"]),
        st.sampled_from(ITEMS),
        st.lists(line, min_size=1, max_size=10),
    ),
    st.tuples(st.just("rotate"), st.just(""), st.just([])),
)
_NUMBERS = [number(at) for at in range(20)] + [number(at, "459999") for at in range(6)]


def _rows(lines):
    people = dict(lines)
    return [_NUMBERS[one] for one in people], [
        (_NUMBERS[one], _NUMBERS[other]) for one, other in people.items() if other >= 0
    ]


class Facts:
    """The groups of numbers that each item holds a record of: the plain register."""

    def __init__(self):
        self.groups = {item: [] for item in ITEMS}

    def change(self, mode, item, people, former):
        others = dict(former)
        new = join([{person, others.get(person, person)} for person in people])
        named = set().union(*new)
        if mode == "full":
            self.groups[item] = new
            return
        left = [group for group in self.groups[item] if not group & named]
        self.groups[item] = left + (new if mode == "upsert" else [])


def join(groups):
    """Groups that share a number as one."""
    found = []
    for group in groups:
        apart = [other for other in found if not other & group]
        found = [*apart, set().union(group, *(other for other in found if other & group))]
    return found


def fresh_import(node, folder, facts, item):
    """The same facts in a new home with the same keys."""
    other = replace(make_node(folder / "44", {**LIMITS, "k_anonymity": 8}), ring=node.ring)
    rows, amount = [HEADERS[item]], AMOUNTS[item]
    for group in facts.groups[item]:
        first, *more = sorted(group)
        rows.append(f"{first},{';'.join(more)},陈三,{amount},a")
    (folder / "fresh.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    importer.import_item(other, item, [folder / "fresh.csv"], workers=0, allow_empty=True)
    held = Held(other, item)
    other.store.dispose()
    shutil.rmtree(folder / "44")
    return held


def entries_of(held):
    return {
        (origin, tag, sealed) for (origin, _), rows in held.buckets.items() for tag, sealed in rows.items()
    }


# Without shrinking: an example takes seconds, and a failing one is printed whole.
@settings(max_examples=examples(4), phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(st.lists(step, min_size=2, max_size=7), st.sampled_from([0, 3]))
def test_any_imports_and_rotations(tmp_path_factory, steps, bits):
    folder = tmp_path_factory.mktemp("tokens")
    node, store = with_key_store(make_node(folder / "node/44", {**LIMITS, "k_anonymity": 8}))
    facts, imported = Facts(), set()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(importer, "_ROW_BYTES", 1)
        patch.setattr(layout, "PART_ROWS", 1 << (10 - bits))
        for mode, item, lines in steps:
            if mode == "rotate":
                driver.rotate(OPRF, node, store, POLICY, workers=0)
                check_tokens(node, unused=False)
                continue
            people, former = _rows(lines)
            used = mode if item in imported else "full"
            load(node, folder, item, people, mode=used, former=former, workers=0)
            facts.change(used, item, people, former)
            imported.add(item)
            check_tokens(node)
            again = fresh_import(node, folder, facts, item)
            mine = Held(node, item)
            assert entries_of(mine) == entries_of(again)
            # The cut rises late, so it may be finer or coarser than that of a first import.
            same = {code for code, row in mine.partitions.items() if row.bits == again.partitions[code].bits}
            for (code, at), served in mine.served.items():
                assert code not in same or served == again.served[code, at]
        driver.rotate(OPRF, node, store, POLICY, workers=0)
        check_tokens(node, unused=False)
        assert verify_index(node).good
    node.store.dispose()
