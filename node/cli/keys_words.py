"""Texts of the keys commands: help by kind, steps, results, and what is due."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from keys.rotation import Action, Due, Reason, Step
from keys.types import EpochKey
from node.cli.options import count
from node.credentials.sum_keys import SUM_PURPOSES
from node.domain.days import china_day
from node.rotation.run import Amount, Rotated

_STAGES: Final = {
    "make": "making the key",
    "tokens": "moving tokens",
    "rekey": "moving entries",
    "switch": "switching",
}


@dataclass(frozen=True, slots=True)
class Words:
    """How the keys of one purpose are named and described.

    `help` is the command's; without it there is none. `steps` say what each step does (name, entries, parts,
    until); `part` and `entry` name what is stored, one and many, or are empty; `purposes` are all that rotate
    together; `following` says what goes on until the end of the grace.
    """

    purpose: str
    help: str
    steps: Mapping[Action, str]
    stages: Mapping[str, str] = field(default_factory=lambda: _STAGES)
    part: tuple[str, str] = ("partition", "partitions")
    entry: tuple[str, str] = ("entry", "entries")
    together: tuple[str, ...] = ()
    following: str = "the epoch before is answered"

    @property
    def purposes(self) -> tuple[str, ...]:
        """All purposes that rotate together."""
        return self.together or (self.purpose,)


_OPRF = Words(
    "oprf",
    """Replace the OPRF key.

    Every stored token, tag and label moves to the next epoch; no source data is needed. The node keeps
    serving; peers switch by themselves, and queries begun under the old epoch are answered until its
    grace ends. If it is interrupted, run it again to continue. Imports wait until it has ended.

    \b
    heqiao keys rotate oprf --home 44 --dry-run
    heqiao keys rotate oprf --home 44
    """,
    {
        Action.MAKE: "make the key {name}, pending",
        Action.REKEY: "bring {entries} in {parts} under it; the epoch before stays served",
        Action.SWITCH: "switch to {name} at once; the epoch before is answered until {until}",
        Action.RETIRE: "refuse {name}, and remove its partitions",
        Action.DESTROY: "erase {name}",
    },
)


def _sums(purpose: str, first: str) -> Words:
    """`paillier` and `sum`: the same rotation, since the keys of sums are one epoch."""
    return Words(
        purpose,
        f"""{first}

        The sum key, the Paillier key and the check secret are one epoch and move together, whichever is
        named. Every row is encrypted under the new keys from the value that is kept sealed beside it;
        nothing is decrypted and no source data is needed. The node keeps serving; peers switch by
        themselves, and a cohort begun under the old epoch is opened until its grace ends. If it is
        interrupted, run it again: it continues after the last complete group. Imports wait until it has
        ended. Rows that are damaged stop it; it names the item, which is then imported in full.

        \b
        heqiao keys rotate {purpose} --home 44 --dry-run
        heqiao keys rotate {purpose} --home 44
        """,
        {
            Action.MAKE: "make the keys {name}, pending",
            Action.REKEY: "encrypt {entries} in {parts} again under them; the epoch before stays served",
            Action.SWITCH: "switch to {name} at once; the epoch before is answered until {until}",
            Action.RETIRE: "refuse {name}, and remove their rows",
            Action.DESTROY: "erase {name}",
        },
        {"make": "making the keys", "rekey": "encrypting rows", "switch": "switching"},
        ("group", "groups"),
        ("row", "rows"),
        SUM_PURPOSES,
    )


_SIGNING = Words(
    "signing",
    """Replace the key that signs manifests and cards.

    The old key signs the new one. Peers learn of it with the next manifest and accept the new key by
    themselves during the grace; a peer that was offline for longer needs the new card (`heqiao card`).
    After the switch the old key signs nothing. If it is interrupted, run it again.

    If the old key was stolen, use `--grace-days 0`, so that no peer accepts it, and send new cards.

    \b
    heqiao keys rotate signing --home 44 --dry-run
    heqiao keys rotate signing --home 44
    """,
    {
        Action.MAKE: "make the key {name}, pending",
        Action.REKEY: "have the previous key sign {name}, and {name} sign the same statement",
        Action.SWITCH: "switch to {name} at once; peers follow by themselves until {until}",
        Action.RETIRE: "stop showing peers the statement that {name} was replaced",
        Action.DESTROY: "erase {name}",
    },
    part=("", ""),
    entry=("", ""),
    following="peers follow by themselves",
)
_STORAGE = Words(
    "storage",
    """Replace the key that seals what the node stores.

    From then on new values are sealed under the next key, and both open. A serving node seals all others
    again in the background; `heqiao keys retire storage` does the rest, and refuses while anything is left.
    Then `heqiao keys destroy storage` erases the old key: copies of the database from before do not open
    without it. If it is interrupted, run it again.

    \b
    heqiao keys rotate storage --home 44
    heqiao keys retire storage --home 44
    heqiao keys destroy storage --home 44 --confirm
    """,
    {
        Action.MAKE: "make the key {name}, pending",
        Action.REKEY: "leave what is stored as it is; both keys open it",
        Action.SWITCH: "switch to {name} at once; the rest is sealed again in the background, by {until}",
        Action.RETIRE: "seal again what is left under {name}, and open nothing under it any more",
        Action.DESTROY: "erase {name}",
    },
    part=("", ""),
    entry=("", ""),
    following="what is stored is sealed again in the background; the old key opens it",
)
_SALT = Words(
    "salt",
    "",
    {
        Action.RETIRE: "refuse {name}, and remove what is stored under it",
        Action.DESTROY: "erase {name}",
    },
)
_WORDS = (
    _OPRF,
    _sums("paillier", "Replace the Paillier key, with all keys of sums."),
    _SIGNING,
    _STORAGE,
    _sums("sum", "Replace the sum key, with all keys of sums."),
    _SALT,
)
WORDS: Final[Mapping[str, Words]] = {words.purpose: words for words in _WORDS}

_REASONS: Final = {
    Reason.AGE: "{purpose}: due since {day} by its age",
    Reason.BEGUN: "{purpose}: begun {since:%Y-%m-%d %H:%M} UTC and not finished",
    Reason.GRACE: "{purpose}: the grace of {purpose}.{epoch} ended {since:%Y-%m-%d %H:%M} UTC",
    Reason.CERTIFICATE: "{purpose}: due since {day}, its certificate expires soon",
    Reason.CLOCK: "{purpose}: the clock is before {since:%Y-%m-%d %H:%M} UTC, its last switch",
    Reason.STATE: "{purpose}: there is not exactly one active key",
}


def plain_due(due: Sequence[Due]) -> list[dict[str, object]]:
    """Due steps for programs."""
    return [
        {
            "rotation": one.kind,
            "purpose": one.step.purpose,
            "epoch": one.step.epoch,
            "action": one.step.action.value,
            "reason": one.reason.value,
            "since": one.since.isoformat(),
        }
        for one in due
    ]


def describe_due(due: Sequence[Due]) -> list[str]:
    """A line for each reason."""
    lines = [
        _REASONS[one.reason].format(
            purpose=one.kind, epoch=one.step.epoch, since=one.since, day=china_day(one.since)
        )
        for one in due
    ]
    return list(dict.fromkeys(lines))


def plain_plan(words: Words, stored: Amount, steps: Sequence[Step]) -> dict[str, object]:
    """Steps that are to be taken, for programs."""
    return {
        "dry_run": True,
        **_amounts(words, stored),
        "steps": [
            {
                "action": step.action.value,
                "purpose": words.purpose,
                "epoch": step.epoch,
                "until": step.until.isoformat() if step.until else None,
            }
            for step in steps
        ],
    }


def describe_plan(words: Words, stored: Amount, steps: Sequence[Step]) -> str:
    """Steps that are to be taken, a line for each."""
    lines = [
        f"{number}. "
        + words.steps[step.action].format(
            name=listed([f"{purpose}.{step.epoch}" for purpose in words.purposes]),
            entries=count(stored.entries, *words.entry),
            parts=count(stored.parts, *words.part),
            until=moment(step.until) if step.until else "",
        )
        for number, step in enumerate(steps, 1)
    ]
    return "\n".join(lines) or "nothing to do"


def plain_rotated(words: Words, done: Rotated) -> dict[str, object]:
    """What a rotation did, for programs."""
    key, amount = done.key(words.purpose), done.amount
    return {
        "purpose": words.purpose,
        "epoch": key.epoch,
        "fingerprint": key.fingerprint,
        "grace_until": done.grace_until.isoformat() if done.grace_until else None,
        **_amounts(words, amount),
        "resumed": not done.begun,
        "seconds": {stage: round(seconds, 3) for stage, seconds in done.seconds.items()},
        "cpu_s": round(amount.usage.cpu_s, 2),
        "peak_mib": round(amount.usage.peak / 2**20),
        "workers": amount.workers,
    }


def describe_rotated(words: Words, done: Rotated) -> str:
    """What a rotation did."""
    key, amount = done.key(words.purpose), done.amount
    moved = f"{count(amount.entries, *words.entry)} in {count(amount.parts, *words.part)} moved; "
    others = [f"{purpose}.{key.epoch}" for purpose in words.purposes if purpose != words.purpose]
    until = moment(done.grace_until) if done.grace_until else ""
    lines = [
        f"{words.purpose}.{key.epoch} is active: {key.fingerprint}",
        *([f"  {listed(others)} with it"] if others else []),
        f"  {moved if words.entry[1] else ''}{words.following} until {until}",
    ]
    if not done.begun:
        lines.append("  an earlier run had begun it; this one finished it")
    return "\n".join(lines)


def plain_moved(moved: Sequence[EpochKey]) -> list[dict[str, object]]:
    """Keys that changed their state, for programs."""
    return [
        {
            "purpose": key.purpose,
            "epoch": key.epoch,
            "state": key.state.value,
            "fingerprint": key.fingerprint,
        }
        for key in moved
    ]


def describe_moved(moved: Sequence[EpochKey]) -> str:
    """Keys that changed their state, a line for each."""
    return "\n".join(f"{key.purpose}.{key.epoch} is {key.state}: {key.fingerprint}" for key in moved)


def listed(names: Sequence[str]) -> str:
    """One, two and three."""
    return ", ".join(names[:-1]) + (" and " if len(names) > 1 else "") + names[-1]


def moment(found: datetime) -> str:
    """A time to the minute."""
    return f"{found:%Y-%m-%d %H:%M} UTC"


def _amounts(words: Words, amount: Amount) -> dict[str, int]:
    return {words.part[1]: amount.parts, words.entry[1]: amount.entries} if words.entry[1] else {}
