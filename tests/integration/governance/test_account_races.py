"""What was checked of an account is checked again where it is written: races, on both databases."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pyotp
import pytest

from node.domain.users import NewUser, Role
from node.errors import NodeError, PreconditionError, SessionEndedError, SignInError
from node.governance import sign_in, users
from node.governance.accounts import require_row
from tests.support.people import PASSWORD, Trial

ANOTHER = "another long password"


@pytest.fixture
def while_checked(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], None]:
    """Something happens after a password was read, while it is checked."""
    real = sign_in.is_password

    def arrange(happens: Callable[[], object]) -> None:
        def check(password: str, phc: str) -> bool:
            monkeypatch.setattr(sign_in, "is_password", real)
            happens()
            return real(password, phc)

        monkeypatch.setattr(sign_in, "is_password", check)

    return arrange


def at_once(*actions: Callable[[], object]) -> list[str]:
    """Each in a thread of its own, begun together: what each came to."""
    start = Barrier(len(actions))

    def run(action: Callable[[], object]) -> str:
        start.wait()
        try:
            action()
        except NodeError as error:
            return type(error).__name__
        return "done"

    with ThreadPoolExecutor(len(actions)) as pool:
        return sorted(pool.map(run, actions))


@pytest.mark.parametrize("action", ["reset", "disable"])
def test_a_password_that_is_taken_away_while_it_is_checked(
    trial: Trial, while_checked: Callable[..., None], action: str
) -> None:
    """Else the old password would begin a session that enrols a second factor of the thief."""
    trial.ready("li", Role.PREPARER)
    while_checked(lambda: getattr(users, action)(trial.people, "li", None, trial.now))
    with pytest.raises(SignInError):
        sign_in.begin(trial.people, "li", PASSWORD, trial.now)


@pytest.mark.parametrize("action", ["reset", "disable"])
def test_a_password_is_not_changed_after_a_reset(
    trial: Trial, while_checked: Callable[..., None], action: str
) -> None:
    """A session that was stolen must not win against the administrator who ends it."""
    token = trial.ready("li", Role.PREPARER)
    while_checked(lambda: getattr(users, action)(trial.people, "li", None, trial.now))
    with pytest.raises(SessionEndedError):
        sign_in.change_password(trial.people, token, PASSWORD, ANOTHER, trial.now)
    with pytest.raises(SignInError):
        sign_in.begin(trial.people, "li", ANOTHER, trial.now)


def test_a_password_that_was_replaced_proves_nothing(
    trial: Trial, while_checked: Callable[..., None]
) -> None:
    token = trial.ready("li", Role.APPROVER)
    code = trial.code("li")
    while_checked(lambda: sign_in.change_password(trial.people, token, PASSWORD, ANOTHER, trial.now))
    with pytest.raises(SignInError):
        sign_in.prove_again(trial.people, "li", PASSWORD, code, trial.now)


def test_one_password_gives_one_session(trial: Trial) -> None:
    """Two codes are good at a time: half a session becomes a whole one once, however they come."""
    trial.ready("li", Role.PREPARER)
    trial.later(minutes=5)
    begun = sign_in.begin(trial.people, "li", PASSWORD, trial.now)
    codes = [pyotp.TOTP(trial.totp["li"]).at(trial.now, counter_offset=one) for one in (-1, 0, 1)]
    tries = [lambda code=code: sign_in.finish(trial.people, begun.token, code, trial.now) for code in codes]
    assert at_once(*tries).count("done") == 1


def test_one_code_at_once_is_taken_once(trial: Trial) -> None:
    trial.ready("li", Role.APPROVER)
    code = trial.code("li")
    tries = [lambda: sign_in.prove_again(trial.people, "li", PASSWORD, code, trial.now)] * 3
    assert at_once(*tries).count("done") == 1


def test_a_second_factor_is_enrolled_by_one_of_two_browsers(trial: Trial) -> None:
    initial = trial.add("li", Role.PREPARER)
    begun = [sign_in.begin(trial.people, "li", initial, trial.now).token for _ in range(2)]
    secret, _ = sign_in.begin_totp(trial.people, begun[0], trial.now)
    code = pyotp.TOTP(secret).at(trial.now)
    assert at_once(
        *(lambda one=one: sign_in.finish(trial.people, one, code, trial.now) for one in begun)
    ) == [
        "SignInError",
        "done",
    ]


def test_two_security_administrators_cannot_remove_each_other(trial: Trial) -> None:
    """One of the two goes: somebody is left who manages accounts, and one who is gone manages none."""
    people = {
        account: sign_in.read_session(trial.people, trial.ready(account, Role.SECURITY), trial.now)
        for account in ("wu", "he")
    }
    found = at_once(
        lambda: users.disable(trial.people, "wu", people["he"], trial.now),
        lambda: users.disable(trial.people, "he", people["wu"], trial.now),
    )
    assert found == ["SessionEndedError", "done"]
    assert sum(one.disabled_at is None for one in users.list_users(trial.people)) == 1


@pytest.mark.parametrize(
    "taken",
    [
        lambda trial: users.disable(trial.people, "he", None, trial.now),
        lambda trial: users.set_roles(trial.people, "he", frozenset({Role.AUDIT}), None, trial.now),
    ],
)
def test_an_administrator_who_has_left_changes_no_account(
    trial: Trial, taken: Callable[[Trial], None]
) -> None:
    """Judged when the call came in; the write comes later."""
    trial.ready("wu", Role.SECURITY)
    by = sign_in.read_session(trial.people, trial.ready("he", Role.SECURITY), trial.now)
    trial.add("li", Role.PREPARER)
    taken(trial)
    for change in (
        lambda: users.disable(trial.people, "li", by, trial.now),
        lambda: users.reset(trial.people, "li", by, trial.now),
        lambda: users.set_roles(trial.people, "li", frozenset({Role.APPROVER}), by, trial.now),
        lambda: users.confirm(trial.people, ["li"], by, trial.now),
        lambda: trial.add("lu", Role.PREPARER, by=by),
    ):
        with pytest.raises(SessionEndedError):
            change()


def test_there_is_one_first_account(trial: Trial) -> None:
    def first(account: str) -> None:
        new = NewUser(account, "李华", "450000000000", frozenset({Role.SECURITY}), trial.now.date())
        users.add_first(trial.people, new, trial.now)

    assert at_once(*(lambda name=name: first(name) for name in ("wu", "he", "lu"))).count("done") == 1
    assert len(users.list_users(trial.people)) == 1


def test_an_administrator_whose_account_has_ended_is_nobody_left(trial: Trial) -> None:
    trial.ready("wu", Role.SECURITY)
    trial.later(days=364)
    trial.add("he", Role.SECURITY)
    trial.later(days=2)
    users.confirm(trial.people, ["wu"], None, trial.now)
    trial.later(days=364)  # nobody confirmed he
    with pytest.raises(PreconditionError, match="last security administrator"):
        users.disable(trial.people, "wu", None, trial.now)


def test_a_yearly_confirmation_does_not_revive_an_initial_password(trial: Trial) -> None:
    initial = trial.add("li", Role.PREPARER)
    trial.later(days=8)
    users.confirm(trial.people, ["li"], None, trial.now)
    with pytest.raises(SignInError):
        sign_in.begin(trial.people, "li", initial, trial.now)
    with trial.people.store.transaction("look") as tx:
        assert not require_row(tx, "li").password_set
