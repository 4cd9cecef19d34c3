"""Roles that exclude each other, states of an account, what an account and a password may be."""

from datetime import UTC, date, datetime, timedelta
from itertools import combinations

import pytest

from node.domain.job_access import person_access
from node.domain.units import check_unit, covers, province_unit, tier
from node.domain.users import (
    Ending,
    Need,
    Person,
    Role,
    User,
    check_account,
    check_name,
    check_password,
    conflicts,
    ending,
    first_need,
    unit_owner,
)

NOW = datetime(2026, 7, 1, 4, tzinfo=UTC)
TODAY = date(2026, 7, 1)
OFFICERS = {Role.PREPARER, Role.APPROVER}
ADMINISTRATORS = {Role.SYSTEM, Role.SECURITY, Role.AUDIT}


def user(**changed: object) -> User:
    values = {
        "account": "lihua",
        "name": "李华",
        "unit": "450124000000",
        "roles": frozenset({Role.PREPARER}),
        "valid_from": date(2026, 1, 1),
        "valid_to": None,
        "disabled_at": None,
        "created_at": NOW,
        "confirmed_at": NOW,
        "last_sign_in": None,
        "password_set": True,
        "has_totp": True,
        "record_version": "1",
        "record_signed_at": NOW,
    }
    return User(**{**values, **changed})


@pytest.mark.parametrize("pair", [frozenset(two) for two in combinations(Role, 2)], ids=sorted)
def test_two_roles_that_exclude_each_other(pair: frozenset[Role]) -> None:
    """The table of domain.md section 3: administrators exclude one another and whoever sees cases."""
    two_administrators = pair <= ADMINISTRATORS
    sees_cases = bool(pair & ADMINISTRATORS and pair & OFFICERS)
    assert bool(conflicts(pair)) == (two_administrators or sees_cases)


def test_all_conflicts_are_named() -> None:
    assert conflicts({Role.SYSTEM, Role.SECURITY, Role.PREPARER}) == (
        (Role.PREPARER, Role.SYSTEM),
        (Role.PREPARER, Role.SECURITY),
        (Role.SYSTEM, Role.SECURITY),
    )


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({}, None),
        ({"disabled_at": NOW}, Ending.DISABLED),
        ({"valid_from": date(2026, 7, 2)}, Ending.NOT_YET_VALID),
        ({"valid_to": date(2026, 7, 1)}, None),
        ({"valid_to": date(2026, 6, 30)}, Ending.EXPIRED),
        ({"confirmed_at": NOW - timedelta(days=365)}, None),
        ({"confirmed_at": NOW - timedelta(days=365, seconds=1)}, Ending.NOT_CONFIRMED),
    ],
)
def test_when_an_account_ends(changed: dict[str, object], why: Ending | None) -> None:
    assert ending(user(**changed), TODAY, NOW) == why


@pytest.mark.parametrize(
    ("changed", "need"),
    [
        ({}, None),
        ({"password_set": False, "has_totp": False}, Need.NEW_PASSWORD),
        ({"has_totp": False}, Need.TOTP),
        ({"record_version": "0"}, Need.CONFIDENTIALITY),
        ({"record_signed_at": None}, Need.CONFIDENTIALITY),
        ({"record_signed_at": NOW - timedelta(days=366)}, Need.CONFIDENTIALITY),
    ],
)
def test_what_is_needed_first(changed: dict[str, object], need: Need | None) -> None:
    assert first_need(user(**changed), "1", NOW) == need


@pytest.mark.parametrize("account", ["lihua", "a1", "li.hua-2_b", "z" * 32])
def test_accounts(account: str) -> None:
    assert check_account(account) == account


@pytest.mark.parametrize(
    "account", ["", "l", "Lihua", "1li", "li hua", "z" * 33, "li123456", "李华", "li\n", "a/b", "../a"]
)
def test_what_is_no_account(account: str) -> None:
    with pytest.raises(ValueError, match="an account is"):
        check_account(account)


@pytest.mark.parametrize("name", ["", " ", "x" * 41, "a\u202eb", "a\x00b", "a\nb", "\u200bx"])
def test_what_is_no_name(name: str) -> None:
    with pytest.raises(ValueError, match="a name has"):
        check_name(name)


def test_a_name_is_normalised() -> None:
    assert check_name(" Zoe\u0308 ") == "Zoë"


@pytest.mark.parametrize(
    ("password", "rule"),
    [
        ("elevenchars", "12 to 128"),
        ("x" * 129, "12 to 128"),
        ("aaaaaaaaaaaaaa", "6 different"),
        ("My-LiHua-2026-pass", "does not contain the account"),
    ],
)
def test_passwords_that_are_refused(password: str, rule: str) -> None:
    with pytest.raises(ValueError, match=rule):
        check_password(password, "lihua")


def test_nobody_is_shown() -> None:
    assert repr(user()) == "User(lihua)"
    assert "李华" not in repr(user())


@pytest.mark.parametrize(
    ("unit", "name"),
    [
        ("000000000000", "ministry"),
        ("450000000000", "province"),
        ("450100000000", "city"),
        ("450124000000", "county"),
        ("450124103000", "township"),
    ],
)
def test_tiers(unit: str, name: str) -> None:
    assert tier(check_unit(unit)) == name


@pytest.mark.parametrize(
    "unit", ["", "45", "45012400000", "4501240000000", "45012410300x", "450124103001", "001200000000"]
)
def test_what_is_no_unit(unit: str) -> None:
    with pytest.raises(ValueError, match="a unit"):
        check_unit(unit)


@pytest.mark.parametrize(
    ("upper", "lower", "does"),
    [
        ("000000000000", "450124000000", True),
        ("450000000000", "450124103000", True),
        ("450100000000", "450124000000", True),
        ("450124000000", "450124000000", True),
        ("450124000000", "450125000000", False),
        ("450124000000", "450100000000", False),
        ("450000000000", "440000000000", False),
        ("110100000000", "110000000000", False),
    ],
)
def test_which_unit_is_above_which(upper: str, lower: str, does: bool) -> None:
    assert covers(upper, lower) == does


def test_people_see_and_cancel_the_jobs_of_their_unit_and_below() -> None:
    county, township, other = "450124000000", "450124103000", "450125000000"
    units = (county, township, other, "450000000000")
    officer = person_access(Person("li", county, frozenset({Role.PREPARER}), None), units)
    for unit, may in ((county, True), (township, True), (other, False), ("450000000000", False)):
        assert officer.may_see(unit_owner(unit)) == may
        assert officer.may_change(unit_owner(unit)) == may
    assert not officer.may_see("node")
    assert not officer.may_change("platform/intake")
    assert province_unit("45") == "450000000000"
