"""Erases records whose time is over: mandates that ended, households without one, and who was asked."""

from datetime import datetime

from sqlalchemy import Connection

from node.database import asked, households


def count_due(tx: Connection, before: datetime, day: int) -> int:
    """How many are due: ended, or asked, before a moment, or with a last day before a day."""
    return (
        len(households.due_mandates(tx, before, day))
        + len(households.due_households(tx, before))
        + len(asked.due_jobs(tx, before))
        + asked.due_urgent(tx, before)
    )


def erase_some(tx: Connection, most: int, before: datetime, day: int) -> int:
    """Erase at most `most` of each kind; returns how many."""
    mandates = households.due_mandates(tx, before, day, most)
    for owner, digest in mandates:
        households.remove_mandate(tx, owner, digest)
    unused = households.due_households(tx, before, most)
    for owner, digest in unused:
        households.remove_household(tx, owner, digest)
    jobs = asked.due_jobs(tx, before, most)
    asked.remove_jobs(tx, jobs)
    return len(mandates) + len(unused) + len(jobs) + asked.remove_urgent(tx, before)
