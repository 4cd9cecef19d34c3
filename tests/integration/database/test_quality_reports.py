"""Quality reports: the newest of each item stay."""

from datetime import UTC, datetime

from node.database import quality_reports as rows
from node.domain.quality_reports import QualityReport
from tests.support.single_node import make_node

NOW = datetime(2026, 11, 30, 8, tzinfo=UTC)


def test_only_the_newest_of_an_item_stay(tmp_path, monkeypatch):
    monkeypatch.setattr(rows, "KEPT_OF_ITEM", 3)
    store = make_node(tmp_path / "44").store
    with store.transaction("keep", write=True) as tx:
        for at in range(5):
            for item in ("C21", "D32"):
                number = rows.add_report(tx, QualityReport(0, item, "check", "good", NOW, {"rows": at}))
        assert number == 10
    with store.transaction("list") as tx:
        found, total = rows.list_reports(tx, "C21", 2, 0)
        assert ([one.content for one in found], total) == ([{"rows": 4}, {"rows": 3}], 3)
        (last,), _ = rows.list_reports(tx, "C21", 2, 2)
        assert (last.content, last.item, last.made_at) == ({"rows": 2}, "C21", NOW)
        assert rows.list_reports(tx, "", 10, 0)[1] == 6
        assert rows.find_report(tx, last.number) == last
        assert rows.find_report(tx, 1) is None
    store.dispose()
