"""How long the certificate and the revocation list of a home are good: for doctor, notices and the log."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from keys import verify_chain
from node.credentials.revocation_lists import REFUSED, WARNED

SOON_DAYS: Final = 30


class ListState(StrEnum):
    """A revocation list by its age."""

    GOOD = "good"
    LATE = "late"
    REFUSED = "refused"  # too old: the node serves and asks nobody


def certificate_end(certificate: bytes, ca: bytes, now: datetime) -> datetime:
    """When a certificate (PEM) ends. Raises KeyringError where it is not good now."""
    return verify_chain(certificate, ca, now).not_after


def ends_soon(end: datetime, now: datetime) -> bool:
    """Whether so few days are left that the next certificate should be requested."""
    return (end - now).days <= SOON_DAYS


def list_state(age: timedelta | None) -> ListState:
    """The state of a list of an age; None is that of a home without a federation."""
    if age is None or age <= WARNED:
        return ListState.GOOD
    return ListState.REFUSED if age > REFUSED else ListState.LATE
