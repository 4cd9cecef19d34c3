"""The kind of job that looks again at the people of a watch list (design.md section 3.4).

Its request names the list only: people are read from the list when a part runs, so that whoever was removed
is in no job.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from functools import partial

from matcher import Level
from matcher.types import TokenClass
from node.context import Node
from node.database import Connection
from node.database import audit_log as audit_rows
from node.database import jobs as job_rows
from node.database import watches as rows
from node.domain.alerts import Change, find_changes, next_base
from node.domain.catalogue import Catalogue
from node.domain.days import FIRST_DAY, china_day
from node.domain.findings import Report
from node.domain.jobs import WATCH
from node.domain.subjects import Subjects
from node.domain.thresholds import Said
from node.domain.verification import Verification
from node.domain.watches import LookRequest, LookRow, last_day, pack_look, unpack_look
from node.errors import InvalidRequestError, PreconditionError, UnavailableError
from node.jobs.mandate_reasons import recorded_reasons
from node.jobs.mandates import revoked_numbers
from node.jobs.part_run import PartRun
from node.jobs.watch_store import (
    OpenWatch,
    StoredTokens,
    add_alerts,
    current_thresholds,
    open_watch,
    seal_answers,
)
from node.jobs.watch_tokens import erase_ended
from node.requester.checkpoint import StoredCheckpoint
from node.requester.match_query import ask_question
from node.requester.point_cache import PointCache
from node.requester.points import HasIdentities
from node.requester.watch import Before, Look, look

RESTARTS = 3


class WatchCheckpoint(StoredCheckpoint):
    """The checkpoint of a look: its end is noted with the list, and leaves no answers with the job."""

    watch = ""  # known once the part runs

    def end(self, state: str, reason: str, seconds: float) -> None:
        """Close the part; a failure is shown with the list."""
        if self.watch:
            self._write("end look", partial(self._note_end, state, reason))
        super().end(state, reason, seconds)

    def _note_end(self, state: str, reason: str, tx: Connection) -> None:
        job_rows.forget_run(tx, self._job, self._peer)
        if rows.lock_watch(tx, self.watch) is not None:
            last = rows.find_look(tx, self.watch, self._peer)
            text = "" if state == "done" else (reason or state)[:64]
            rows.put_look(tx, replace(last, tried_at=self._node.clock(), reason=text))


class WatchJob:
    """Looks, as `node.jobs.kinds.JobKind` says."""

    name = WATCH
    checkpoint = WatchCheckpoint

    def check(self, node: Node, request: LookRequest) -> None:
        """Raises InvalidRequestError, and ItemNotOfferedError for an unknown item."""
        for item in request.items:
            if node.catalogue.item(item).level is Level.AGGREGATE:
                raise InvalidRequestError(f"{item} is answered as a sum only", "leave it out of the list")

    def pack(self, request: LookRequest) -> bytes:
        """Canonical bytes."""
        return pack_look(request)

    def unpack(self, packed: bytes) -> LookRequest:
        """What `pack` made."""
        return unpack_look(packed)

    def people(self, request: LookRequest) -> int:
        """How many people the list had."""
        return request.count

    def identities(self, request: LookRequest) -> Iterable[HasIdentities]:  # noqa: ARG002
        """None: each part reads the list anew."""
        return ()

    def people_digests(self, _node: Node, _request: LookRequest) -> None:
        """No answer of a look is used again."""

    def matter(self, _request: LookRequest) -> str:
        """None: a list has people of many applications."""
        return ""

    def before_mandate(self, _request: LookRequest) -> tuple[()]:
        """Nobody."""
        return ()

    def count_mandates(self, _request: LookRequest) -> int:
        """None: they came with the list, once for all looks."""
        return 0

    def ask(self, run: PartRun[WatchCheckpoint], request: LookRequest) -> None:
        """Look at one peer; keep answers, tokens and alerts. Raises NodeError kinds."""
        run.checkpoint.watch = request.watch
        for _ in range(RESTARTS):
            erase_ended(run.node, request.watch)
            done = _look_once(run, request)
            erase_ended(run.node, request.watch)  # what ended while the peer answered
            if done:
                return
        raise UnavailableError("the watch list changed again and again", "try again later")

    def results(self, node: Node, job: str) -> Report:  # noqa: ARG002 - as JobKind has it
        """Raises PreconditionError: what a look finds are alerts of its list."""
        raise PreconditionError(
            "a look has no report of its own", "see `heqiao watch show` and `watch alerts`"
        )


def _look_once(run: PartRun[WatchCheckpoint], request: LookRequest) -> bool:
    """One look; False where people left the list, or another look was quicker: nothing of it is kept."""
    node, peer = run.node, run.part.peer
    watch = open_watch(node, request.watch, peer)
    thresholds = current_thresholds(node, china_day(node.clock()))
    plain = replace(watch.request, items=request.items)
    revoked = revoked_numbers(node, watch.row.owner, plain.mandates)
    today = china_day(node.clock())
    refused = recorded_reasons(node, watch.row.owner, plain, today)
    question = ask_question(node, plain, peer, today, revoked, refused)
    run.checkpoint.refuse(question.uncovered)
    # Of the job's first day, so that a query that is resumed is the very same.
    until = _days(node.catalogue, plain, peer, china_day(run.job.created_at), revoked)
    shelf = StoredTokens(node, run.lease, watch.row, peer, until)
    own = replace(run, points=PointCache(node.keys.salts, Subjects.of(plain.subjects)))
    with own.connect() as (context, _):
        found = look(context, question, shelf, Before(watch.last.versions or {}, until))
    answers = {
        item: [Said(one.outcome, one.value, one.as_of) for one in said]
        for item, said in found.answers.items()
    }
    refs = Subjects.of(plain.subjects).refs
    changes = list(find_changes(refs, watch.base, answers, thresholds))
    version = "" if thresholds is None else thresholds.version
    return run.lease.write("end look", partial(_conclude, run, watch, found, answers, changes, version))


def _days(
    catalogue: Catalogue, plain: Verification, peer: str, today: date, revoked: frozenset[str]
) -> dict[TokenClass, int]:
    """The last day on which tokens of a class are kept for anybody, since 1970-01-01; 0 for nobody."""
    ends: dict[TokenClass, int] = {}
    for code in plain.items:
        found = [
            day
            for number, mandate in plain.mandates.items()
            if number not in revoked and (day := last_day(mandate, code, peer, today)) is not None
        ]
        each = catalogue.item(code).token_class
        ends[each] = max([ends.get(each, 0), *((day - FIRST_DAY).days for day in found)])
    return ends


def _conclude(
    run: PartRun[WatchCheckpoint],
    watch: OpenWatch,
    found: Look,
    answers: Mapping[str, list[Said]],
    changes: list[Change],
    version: str,
    tx: Connection,
) -> bool:
    node, peer, now = run.node, run.part.peer, run.node.clock()
    current, last = rows.lock_watch(tx, watch.row.id), rows.find_look(tx, watch.row.id, peer)
    if current is None or (current.revision, last.look) != (watch.row.revision, watch.last.look):
        return False
    sealed = {
        item: seal_answers(node, watch.row.id, peer, item, next_base(watch.base.get(item), said))
        for item, said in answers.items()
    }
    rows.put_answers(tx, watch.row.id, peer, sealed)
    done = LookRow(
        watch=watch.row.id,
        peer=peer,
        look=last.look + 1,
        epoch=found.offer.content.epoch,
        versions={**(last.versions or {}), **found.versions},
        issued_at=found.offer.content.issued_at,
        looked_at=now,
        plan=found.plan,
        tried_at=now,
    )
    rows.put_look(tx, done)
    add_alerts(node, tx, watch.row, done, version, changes)
    details: dict[str, str | int | list[str]] = {
        "watch": watch.row.id,
        "peer": peer,
        "people": current.people,
        "items": list(answers),
        "epoch": done.epoch,
        "plan": found.plan,
        "alerts": len(changes),
        "thresholds": version,
    }
    audit_rows.append(tx, "watch_looked", details, now)
    return True


WATCH_JOB = WatchJob()
