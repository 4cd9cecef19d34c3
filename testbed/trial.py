"""What a first visit to the console shows: people who are ready, and the work of a county at every stage.

All of it is done as people do it, over the platform port of a served node: signing in, a draft, its approval
by another person, an objection, a watch list. The numbers and names are those of a synthetic federation.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import groupby
from pathlib import Path
from typing import Final

import pyotp

from node.client.cases import Cases
from node.client.drafts import Drafts
from node.client.people import People
from node.client.platform import Platform
from node.client.watches import Watches
from node.clock import utc_now
from node.console import forms
from node.console.forms import Authorisation, CheckForm, Member
from node.domain.days import china_day
from node.domain.mandate import ANY, Mandate
from node.domain.objections import NewObjection, Target
from node.domain.subjects import Subject
from node.domain.users import ROLE_NAMES, Role
from node.tabular.person_lists import read_households, read_mandates

PROVINCE: Final = "450000000000"
COUNTY: Final = "450124000000"
PASSWORD: Final = "only for this trial 2026"
WATCH: Final = "county-450124"
ITEMS: Final = ("C21", "Z59b", "C23")
STEP: Final = timedelta(seconds=30)  # of RFC 6238
THRESHOLDS: Final = """\
version = "2026-1"
set_by = "广西民政厅 低收入人口动态监测专家组"
valid_from = {today}

[[rule]]
item = "C21"
when = "appears"
zh = "名下出现机动车"
en = "a vehicle where there was none"
"""


@dataclass(frozen=True)
class Seat:
    """An account of the trial before anybody has used it."""

    account: str
    name: str
    unit: str
    roles: tuple[Role, ...]


SEATS: Final = (
    Seat("li", "李华", COUNTY, (Role.PREPARER,)),
    Seat("he", "何敏", COUNTY, (Role.APPROVER,)),
    Seat("qin", "覃波", PROVINCE, (Role.SYSTEM,)),
    Seat("wu", "吴平", PROVINCE, (Role.SECURITY,)),
    Seat("meng", "蒙丽", PROVINCE, (Role.AUDIT,)),
    Seat("lu", "陆军", PROVINCE, (Role.OBSERVER,)),
)
SECURITY: Final = next(seat for seat in SEATS if Role.SECURITY in seat.roles)


@dataclass
class Ready:
    """An account that is ready: password, key of the second factor, and the token of a session."""

    seat: Seat
    secret: str
    token: str

    def code(self, steps: int = 0) -> str:
        """The code of now, or of some steps of 30 seconds before or after."""
        return pyotp.TOTP(self.secret).at(utc_now() + steps * STEP)

    @property
    def roles(self) -> str:
        """The roles in words."""
        return "、".join(ROLE_NAMES[role][0] for role in self.seat.roles)


def make_ready(platform: Platform, seat: Seat, initial: str) -> Ready:
    """The first sign-in of a person: second factor, own password, confidentiality record."""
    people = People(platform)
    begun = people.sign_in(seat.account, initial)
    found = Ready(seat, people.begin_second_factor(begun.token).secret, "")
    # A code is taken once: the one of before leaves that of now to the person.
    found.token, person = people.finish(begun.token, found.code(-1))
    own = People(platform.as_person(found.token))
    own.change_password(initial, PASSWORD)
    own.sign_record(person.record_version)
    return found


@dataclass(frozen=True)
class Lists:
    """A synthetic list of a county: households and their mandates."""

    households: Sequence[Sequence[Subject]]
    mandates: Mapping[str, Mandate]

    @classmethod
    def read(cls, folder: Path) -> "Lists":
        """Of the folder that `heqiao synth` wrote for the requester; only households with good mandates."""
        subjects, _ = read_households(folder / "households.csv")
        mandates, _ = read_mandates(folder / "mandates.csv")
        grouped = [tuple(people) for _, people in groupby(subjects, key=lambda one: one.household)]
        today = china_day(utc_now())
        good = [people for people in grouped if all(_is_covered(one, mandates, today) for one in people)]
        return cls(good, mandates)


def _is_covered(one: Subject, mandates: Mapping[str, Mandate], today: date) -> bool:
    mandate = mandates.get(one.mandate)
    numbers = {each.value for each in one.identities}
    return mandate is not None and numbers <= mandate.people and (mandate.valid_to or today) >= today


def form_of(people: Sequence[Subject], mandates: Mapping[str, Mandate], peers: Sequence[str]) -> CheckForm:
    """A household as a preparer types it."""
    members = tuple(
        Member(str(at), one.name or "韦小明", one.identities[0].value, mandate=one.mandate)
        for at, one in enumerate(people, 1)
    )
    numbers = sorted({one.mandate for one in members})
    made = tuple(_authorisation(mandates[number], members) for number in numbers)
    return CheckForm(
        household=people[0].household, members=members, mandates=made, items=ITEMS, peers=tuple(peers)
    )


def _authorisation(mandate: Mandate, members: Sequence[Member]) -> Authorisation:
    return Authorisation(
        number=mandate.number,
        signers=tuple(mandate.signers) or ("韦小明",),
        office=mandate.office or "马山县民政局",
        doc_hash=mandate.doc_hash,
        valid_from=mandate.valid_from.isoformat(),
        valid_to=mandate.valid_to.isoformat() if mandate.valid_to else "",
        event=mandate.event if not mandate.valid_to else "",
        members=tuple(one.no for one in members if one.mandate == mandate.number),
    )


@dataclass(frozen=True)
class Made:
    """What was made: the ids of the work at its stages."""

    job: str
    waiting: str
    open_draft: str
    objection: str


def do_work(platform: Platform, preparer: Ready, approver: Ready, lists: Lists, peers: Sequence[str]) -> Made:
    """A finished job with an objection to it, a draft that waits for its approval, and an unfinished one."""
    mine = platform.as_person(preparer.token)
    drafts = Drafts(mine)
    first, second, third = (form_of(people, lists.mandates, peers) for people in lists.households[:3])
    sent = _send(drafts, first)
    found = Drafts(platform.as_person(approver.token)).get(sent).draft
    done = Drafts(platform.as_person(approver.token)).approve(
        sent, found.version, found.digest, PASSWORD, approver.code()
    )
    for _ in mine.watch(done.job_id):
        pass
    today = china_day(utc_now())
    objection = Cases(mine).add_objection(
        NewObjection(
            done.job_id,
            "",
            Target(household=first.household),
            "申请人本人",
            "该车辆已于上月过户，请重新核对。",
            today,
            today,
        )
    )
    waiting = _send(drafts, second)
    unfinished = drafts.save(forms.pack(replace(third, mandates=(), members=_without(third.members))))
    return Made(done.job_id, waiting, unfinished.draft_id, objection.id)


def _without(members: Sequence[Member]) -> tuple[Member, ...]:
    return tuple(replace(one, mandate="") for one in members)


def _send(drafts: Drafts, form: CheckForm) -> str:
    draft = drafts.save(forms.pack(form))
    drafts.send(draft.draft_id, draft.version, form.job, forms.to_verification(form))
    return str(draft.draft_id)


def watch(platform: Platform, preparer: Ready, lists: Lists, peers: Sequence[str]) -> Sequence[Subject]:
    """Watch the people of some households: the first look. Those who are watched."""
    mine = platform.as_person(preparer.token)
    people = [one for household in lists.households[3:7] for one in household]
    form = form_of(lists.households[0], lists.mandates, peers)
    asked = replace(
        forms.to_verification(form),
        items=("C21",),
        purpose="monitoring",
        legal_basis="SA-2026-46",
        subjects=people,
        mandates={
            one.mandate: replace(lists.mandates[one.mandate], programme=ANY) for one in people
        },  # those of the list are for applications only
    )
    _, job = Watches(mine).add(WATCH, asked)
    for _ in mine.watch(job):
        pass
    return people


def look_again(platform: Platform, preparer: Ready) -> int:
    """Look at the list again, as a node does by itself every day; how many alerts there are."""
    mine = platform.as_person(preparer.token)
    for _ in mine.watch(Watches(mine).run(WATCH)):
        pass
    return len(Watches(mine).alerts(WATCH))


def write_vehicles(registers: Path, people: Sequence[Subject], out: Path) -> None:
    """The register of vehicles of a folder a while later: the watched people have one each, too.

    Raises StopIteration where the folder has no such register.
    """
    before = next(path for path in sorted(registers.glob("*.csv")) if path.name.split("_")[1] == "C21")
    lines = before.read_bytes().decode("gb18030").splitlines()  # as synth writes them, and many registers are
    day = lines[1].rpartition(",")[2]
    new = (f"{one.identities[0].value},,{one.name},粤Z{at:05},{day}" for at, one in enumerate(people))
    out.write_bytes("\r\n".join([*lines, *new, ""]).encode("gb18030"))
