"""A watch list with something in each of its sealed columns, without a peer."""

import numpy as np

from node.context import Node
from node.database import alerts as alert_rows
from node.database import watches as rows
from node.database.watches import TokensRow
from node.domain.alerts import Change
from node.domain.findings import Outcome
from node.domain.thresholds import Rule, Said, When
from node.domain.verification import Verification
from node.domain.watches import LookRow
from node.jobs import watches
from node.jobs.watch_alerts import acknowledge, list_alerts
from node.jobs.watch_store import add_alerts, seal_answers, seal_tokens
from node.requester.kept_tokens import KeptTokens
from node.requester.match_query import PlantedPoint
from node.requester.points import SubjectPoints

RULE = Rule("C21", When.APPEARS, 1, "名下出现车辆", "vehicles where there were none")
FAR = 40_000  # a day far ahead


def some_tokens(people: int, epoch: int = 1) -> KeptTokens:
    """Tokens of people with one number each, and one planted subject; all bytes differ."""
    subject = np.arange(people, dtype=np.int64)
    points = SubjectPoints(subject, np.full(people, 45), subject * 7 % 4096, subject)
    tokens = np.frombuffer(bytes(at * 13 % 251 for at in range(32 * (people + 1))), np.uint8).reshape(-1, 32)
    planted = (PlantedPoint("C21", "45", 9, people, 3, "hit-0"),)
    return KeptTokens(epoch, 1, "X25519-BLAKE3-TAI", ("C21", "Z59b"), points, planted, tokens)


def keep_watch(node: Node, watch: str, request: Verification, peer: str, owner: str = "node") -> None:
    """Add a list with tokens, answers, a look and an alert about its first person; one is acknowledged."""
    watches.add(node, watch, request, owner)
    count = len(request.subjects)
    with node.store.transaction("fill watch list", write=True) as tx:
        row = rows.find_watch(tx, watch)
        assert row is not None
        place = TokensRow(watch, peer, "ordinary", 1, FAR, count, b"")
        rows.put_tokens(tx, seal_tokens(node, place, some_tokens(count)))
        said = [Said(Outcome.FOUND, 1, 20_000)] * count
        rows.put_answers(tx, watch, peer, {"C21": seal_answers(node, watch, peer, "C21", said)})
        look = LookRow(watch, peer, 1, 1, {"C21/45": 1}, node.clock(), node.clock(), "home", node.clock())
        rows.put_look(tx, look)
        change = Change(request.subjects[0].ref, "C21", Said(Outcome.NOT_FOUND), said[0], RULE)
        add_alerts(node, tx, row, look, "1", [change, change])
        assert len(alert_rows.list_alerts(tx, None, watch=watch)) == 2
    acknowledge(node, [list_alerts(node, watch=watch)[0].id], "visited")
