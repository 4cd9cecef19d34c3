"""`heqiao keys rotate --due`: everything that is due, group by group, with every result printed."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import click

from keys import KeyStore
from keys import rotation as plans
from keys.errors import KeyringError
from keys.rotation import Action, Due, Reason
from keys.types import RotationPolicy
from matcher.errors import MatcherError
from node.cli.approvals import guard
from node.cli.keys_words import (
    WORDS,
    describe_due,
    describe_moved,
    describe_rotated,
    plain_due,
    plain_moved,
    plain_rotated,
)
from node.cli.options import show
from node.cli.terminal import show_progress
from node.clock import utc_now
from node.config import Config
from node.context import Node, open_node
from node.errors import NodeError
from node.governance.approvals import ApprovalNeededError
from node.rotation import driver
from node.rotation.kinds import KINDS, TLS
from node.rotation.run import open_key_home
from node.rotation.status import read_due
from node.rotation.tls import is_requested, request_path

_ANSWERED_BY_CA: Final = "the CA must answer {path} (`heqiao ca issue`), then `heqiao join` takes its bundle"
_SALT: Final = {
    Action.MAKE: "`heqiao keys rotate salt` begins: imports then write under both salts",
    Action.IMPORT: "import in full the items that `heqiao keys status` names, then `heqiao keys rotate salt`",
    Action.SWITCH: "`heqiao keys rotate salt` switches: everything has the next salt",
    Action.RETIRE: "`heqiao keys retire salt` removes what is stored under the old salt",
}
_NEXT_SALT: Final = (
    "the CA makes the next salt (`heqiao ca salt`); take its bundle with `heqiao join`, then `heqiao keys "
    "rotate salt`"
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a due step: `done`, `asked` (for an approval), `left` (for a person) or `failed`."""

    purpose: str
    outcome: str
    text: str
    hint: str = ""
    plain: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Run:
    config: Config
    keys: KeyStore
    admin: Path | None
    workers: int | None
    quiet: bool


def run_due(
    config: Config, keys: KeyStore, admin: Path | None, *, workers: int | None, dry_run: bool, as_json: bool
) -> bool:
    """Run all due steps and print results; False where one failed. The others still run."""
    due = read_due(config, keys, utc_now())
    result: dict[str, object] = {"due": plain_due(due)}
    if dry_run:
        lines = describe_due(due) or ["nothing is due"]
        show({"dry_run": True, **result}, "\n".join(lines), as_json=as_json)
        return True
    run, outcomes = _Run(config, keys, admin, workers, quiet=as_json), []
    say: Callable[[str], None] = (lambda _line: None) if as_json else click.echo
    for group in plans.GROUPS:
        wanted = [one for one in due if one.kind == group[0]]
        for line in describe_due(wanted):
            say(line)
        for outcome in _run_group(run, group[0], wanted):
            say(_describe(outcome))
            outcomes.append(outcome)
    if as_json or not due:
        result["outcomes"] = [_plain(one) for one in outcomes]
        show(result, "nothing is due", as_json=as_json)
    return not any(one.outcome == "failed" for one in outcomes)


def guard_rotation(
    config: Config, admin: Path | None, purpose: str, epoch: int, policy: RotationPolicy
) -> None:
    """Where node.toml requires it, go on only with an approval of this rotation. Raises as `guard` does."""
    guard(config, admin, "keys rotate", {"purpose": purpose, "epoch": epoch, "grace_days": policy.grace.days})


def _run_group(run: _Run, purpose: str, due: Sequence[Due]) -> Iterator[Outcome]:
    rotations = [one for one in due if one.step.action is not Action.RETIRE]
    if purpose == plans.SALT:
        yield from _left_salt(due)
        return
    if rotations:
        act = _request if purpose == plans.TLS else _rotate
        yield _attempt(purpose, lambda: act(run, rotations))
    if len(rotations) < len(due):
        yield _attempt(purpose, lambda: _retire(run, purpose))


def _attempt(purpose: str, act: Callable[[], Outcome]) -> Outcome:
    try:
        return act()
    except ApprovalNeededError as error:
        return Outcome(purpose, "asked", str(error), error.hint)
    except (NodeError, KeyringError) as error:
        return Outcome(purpose, "failed", str(error), error.hint)
    except MatcherError as error:
        return Outcome(purpose, "failed", str(error))
    except OSError as error:
        text = f"{error.filename or 'the system'}: {error.strerror}"
        return Outcome(purpose, "failed", text, "check the path, its permissions and the disk")


def _rotate(run: _Run, due: Sequence[Due]) -> Outcome:
    step = due[-1].step
    kind, words = KINDS[step.purpose], WORDS[step.purpose]
    policy = kind.policy(run.config)
    with _opened(run) as node:
        # The states decide again, as they are now: a clock or a state that does not allow it is refused here.
        driver.prepare(kind, node, run.keys, policy)
        guard_rotation(run.config, run.admin, step.purpose, step.epoch, policy)
        with show_progress(words.stages, hidden=run.quiet) as progress:
            done = driver.rotate(
                kind, node, run.keys, policy, epoch=step.epoch, workers=run.workers, progress=progress
            )
    return Outcome(step.purpose, "done", describe_rotated(words, done), plain=plain_rotated(words, done))


def _retire(run: _Run, purpose: str) -> Outcome:
    with _opened(run) as node:
        moved = driver.retire(KINDS[purpose], node, run.keys)
    return Outcome(
        purpose, "done", describe_moved(moved) or "nothing to retire", plain={"moved": plain_moved(moved)}
    )


def _request(run: _Run, due: Sequence[Due]) -> Outcome:
    """The next TLS key and its request; where that waits already, only the CA has something to do."""
    path, step = request_path(run.config), due[0].step
    text = _ANSWERED_BY_CA.format(path=path)
    if due[0].reason is Reason.BEGUN and is_requested(run.config, run.keys):
        return Outcome(plans.TLS, "left", text)
    with open_key_home(run.config) as home:
        policy = TLS.policy(run.config)
        driver.prepare(TLS, home, run.keys, policy)
        guard(run.config, run.admin, "keys rotate", {"purpose": plans.TLS, "epoch": step.epoch})
        done = driver.rotate(TLS, home, run.keys, policy, epoch=step.epoch)
    key = done.keys[0]
    plain = {"epoch": key.epoch, "fingerprint": key.fingerprint, "request": str(path)}
    return Outcome(plans.TLS, "done", f"tls.{key.epoch} {key.fingerprint}: pending; {text}", plain=plain)


def _left_salt(due: Sequence[Due]) -> Iterator[Outcome]:
    """What a person must do for the salt: its sources are not on this machine."""
    rotations = [one for one in due if one.step.action is not Action.RETIRE]
    if rotations:
        first = rotations[0]
        text = _NEXT_SALT if first.reason is Reason.AGE else _SALT[first.step.action]
        yield Outcome(plans.SALT, "left", text)
    if len(rotations) < len(due):
        yield Outcome(plans.SALT, "left", _SALT[Action.RETIRE])


@contextmanager
def _opened(run: _Run) -> Iterator[Node]:
    """The node, for one group: what does not open for one is tried again for the next."""
    node = open_node(run.config, keys=run.keys)
    try:
        yield node
    finally:
        node.store.dispose()


def _plain(one: Outcome) -> dict[str, object]:
    advice = {"message": one.text, "hint": one.hint} if one.outcome != "done" else {}
    return {**one.plain, "purpose": one.purpose, "outcome": one.outcome, **advice}


def _describe(one: Outcome) -> str:
    start = "" if one.outcome == "done" else f"{one.outcome}: "
    lines = [*(start + one.text).splitlines(), *([f"hint: {one.hint}"] if one.hint else [])]
    return "\n".join(f"  {line}" for line in lines)
