"""Days on which something is due, marked where the holidays of a year are not known."""

from datetime import datetime
from typing import Final

from node.domain.days import china_day

ESTIMATED: Final = "估算"  # estimated


def due_day(moment: datetime, *, estimated: bool) -> str:
    """The day in China."""
    return f"{china_day(moment)} {ESTIMATED}" if estimated else str(china_day(moment))
