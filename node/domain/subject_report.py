"""What a node asked about one person, as the person is told (个保法 art. 45; domain.md section 8). Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from node.domain.findings import Finding


@dataclass(frozen=True, slots=True, repr=False)
class AskedAbout:
    """One job that asked about the person.

    `state` is that of the job, or `erased` where its time is over; then `findings` are empty, as for a sum,
    whose figures are about nobody. `refs` are the references of the person in the job.
    """

    job: str
    kind: str
    owner: str
    state: str
    purpose: str
    legal_basis: str
    matter: str
    items: tuple[str, ...]
    peers: tuple[str, ...]
    people: int
    asked_at: datetime
    refs: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True, repr=False)
class MandateAbout:
    """A mandate on record that names the person; `ended` is why it ended, or empty."""

    number: str
    owner: str
    office: str
    matter: str
    valid_from: date
    valid_to: date | None
    event: str
    ended: str
    added_at: datetime


@dataclass(frozen=True, slots=True, repr=False)
class HouseholdAbout:
    """A household on record that the person is of."""

    number: str
    application_no: str
    owner: str
    office: str
    role: str
    changed_at: datetime


@dataclass(frozen=True, slots=True, repr=False)
class SubjectReport:
    """All of it. `kept_days` says how long after a job it can be told; none of it is the person's number.

    `code_names` are the names of legal bases and matters that are the province's own, Chinese and English.
    """

    requester: str
    requester_name: str
    made_at: datetime
    kept_days: int
    jobs: tuple[AskedAbout, ...]
    mandates: tuple[MandateAbout, ...]
    households: tuple[HouseholdAbout, ...]
    code_names: Mapping[str, tuple[str, str]] = field(default_factory=dict)
