"""People of a node for tests of accounts, and a clock that a test moves."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import pyotp

from node.domain.users import NewUser, Person, Role
from node.governance import sign_in, users
from node.governance.accounts import People

COUNTY, PASSWORD = "450124000000", "correct horse battery"


@dataclass
class Trial:
    """People, and a clock that a test moves."""

    people: People
    now: datetime = datetime(2026, 7, 1, 4, tzinfo=UTC)
    totp: dict[str, str] = field(default_factory=dict)

    def later(self, **wait: float) -> datetime:
        self.now += timedelta(**wait)
        return self.now

    def add(self, account: str, *roles: Role, unit: str = COUNTY, by: Person | None = None) -> str:
        new = NewUser(account, "李华", unit, frozenset(roles), date(2026, 1, 1))
        return users.add(self.people, new, by, self.now)

    def code(self, account: str) -> str:
        """The next code that is not used up."""
        return pyotp.TOTP(self.totp[account]).at(self.later(seconds=30))

    def ready(self, account: str, *roles: Role, unit: str = COUNTY) -> str:
        """An account that has done all that is needed, and the token of its session."""
        initial = self.add(account, *roles, unit=unit)
        begun = sign_in.begin(self.people, account, initial, self.now)
        self.totp[account], _ = sign_in.begin_totp(self.people, begun.token, self.now)
        token = sign_in.finish(self.people, begun.token, self.code(account), self.now).token
        sign_in.change_password(self.people, token, initial, PASSWORD, self.now)
        person = sign_in.read_session(self.people, token, self.now)
        sign_in.sign_record(self.people, person, self.people.settings.record_version, self.now)
        return token

    def sign_in(self, account: str, password: str = PASSWORD) -> str:
        begun = sign_in.begin(self.people, account, password, self.now)
        return sign_in.finish(self.people, begun.token, self.code(account), self.now).token
