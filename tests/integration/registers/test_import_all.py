"""A run over a plan beside other work in the same home."""

from contextlib import ExitStack

from keys.store.locks import hold_lock
from node.compute.engine import start_workers
from node.domain import catalogue
from node.errors import ConflictError
from node.index.update_lock import LOCK
from node.registers.import_all import State, run_plan
from node.registers.plan import read_folder
from node.registers.requests import ImportRequest
from tests.support.single_node import make_node, number


def test_a_rotation_that_begins_between_two_items(tmp_path):
    """The rest is left for the next run: trying each item would read it for nothing."""
    node = make_node(tmp_path / "home")
    folder = tmp_path / "in"
    folder.mkdir()
    for code in ("C21", "C22", "B12r"):
        (folder / f"{code}.csv").write_text(f"id_no,record_no\n{number(1)},a\n", encoding="utf-8")
    plan = read_folder(folder, catalogue.load(), ImportRequest(""))

    def run(progress):
        return run_plan(node, plan, folder, lambda _size: start_workers(0), progress, again=False, wait=False)

    with ExitStack() as rotation:

        def begin(item, _number, _stage, _done, _total):
            if item == "C22":
                lock = hold_lock(tmp_path / "home" / LOCK, ConflictError("busy", ""), create=True)
                rotation.enter_context(lock)

        found = run(begin)
    assert found.failed
    assert [one.state for one in found.outcomes] == [State.IMPORTED, State.FAILED, State.LEFT]
    assert isinstance(found.outcomes[1].error, ConflictError)
    seen = []
    again = run(lambda item, at, _stage, _done, _total: seen.append((item, at)))
    assert [one.state for one in again.outcomes] == [State.BEFORE, State.IMPORTED, State.IMPORTED]
    assert sorted(set(seen)) == [("B12r", 3), ("C22", 2)]
    node.store.dispose()
