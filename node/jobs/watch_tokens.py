"""Erases kept tokens as soon as nothing permits them any more (design.md sections 3.4 and 7).

A mandate that ended or was revoked, a person who left the list, the day until which a peer was told.
"""

import threading
from collections.abc import Sequence
from functools import partial

import numpy as np

from node.context import Node
from node.database import Connection
from node.database import audit_log as audit_rows
from node.database import watches as rows
from node.database.watches import TokensRow
from node.domain.days import FIRST_DAY, china_day
from node.domain.verification import Verification
from node.domain.watches import WatchRow
from node.jobs.mandate_reasons import recorded_reasons
from node.jobs.mandates import revoked_numbers
from node.jobs.watch_store import seal_tokens, unseal_request, unseal_tokens
from node.requester.kept_tokens import KeptTokens
from node.requester.match_query import ask_question, covered


def erase_ended(node: Node, watch: str | None = None) -> int:
    """Erase the tokens of people without a mandate of today, of one list or of all; of how many people.

    Raises NodeError kinds. Where it erased anything the database's log is emptied too.
    """
    erased = 0
    with node.store.transaction("list watch tokens") as tx:
        lists = {one.id: one for one in rows.list_watches(tx) if watch in (None, one.id)}
        held = [one for one in rows.list_tokens(tx, watch) if one.watch in lists]
        requests = {name: rows.read_request(tx, name) for name in {one.watch for one in held}}
    for name, sealed in requests.items():
        if sealed is None:
            continue
        mine = [one for one in held if one.watch == name]
        plans = _plan(node, lists[name], unseal_request(node, name, sealed), mine)
        if plans:
            erased += node.store.retry_write("erase watch tokens", partial(_apply, node, plans))
    if erased:
        node.store.clear_log()
    return erased


def _plan(
    node: Node, row: WatchRow, request: Verification, held: Sequence[TokensRow]
) -> list[tuple[TokensRow, TokensRow | None, int]]:
    """Rows that must change: what was read, what takes its place (None: nothing), of how many people less."""
    now = china_day(node.clock())
    today = (now - FIRST_DAY).days
    plans: list[tuple[TokensRow, TokensRow | None, int]] = []
    revoked = revoked_numbers(node, row.owner, request.mandates)
    refused = recorded_reasons(node, row.owner, request, now)
    for one in held:
        if one.until < today:
            plans.append((one, None, one.people))
            continue
        question = ask_question(node, request, one.peer, now, revoked, refused)
        codes = [each.code for each in question.items if each.token_class == one.token_class]
        good = covered(question, codes)
        kept = unseal_tokens(node, one)
        numbers = kept.subjects.subject
        if len(numbers) and good[numbers].all():
            continue
        left = kept.only(np.where(good, np.arange(len(good)), -1))
        if not left.people:
            plans.append((one, None, one.people))
        else:
            plans.append((one, seal_tokens(node, one, left), one.people - left.people))
    return plans


def _apply(node: Node, plans: Sequence[tuple[TokensRow, TokensRow | None, int]], tx: Connection) -> int:
    erased, watch = 0, plans[0][0].watch
    if rows.lock_watch(tx, watch) is None:
        return 0
    current = {(one.peer, one.token_class): one for one in rows.list_tokens(tx, watch)}
    for old, new, count in plans:
        now = current.get((old.peer, old.token_class))
        if now is None or now.sealed != old.sealed:
            continue  # a look wrote others since: it looks again when it ends
        if new is None:
            rows.erase_tokens(tx, watch, old.peer, old.token_class)
        else:
            rows.put_tokens(tx, new)
        erased += count
    if erased:
        details: dict[str, str | int] = {"watch": watch, "people": erased}
        audit_rows.append(tx, "watch_tokens_erased", details, node.clock())
    return erased


def renumber(node: Node, held: Sequence[TokensRow], places: Sequence[int]) -> list[TokensRow | None]:
    """The rows of a list that people leave: `places[i]` is the new number of person i, -1 for who left."""
    numbers = np.array(places, dtype=np.int64)
    found: list[TokensRow | None] = []
    for one in held:
        left: KeptTokens = unseal_tokens(node, one).only(numbers)
        found.append(seal_tokens(node, one, left) if left.people else None)
    return found


class EndedTokens:
    """Looks for ended tokens whenever the day or the revoked mandates have changed since it looked last."""

    def __init__(self, node: Node) -> None:
        self._node, self._seen, self._lock = node, (-1, -1), threading.Lock()

    def erase(self) -> int:
        """Of how many people tokens were erased. Raises NodeError kinds."""
        with self._node.store.transaction("count revoked mandates") as tx:
            now = (china_day(self._node.clock()).toordinal(), rows.count_revoked(tx))
        with self._lock:
            if now == self._seen:
                return 0
            erased = erase_ended(self._node)
            self._seen = now
        return erased
