"""What `heqiao serve` does once a day, and once a minute."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from node.jobs.leases import Leases
from node.jobs.scheduler import LEASE, Scheduler
from node.services.periodic import periodic_tasks
from tests.support.cluster import FakeClock, open_home, silence_log
from tests.support.federation import Federation


def test_keys_that_are_due_are_named_in_the_log_once_a_day(tmp_path: Path) -> None:
    clock = FakeClock(datetime.now(UTC))
    node = open_home(Federation.create().make_home(tmp_path / "45", "45"), clock)
    silence_log(tmp_path)
    tasks = periodic_tasks(node)
    assert {task.name: task.every for task in tasks} == {
        "rotations_due": timedelta(days=1),
        "changes_offered": timedelta(minutes=1),
        "retention": timedelta(days=1),
        "old_queries_removed": timedelta(hours=1),
        "revocation_list_age": timedelta(days=1),
        "storage_resealed": timedelta(minutes=5),
        "deadlines": timedelta(minutes=10),
        "watch_tokens": timedelta(minutes=1),
        "watch_looks": timedelta(minutes=1),
        "notices": timedelta(minutes=5),
        "notices_sent": timedelta(minutes=1),
        "corrections_followed": timedelta(hours=6),
    }
    names = [task.name for task in tasks]
    leases = Leases(node.store, 30)
    made = Scheduler(node, leases, tasks, 600)

    def due() -> set[tuple[str, int]]:
        lines = map(json.loads, (tmp_path / "nodes.log").read_text(encoding="utf-8").splitlines())
        return {(line["kind"], line["epoch"]) for line in lines if line["event"] == "rotation_due"}

    with leases.hold(LEASE) as lease:
        assert made.run_due(lease) == names
        assert due() == set()
        clock.advance(days=200)
        assert made.run_due(lease) == []  # a day has not passed, by the database's clock
        with node.store.transaction("a minute later", write=True) as tx:
            tx.exec_driver_sql("UPDATE task_runs SET ended_at = ended_at - 61")
        each_minute = ["changes_offered", "watch_tokens", "watch_looks", "notices_sent"]
        assert made.run_due(lease) == each_minute
        with node.store.transaction("a day later", write=True) as tx:
            tx.exec_driver_sql("UPDATE task_runs SET ended_at = ended_at - 86401")
        assert made.run_due(lease) == names
    node.store.dispose()
    assert {kind for kind, _ in due()} >= {"oprf", "sum"}
    assert "signing" not in {kind for kind, _ in due()}
