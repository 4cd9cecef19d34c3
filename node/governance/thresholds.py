"""The versions of the expert thresholds of a home: set by its administrator, never changed afterwards."""

from datetime import date, datetime, timedelta

from node.config import Config
from node.database import Connection, audit_log, database_url, open_store
from node.database import alerts as rows
from node.database.alerts import ThresholdsRow
from node.domain.days import FIRST_DAY, china_day
from node.domain.thresholds import Thresholds
from node.errors import InputError


def set_thresholds(config: Config, new: Thresholds, now: datetime) -> bool:
    """Add a version; False where the very same was set before.

    Raises InputError for a version that was set with other content, and for one that would be valid from a
    day that is over: alerts of then were judged by another version.
    """

    def write(tx: Connection) -> bool:
        known = rows.list_thresholds(tx)
        same = next((one for one in known if one.version == new.version), None)
        if same is not None and same.content == new.content:
            return False
        if same is not None:
            raise InputError(
                f"version {new.version} was set before with other content", "give the file another version"
            )
        if new.valid_from < china_day(now):
            raise InputError(
                f"valid_from: {new.valid_from} is over", f"{china_day(now)} or a later day is allowed"
            )
        number, day = len(known) + 1, (new.valid_from - FIRST_DAY).days
        rows.add_thresholds(tx, ThresholdsRow(number, new.version, new.set_by, day, new.content, now))
        details: dict[str, str | int] = {
            "version": new.version,
            "set_by": new.set_by,
            "valid_from": new.valid_from.isoformat(),
            "rules": len(new.rules),
        }
        audit_log.append(tx, "watch_thresholds_set", details, now)
        return True

    store = open_store(database_url(config))
    try:
        return store.retry_write("set thresholds", write)
    finally:
        store.dispose()


def read_versions(config: Config, today: date) -> list[tuple[ThresholdsRow, bool]]:
    """Every version, the newest last, and whether it is the one that is valid on a day of China."""
    store = open_store(database_url(config))
    with store.transaction("read thresholds") as tx:
        known = rows.list_thresholds(tx)
    store.dispose()
    begun = [one for one in known if FIRST_DAY + timedelta(days=one.valid_from) <= today]
    valid = max(begun, key=lambda one: (one.valid_from, one.number), default=None)
    return [(one, one is valid) for one in known]
