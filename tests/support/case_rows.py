"""An objection, a sent and a received request for correction in a node's database."""

from dataclasses import replace
from datetime import timedelta

from node.context import Node
from node.database import corrections, objections
from node.domain.corrections import Basis, Fault, ReceivedCorrection, SentCorrection, State
from node.domain.days import china_day
from node.domain.objections import ObjectionRow
from node.domain.sealed_names import of_objection, of_received_correction, of_sent_correction
from node.domain.working_days import Due


def add_cases(node: Node, job: str, due: Due | None = None) -> None:
    due = due or Due(node.clock() + timedelta(days=14), estimated=False)
    now, seal = node.clock(), node.keys.vault.seal
    day, one = china_day(now), bytes(16)
    codes = ("C21", Fault.OTHER, Basis.MANDATE, "case-7")
    objection = ObjectionRow("o-1", "node", job, "1", "", "", day, day, due.at, "open", "", "", now, None)
    sent = SentCorrection(one, "node", job, "44", *codes, State.SENT, "", now, None, due.at, None)
    received = ReceivedCorrection(0, "44", one, *codes, State.RECEIVED, "", now, due.at, None)
    objection, sent, received = (
        replace(one, due_estimated=due.estimated) for one in (objection, sent, received)
    )
    with node.store.transaction("add cases", write=True) as tx:
        objections.add(tx, objection, seal(of_objection("o-1"), b"objection"))
        corrections.add_sent(tx, sent, seal(of_sent_correction(one), b"sent"))
        sealed = seal(of_received_correction("44", one), b"received")
        corrections.add_received(tx, received, bytes(32), 1, sealed)
