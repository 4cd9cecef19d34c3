"""Finds the answers of earlier jobs that a part uses again instead of asking (domain.md section 11, S46).

Both mandates must cover the question today: the one of this request, and the one under which the answer was
given. A revoked or expired one forbids it.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from node.context import Node
from node.database import answered_people as rows
from node.database import jobs as job_rows
from node.database.answered_people import AnsweredPart
from node.domain.catalogue import Item
from node.domain.days import china_day
from node.domain.findings import ReusedFrom
from node.domain.jobs import JobRow
from node.domain.mandate import covers
from node.domain.reuse import Reused, ReusedAnswer, definition_digest, is_valid, people_digests, split_digests
from node.domain.sealed_names import of_answers, of_request
from node.domain.subjects import Subjects
from node.domain.verification import Verification, unpack_verification
from node.errors import PreconditionError
from node.jobs.mandates import revoked_numbers
from node.requester.checkpoint import split_answers
from node.requester.match_query import Question


@dataclass(frozen=True, slots=True)
class _Search:
    """What is looked for: `wanted` are the items of each person, by digest and place in the list."""

    node: Node
    job: JobRow
    peer: str
    purpose: str
    items: Mapping[str, Item]
    definitions: Mapping[str, str]
    wanted: Mapping[bytes, Sequence[int]]
    question: Question
    today: date
    found: Reused


def definitions_of(question: Question) -> str:
    """What the items of a question mean now, as it is kept with the part (JSON)."""
    return json.dumps({item.code: definition_digest(item) for item in question.items}, sort_keys=True)


def digests_of(node: Node, request: Verification) -> bytes:
    """The people of a request, as they are stored to be found again."""
    return people_digests(Subjects.of(request.subjects), node.keys.digest_key)


def find_reusable(node: Node, job: JobRow, peer: str, request: Verification, question: Question) -> Reused:
    """The answers of a peer that are used again today; the newest of each."""
    now, found = node.clock(), Reused()
    longest = max(item.freshness_days for item in question.items)
    with node.store.transaction("find answered parts") as tx:
        # A record may be younger than the day on which it was told, and is then fresh for longer: not looked
        # for.
        earlier = rows.find_answered(tx, job, peer, now - timedelta(days=longest + 1))
    if not earlier:
        return found
    wanted: dict[bytes, list[int]] = {}
    for place, digest in enumerate(split_digests(digests_of(node, request))):
        if any(item.code not in question.uncovered[place] for item in question.items):
            wanted.setdefault(digest, []).append(place)
    items = {item.code: item for item in question.items}
    definitions = json.loads(definitions_of(question))
    search = _Search(
        node, job, peer, request.purpose, items, definitions, wanted, question, china_day(now), found
    )
    for part in earlier:
        _take(search, part)
    return found


def _take(search: _Search, part: AnsweredPart) -> None:
    """Use what an earlier part has of people who are looked for."""
    shared = [
        (place, own)
        for place, digest in enumerate(split_digests(part.digests))
        for own in search.wanted.get(digest, ())
    ]
    told = json.loads(part.definitions)
    same = [code for code, digest in search.definitions.items() if told.get(code) == digest]
    if not shared or not same:
        return
    with search.node.store.transaction("read earlier answers") as tx:
        sealed = job_rows.read_request(tx, part.job)
        answers = job_rows.read_answers(tx, part.job, search.peer)
    vault = search.node.keys.vault
    try:
        earlier = unpack_verification(vault.unseal(of_request(part.job), sealed))
        told_of = {
            code: split_answers(vault.unseal(of_answers(part.job, search.peer, code), answers[code]))
            for code in same
            if code in answers
        }
    except PreconditionError:  # written by another release: asked anew
        return
    permitted = _Permitted(search, earlier)
    source = ReusedFrom(part.job, china_day(part.ended_at))
    for code, (different, places) in told_of.items():
        item = search.items[code]
        good = [is_valid(item, one.outcome, one.as_of, source.day, search.today) for one in different]
        for place, own in shared:
            at = int(places[place])
            if not good[at] or search.found.has(code, own) or code in search.question.uncovered[own]:
                continue
            if permitted.covers(place, code):
                said = different[at]
                search.found.add(code, own, ReusedAnswer(said.outcome, said.value, said.as_of, source))


class _Permitted:
    """Whether the mandates of an earlier request still cover what is asked."""

    def __init__(self, search: _Search, earlier: Verification) -> None:
        self._search, self._earlier = search, earlier
        self._numbers = Subjects.of(earlier.subjects).mandates
        self._revoked = revoked_numbers(search.node, search.job.owner, frozenset(self._numbers))
        self._known: dict[tuple[str, str], bool] = {}

    def covers(self, place: int, item: str) -> bool:
        """Whether the mandate of a person of the earlier request covers an item today."""
        number = self._numbers[place]
        if number in self._revoked:
            return False
        if (number, item) not in self._known:
            one, search = self._earlier.mandates.get(number), self._search
            self._known[number, item] = not covers(one, item, search.peer, search.purpose, search.today)
        return self._known[number, item]
