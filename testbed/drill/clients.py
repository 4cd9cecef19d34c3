"""A client of the drill, a separate process: asks repeatedly, and compares answers with the plain ones.

    python -m testbed.drill.clients '{"kind": "check", ...}'

It leaves one line of JSON for each request, and ends when the file `stop` appears.
"""

import itertools
import json
import random
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TextIO

from keys import KeyringError
from matcher import Identity, MatcherError, identity
from node.client.mirrors import Mirrors
from node.client.peer import Peer
from node.client.platform import Platform
from node.domain.subjects import Subject
from node.domain.sum_findings import SumOutcome
from node.domain.summation import Summation, in_cohort
from node.domain.verification import Verification
from node.errors import ConflictError, NodeError, UnknownCallerError
from node.tabular.person_lists import read_households, read_mandates
from testbed import homes, plain_join
from testbed.drill import sums
from testbed.plain_join import Answer, Key

STOP = "stop"
SUMS, SUM_JOB = "sums", "sum job"
ITEMS = ("Z59b", "C21", "C22", "B12r", "C23")
PEERS = tuple(province.code for province in homes.PROVIDERS)
PURPOSE = "new_application"
LAW = "SA-2026-41"
LIST_PEOPLE = 40  # of one job
READS = 5  # of a mirror that another process replaces
CALLS = 40  # on one connection; opening another also opens the key store, half a second


@dataclass(frozen=True)
class Ask:
    """What a client does: `kind` is job, check, sum or sync; `code` who asks; `pause_s` after each.

    `folder` is the drill's; the requests go to `log`.
    """

    kind: str
    code: str
    folder: str
    log: str
    pause_s: float
    seed: int = 1

    @property
    def home(self) -> Path:
        """Of the province that asks."""
        return Path(self.folder) / self.code


@dataclass(frozen=True)
class Request:
    """What became of one request; `verdict` is right, wrong, lost or refused, times are of time.time()."""

    kind: str
    code: str
    began: float
    ended: float
    verdict: str
    why: str = ""

    @property
    def seconds(self) -> float:
        """From the call to the answer."""
        return self.ended - self.began


def main() -> None:
    """Do what the first argument says."""
    ask = Ask(**json.loads(sys.argv[1]))
    stop = Path(ask.folder) / STOP
    work = {"job": run_jobs, "check": run_checks, "sum": run_sums, "sync": run_syncs}[ask.kind]
    with Path(ask.log).open("a", encoding="utf-8") as log, ExitStack() as stack:
        for request in work(ask, stack):
            write(log, request)
            if stop.exists():
                return
            time.sleep(ask.pause_s)


def write(log: TextIO, request: Request) -> None:
    """One line of a log, whole."""
    log.write(json.dumps(request.__dict__, ensure_ascii=False) + "\n")
    log.flush()


def read(path: Path) -> list[Request]:
    """What a client has written."""
    return [Request(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]


# ---- what is asked


def run_jobs(ask: Ask, stack: ExitStack) -> Iterator[Request]:
    """Lists handed to the province's own node, as a platform does: persisted jobs, which a peer's absence
    only delays.
    """
    verification, truth = read_list(ask), read_truth(ask)
    platform = stack.enter_context(Platform.open(ask.home))
    draw = random.Random(ask.seed)
    number = 0
    while True:
        number += 1
        asked = only(verification, draw.sample(verification.subjects, LIST_PEOPLE))
        yield attempt(ask, partial(do_job, platform, f"drill-{number}", asked, truth))


def do_job(platform: Platform, name: str, asked: Verification, truth: Mapping[Key, Answer]) -> str:
    """One job to its end; what is wrong with it."""
    platform.submit(asked, name)
    for _ in platform.watch(name):
        pass
    report = platform.report(name)
    broken = [f"{part.peer} {part.state} {part.reason}" for part in report.peers if part.state != "done"]
    if report.state != "done" or broken:
        raise Lost(f"job {report.state}: {', '.join(broken)}")
    given = [((f.subject, f.item, f.peer), (f.outcome.value, f.value)) for f in report.findings]
    return differences(given, asked, PEERS, truth)


def run_checks(ask: Ask, stack: ExitStack) -> Iterator[Request]:
    """One person at a time, asked with the client library, of the providers by turns."""
    verification, truth = read_list(ask), read_truth(ask)
    draw, lines = random.Random(ask.seed), Lines(ask, stack)
    # Of people without a mandate nothing is asked; the jobs have them too.
    people = [one for one in verification.subjects if truth[one.ref, ITEMS[0], PEERS[0]][0] != "NOT_MANDATED"]
    while True:
        for code in PEERS:
            asked = only(verification, [draw.choice(people)])
            yield attempt(ask, partial(do_check, lines, code, asked, truth), lines.close)


def do_check(lines: "Lines", code: str, asked: Verification, truth: Mapping[Key, Answer]) -> str:
    """One person, all items; what is wrong with it."""
    answers = lines.to(code).verify(asked)
    ref = asked.subjects[0].ref
    given = [((ref, item, code), (a.outcome.value, a.value)) for item in answers for a in answers[item]]
    return differences(given, asked, (code,), truth)


def run_sums(ask: Ask, stack: ExitStack) -> Iterator[Request]:
    """Cohorts: by the client library, or as persisted jobs of the own node."""
    lines, folder = Lines(ask, stack), Path(ask.folder) / SUMS
    platform = stack.enter_context(Platform.open(ask.home))
    registers = {(code, item): folder / code / f"{item}.csv" for code in PEERS for item in sums.ITEMS}
    for number, cohort in enumerate(sums.choose_cohorts(registers)):
        if (number + number // len(registers)) % 2:  # each register both ways by turns
            name = f"drill-sum-{number}"
            yield attempt(replace(ask, kind=SUM_JOB), partial(do_sum_job, platform, name, cohort))
        else:
            yield attempt(ask, partial(do_sum, lines, cohort), lines.close)


def do_sum(lines: "Lines", cohort: sums.Cohort) -> str:
    """One sum; what is wrong with it."""
    (found,) = lines.to(cohort.province).sum(_people(cohort), (cohort.item,), LAW)
    answer = found.answer
    return _judge_sum(cohort, answer.rule, answer.count, answer.total, answer.variance)


def do_sum_job(platform: Platform, name: str, cohort: sums.Cohort) -> str:
    """The same, which a peer's absence only delays."""
    report = platform.sum(Summation((cohort.item,), (cohort.province,), LAW, _people(cohort)), name)
    found = report.finding(cohort.item, cohort.province)
    if report.state != "done" or found.outcome not in (SumOutcome.RELEASED, SumOutcome.SUPPRESSED):
        raise Lost(f"job {report.state}: {found.peer} {found.outcome.value} {found.reason}")
    return _judge_sum(cohort, found.reason, found.count, found.total, found.variance)


def run_syncs(ask: Ask, stack: ExitStack) -> Iterator[Request]:
    """The mirrors of the province, which its jobs use, brought up to date; by turns from nothing.

    So a whole fetch runs in most steps, and every sync finds what changed since the last one.
    """
    mirrors = stack.enter_context(Mirrors.open(ask.home))
    for number in itertools.count():
        for code in PEERS:
            yield attempt(ask, partial(do_sync, mirrors, code, anew=bool(number % 2)))


def do_sync(mirrors: Mirrors, code: str, *, anew: bool) -> str:
    """One sync; what is wrong with the mirror after it. Every entry is read."""
    if anew:
        with suppress(ConflictError):  # a job of the node brings it up to date
            mirrors.drop(code)
    done = mirrors.sync(code)
    if done.left or not done.partitions:
        return f"mirror of {code}: {done.partitions} partitions, left {done.left}"
    for _ in range(READS):
        _, found = mirrors.read(code, verify=True)
        states = {one.state.value for one in found}
        if states == {"whole"} or "damaged" in states:
            break
        time.sleep(1.0)  # a job of the node replaces it while it is read
    return "" if states == {"whole"} else f"mirror of {code}: {', '.join(sorted(states)) or 'no manifest'}"


def _people(cohort: sums.Cohort) -> tuple[tuple[Identity, ...], ...]:
    return in_cohort((identity.parse(number),) for number in cohort.people)


def _judge_sum(
    cohort: sums.Cohort, rule: str, count: int | None, total: int | None, variance: int | None
) -> str:
    figures = (count or 0, total or 0, variance or 0)
    right = sums.is_right(cohort, rule, *figures)
    return "" if right else f"{cohort.item} of {cohort.count} in {cohort.province}: {rule or figures}"


# ---- how it is asked


class Lost(Exception):  # noqa: N818 - no fault of this program
    """A request that ended without its answer."""


class Lines:
    """Connections to the providers, each kept for some calls, as programs do that run for long."""

    def __init__(self, ask: Ask, stack: ExitStack) -> None:
        self._home, self._open = ask.home, dict[str, tuple[Peer, int]]()
        stack.callback(self.close)

    def to(self, code: str) -> Peer:
        """A connection to a provider. Raises NodeError kinds."""
        peer, calls = self._open.pop(code, (None, 0))
        if peer is not None and calls >= CALLS:
            peer.close()
            peer = None
        if peer is None:
            peer, calls = Peer.open(self._home, code), 0
        self._open[code] = (peer, calls + 1)
        return peer

    def close(self) -> None:
        """Close all: the next call opens anew, with the keys of that moment."""
        for peer, _ in self._open.values():
            peer.close()
        self._open.clear()


def attempt(ask: Ask, call: Callable[[], str], failed: Callable[[], None] = lambda: None) -> Request:
    """Ask once; `failed` is run after an error."""
    began = time.time()
    verdict, why = "right", ""
    try:
        why = call()
        verdict = "wrong" if why else "right"
    except UnknownCallerError as error:
        verdict, why = "refused", str(error)
        failed()
    except (Lost, NodeError, MatcherError, KeyringError) as error:
        details = getattr(error, "details", {})
        verdict, why = "lost", f"{type(error).__name__}: {error} {details or ''}".strip()
        failed()
    return Request(ask.kind, ask.code, began, time.time(), verdict, why)


def read_list(ask: Ask) -> Verification:
    """The county's list, whole."""
    lists = Path(ask.folder) / homes.FEDERATION / homes.REQUESTER.code
    subjects = read_households(lists / "households.csv")[0]
    mandates = read_mandates(lists / "mandates.csv")[0]
    return Verification(ITEMS, PEERS, PURPOSE, "SA-2026-41", tuple(subjects), mandates)


def read_truth(ask: Ask) -> dict[Key, Answer]:
    """The plain join."""
    return plain_join.expected(Path(ask.folder) / homes.FEDERATION)


def only(verification: Verification, subjects: Sequence[Subject]) -> Verification:
    """Some people of a list, and their mandates."""
    named = {subject.mandate for subject in subjects}
    mandates = {number: mandate for number, mandate in verification.mandates.items() if number in named}
    return replace(verification, subjects=tuple(subjects), mandates=mandates)


def differences(
    given: Iterable[tuple[Key, Answer]],
    asked: Verification,
    peers: Sequence[str],
    truth: Mapping[Key, Answer],
) -> str:
    """What differs from the plain join, by reference; nothing when each answer is there once and right."""
    due = {(s.ref, item, peer) for s in asked.subjects for item in asked.items for peer in peers}
    found: dict[Key, Answer] = {}
    for key, answer in given:
        if key in found or key not in due:
            return f"{key}: not asked, or answered twice"
        found[key] = answer
        if plain_join.judge(truth[key], answer) == "differ":
            return f"{key}: {answer}, due {truth[key]}"
    missing = due - found.keys()
    return f"{len(missing)} answers are missing" if missing else ""


if __name__ == "__main__":
    main()
