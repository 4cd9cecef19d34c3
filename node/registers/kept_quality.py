"""Keeps how good a source was each time it was checked or imported (docs/sources.md)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

from node.config import Config
from node.database import Store, database_url, open_store
from node.database import quality_reports as rows
from node.domain.quality_reports import QualityReport
from node.registers.quality import Finding, Quality
from node.registers.quality_report import plain


class Kept(Protocol):
    """What was found out about a source: `source_import.Examined`."""

    @property
    def quality(self) -> Quality:
        """Its counts."""

    @property
    def findings(self) -> Sequence[Finding]:
        """The rules of its floor that it does not keep."""

    @property
    def problem(self) -> Exception | None:
        """Why an import would not read it."""


def keep(store: Store, found: Kept, run: str, now: datetime, *, changes_only: bool = False) -> int:
    """Keep a report; its number. Raises UnavailableError.

    What is wrong with a file is not kept: such a text quotes headers, and the first row of a file without
    headers names a person.
    """
    content: dict[str, Any] = {**plain(found.quality, found.findings), "changes_only": changes_only}
    del content["problems"]
    result = "unreadable" if found.problem else "below_floor" if found.findings else "good"
    new = QualityReport(0, found.quality.item, run, result, now, content)
    return store.retry_write("keep quality report", lambda tx: rows.add_report(tx, new))


def keep_in_home(config: Config, found: Kept, run: str, now: datetime) -> int:
    """Keep a report in the database of a home, for which no key is needed. Raises as `open_store` does."""
    store = open_store(database_url(config))
    try:
        return keep(store, found, run, now)
    finally:
        store.dispose()


def list_kept(config: Config, item: str, limit: int) -> tuple[Sequence[QualityReport], int]:
    """The newest reports of an item, or of all; and how many there are. Raises as `open_store` does."""
    store = open_store(database_url(config))
    try:
        with store.transaction("list quality reports") as tx:
            return rows.list_reports(tx, item, limit, 0)
    finally:
        store.dispose()


def find_kept(config: Config, number: int) -> QualityReport | None:
    """One report. Raises as `open_store` does."""
    store = open_store(database_url(config))
    try:
        with store.transaction("find quality report") as tx:
            return rows.find_report(tx, number)
    finally:
        store.dispose()
