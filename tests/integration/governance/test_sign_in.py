"""Signing in on real databases: lock-out, replayed codes, leavers, sessions, initial passwords."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pyotp
import pytest

from node.domain.users import Need, Role
from node.errors import InputError, PreconditionError, RefusedError, SessionEndedError, SignInError
from node.governance import sign_in, users
from tests.support.people import PASSWORD, Trial


def refused(trial: Trial, account: str, password: str) -> SignInError:
    with pytest.raises(SignInError) as caught:
        sign_in.begin(trial.people, account, password, trial.now)
    return caught.value


def test_the_first_sign_in_asks_for_everything_in_order(trial: Trial) -> None:
    initial = trial.add("li", Role.PREPARER)
    begun = sign_in.begin(trial.people, "li", initial, trial.now)
    assert not begun.has_totp
    with pytest.raises(SessionEndedError):  # half a session is none
        sign_in.read_session(trial.people, begun.token, trial.now)
    secret, uri = sign_in.begin_totp(trial.people, begun.token, trial.now)
    assert secret in uri
    done = sign_in.finish(trial.people, begun.token, pyotp.TOTP(secret).at(trial.now), trial.now)
    assert done.person is not None
    assert done.person.need is Need.NEW_PASSWORD
    with pytest.raises(InputError, match="12 to 128"):
        sign_in.change_password(trial.people, done.token, initial, "short", trial.now)
    sign_in.change_password(trial.people, done.token, initial, PASSWORD, trial.now)
    person = sign_in.read_session(trial.people, done.token, trial.now)
    assert person.need is Need.CONFIDENTIALITY
    with pytest.raises(PreconditionError, match="newer confidentiality record"):
        sign_in.sign_record(trial.people, person, "0", trial.now)
    sign_in.sign_record(trial.people, person, "2026-1", trial.now)
    assert sign_in.read_session(trial.people, done.token, trial.now).need is None


def test_wrong_passwords_lock_an_account_alike_whether_there_is_one(trial: Trial) -> None:
    trial.ready("li", Role.PREPARER)
    for account in ("li", "nobody", "450124199001010012"):
        told = [refused(trial, account, "wrong") for _ in range(6)]
        assert [one.details["left"] for one in told] == ["4", "3", "2", "1", "0", "0"]
        assert len({str(one) for one in told}) == 1
        assert [one.details.get("locked") for one in told] == [None] * 4 + ["yes"] * 2
    assert refused(trial, "li", PASSWORD).details["locked"] == "yes"
    trial.later(minutes=15)
    assert trial.sign_in("li")


def test_a_right_password_does_not_clear_wrong_codes(trial: Trial) -> None:
    """Who knows the password has no more attempts at the code than anybody."""
    trial.ready("li", Role.PREPARER)
    for _ in range(5):
        begun = sign_in.begin(trial.people, "li", PASSWORD, trial.now)
        with pytest.raises(SignInError):
            sign_in.finish(trial.people, begun.token, "000000", trial.now)
    assert refused(trial, "li", PASSWORD).details["locked"] == "yes"


def test_attempts_at_the_same_time_are_all_counted(trial: Trial) -> None:
    trial.ready("li", Role.PREPARER)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: refused(trial, "li", "wrong").details["left"], range(12)))
    assert refused(trial, "li", PASSWORD).details["locked"] == "yes"
    assert found.count("0") >= 12 - 4


def test_a_code_is_taken_once(trial: Trial) -> None:
    trial.ready("li", Role.PREPARER)
    code = trial.code("li")
    first = sign_in.begin(trial.people, "li", PASSWORD, trial.now)
    assert sign_in.finish(trial.people, first.token, code, trial.now).person
    second = sign_in.begin(trial.people, "li", PASSWORD, trial.now)
    with pytest.raises(SignInError):
        sign_in.finish(trial.people, second.token, code, trial.now)


@pytest.mark.parametrize(("steps", "good"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_clocks_may_be_off_by_one_step(trial: Trial, steps: int, good: bool) -> None:
    trial.ready("li", Role.PREPARER)
    trial.later(minutes=10)
    begun = sign_in.begin(trial.people, "li", PASSWORD, trial.now)
    code = pyotp.TOTP(trial.totp["li"]).at(trial.now, counter_offset=steps)
    try:
        sign_in.finish(trial.people, begun.token, code, trial.now)
    except SignInError:
        assert not good
    else:
        assert good


def test_a_session_ends_by_rest_by_age_and_by_signing_out(trial: Trial) -> None:
    token = trial.ready("li", Role.PREPARER)
    trial.later(minutes=14)
    sign_in.read_session(trial.people, token, trial.now)
    trial.later(minutes=15, seconds=1)
    with pytest.raises(SessionEndedError):
        sign_in.read_session(trial.people, token, trial.now)
    token, began = trial.sign_in("li"), trial.now
    while (trial.now - began).total_seconds() < 10 * 3600 - 600:
        sign_in.read_session(trial.people, token, trial.later(minutes=10))
    with pytest.raises(SessionEndedError):
        sign_in.read_session(trial.people, token, trial.later(minutes=10))
    token = trial.sign_in("li")
    sign_in.sign_out(trial.people, token, trial.now)
    with pytest.raises(SessionEndedError):
        sign_in.read_session(trial.people, token, trial.now)


def test_a_leaver_is_out_at_once(trial: Trial) -> None:
    boss = sign_in.read_session(trial.people, trial.ready("wu", Role.SECURITY), trial.now)
    token = trial.ready("li", Role.PREPARER)
    users.disable(trial.people, "li", boss, trial.now)
    with pytest.raises(SessionEndedError):
        sign_in.read_session(trial.people, token, trial.now)
    assert refused(trial, "li", PASSWORD)


def test_new_roles_end_sessions(trial: Trial) -> None:
    trial.ready("wu", Role.SECURITY)
    token = trial.ready("li", Role.PREPARER)
    users.set_roles(trial.people, "li", frozenset({Role.APPROVER}), None, trial.now)
    with pytest.raises(SessionEndedError):
        sign_in.read_session(trial.people, token, trial.now)
    person = sign_in.read_session(trial.people, trial.sign_in("li"), trial.now)
    assert person.roles == {Role.APPROVER}


def test_an_initial_password_is_good_for_a_week(trial: Trial) -> None:
    initial = trial.add("li", Role.PREPARER)
    trial.later(days=7, seconds=1)
    assert refused(trial, "li", initial)
    fresh = users.reset(trial.people, "li", None, trial.now)
    assert sign_in.begin(trial.people, "li", fresh, trial.now)


def test_a_reset_takes_the_second_factor_and_unlocks(trial: Trial) -> None:
    trial.ready("li", Role.PREPARER)
    for _ in range(6):
        refused(trial, "li", "wrong")
    fresh = users.reset(trial.people, "li", None, trial.now)
    assert refused(trial, "li", PASSWORD)
    assert not sign_in.begin(trial.people, "li", fresh, trial.now).has_totp


def test_a_new_password_ends_all_other_sessions(trial: Trial) -> None:
    first = trial.ready("li", Role.PREPARER)
    second = trial.sign_in("li")
    sign_in.change_password(trial.people, second, PASSWORD, "another long password", trial.now)
    sign_in.read_session(trial.people, second, trial.now)
    with pytest.raises(SessionEndedError):
        sign_in.read_session(trial.people, first, trial.now)


def test_password_and_code_again(trial: Trial) -> None:
    trial.ready("li", Role.PREPARER)
    code = trial.code("li")
    assert sign_in.prove_again(trial.people, "li", PASSWORD, code, trial.now).account == "li"
    for password, given in ((PASSWORD, code), ("wrong", trial.code("li"))):
        with pytest.raises(SignInError):
            sign_in.prove_again(trial.people, "li", password, given, trial.now)


def test_who_locks_an_account_from_outside_stops_no_approval(trial: Trial) -> None:
    token = trial.ready("li", Role.APPROVER)
    for _ in range(6):
        refused(trial, "li", "wrong")
    assert refused(trial, "li", PASSWORD).details["locked"] == "yes"
    person = sign_in.prove_again(trial.people, "li", PASSWORD, trial.code("li"), trial.now, token)
    assert person.account == "li"
    sign_in.change_password(trial.people, token, PASSWORD, "another long password", trial.now)


@pytest.mark.parametrize(
    "guess",
    [
        lambda trial, token: sign_in.change_password(
            trial.people, token, "wrong", "another long password", trial.now
        ),
        lambda trial, token: sign_in.prove_again(trial.people, "li", PASSWORD, "000000", trial.now, token),
    ],
    ids=["password", "code"],
)
def test_guessing_within_a_stolen_session_ends_it_and_locks_nobody(
    trial: Trial, guess: Callable[[Trial, str], object]
) -> None:
    token = trial.ready("li", Role.APPROVER)
    for _ in range(5):
        sign_in.read_session(trial.people, token, trial.now)
        with pytest.raises(SignInError):
            guess(trial, token)
    with pytest.raises(SessionEndedError):
        sign_in.read_session(trial.people, token, trial.now)
    assert trial.sign_in("li")


def test_without_a_second_factor_nobody_proves_anything(trial: Trial) -> None:
    initial = trial.add("li", Role.PREPARER)
    with pytest.raises(SignInError):
        sign_in.prove_again(trial.people, "li", initial, "000000", trial.now)


def test_a_second_factor_is_not_replaced_by_who_knows_the_password(trial: Trial) -> None:
    trial.ready("li", Role.PREPARER)
    begun = sign_in.begin(trial.people, "li", PASSWORD, trial.now)
    with pytest.raises(PreconditionError, match="has a second factor"):
        sign_in.begin_totp(trial.people, begun.token, trial.now)


def test_accounts_of_other_units_and_the_own_one(trial: Trial) -> None:
    boss = sign_in.read_session(trial.people, trial.ready("wu", Role.SECURITY), trial.now)
    trial.add("li", Role.PREPARER, unit="450125000000")
    for change in (
        lambda: users.disable(trial.people, "li", boss, trial.now),
        lambda: users.reset(trial.people, "li", boss, trial.now),
        lambda: users.set_roles(trial.people, "li", frozenset({Role.APPROVER}), boss, trial.now),
        lambda: users.confirm(trial.people, ["li"], boss, trial.now),
        lambda: trial.add("he", Role.PREPARER, unit="450000000000", by=boss),
    ):
        with pytest.raises(RefusedError) as caught:
            change()
        assert caught.value.details["rule"] == "unit"
    with pytest.raises(RefusedError) as caught:
        users.reset(trial.people, "wu", boss, trial.now)
    assert caught.value.details["rule"] == "own_account"


def test_somebody_is_left_who_manages_accounts(trial: Trial) -> None:
    trial.ready("wu", Role.SECURITY)
    with pytest.raises(PreconditionError, match="last security administrator"):
        users.disable(trial.people, "wu", None, trial.now)
    trial.add("he", Role.SECURITY)
    users.disable(trial.people, "wu", None, trial.now)


def test_roles_that_exclude_each_other_are_refused(trial: Trial) -> None:
    with pytest.raises(InputError) as caught:
        trial.add("li", Role.PREPARER, Role.SECURITY)
    assert caught.value.details["rule"] == "role_conflict"


def test_who_is_typed_is_nowhere_in_the_database_and_the_audit(trial: Trial, events) -> None:
    refused(trial, "450124199001010012", "wrong")
    assert "sign_in_refused" not in events()
    trial.ready("li", Role.PREPARER)
    refused(trial, "li", "wrong")
    assert events()[-1] == "sign_in_refused"
