"""The mandate service: this province's own systems keep mandates in the node."""

from collections.abc import Iterator
from datetime import timedelta

from heqiao.platform.v1 import mandates_pb2 as pb
from heqiao.platform.v1 import mandates_pb2_grpc

from node.context import Node
from node.database import asked
from node.domain import sealed_names
from node.domain.days import FIRST_DAY, china_day
from node.domain.households import mask_name, mask_number
from node.jobs import mandates as jobs
from node.jobs.household_verification import HouseholdQuestion, prepare
from node.jobs.mandates import ShownMandate
from node.jobs.records import own_first
from node.services.access import access_of
from node.transport.interceptors import Call
from node.wire import households as households_wire
from node.wire import mandates as wire
from node.wire.common import timestamp
from node.wire.platform_requests import read_numbers

DEFAULT_LIST = 50
MAX_LIST = 1_000


class MandateServicer(mandates_pb2_grpc.MandateServiceServicer):  # type: ignore[misc]  # generated code
    """heqiao.platform.v1.MandateService."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def AddMandates(  # noqa: N802 - the name is the protocol's
        self, requests: Iterator[pb.AddMandatesRequest], call: Call
    ) -> pb.AddMandatesResponse:
        """Store mandates, all or none."""
        found = wire.read_added(requests, self._node.config.limits.max_subjects_per_job)
        done = jobs.add(self._node, access_of(self._node, call).owner, found)
        return pb.AddMandatesResponse(
            added=done.added,
            known=done.known,
            urgent_closed=done.closed,
            faults=wire.fault_messages(done.faults[:MAX_LIST]),
        )

    def ListMandates(self, request: pb.ListMandatesRequest, call: Call) -> pb.ListMandatesResponse:  # noqa: N802
        """Mandates without their people, and urgent checks that wait for theirs."""
        access, limit = access_of(self._node, call), min(request.limit or DEFAULT_LIST, MAX_LIST)
        shown = [jobs.without_people(one) for one in jobs.show(self._node, access, limit)]
        with self._node.store.transaction("list urgent checks") as tx:
            urgent = asked.open_urgent(tx, own_first(access), limit)
        return pb.ListMandatesResponse(mandates=map(_state, shown), urgent=map(self._urgent, urgent))

    def GetMandate(self, request: pb.GetMandateRequest, call: Call) -> pb.GetMandateResponse:  # noqa: N802
        """One mandate."""
        number = wire.check_number(request.mandate_no)
        shown = jobs.get(self._node, access_of(self._node, call), number, full=request.full)
        message = _state(shown)
        if not request.full:
            _mask(message.mandate)
        return pb.GetMandateResponse(mandate=message)

    def EndMandate(self, request: pb.EndMandateRequest, call: Call) -> pb.EndMandateResponse:  # noqa: N802
        """End mandates for the caller's jobs; the node's own certificate for all."""
        numbers = read_numbers(request.mandate_nos)
        owner = access_of(self._node, call).owner
        ended = jobs.revoke(self._node, numbers, owner, request.reason or "withdrawn")
        return pb.EndMandateResponse(ended=ended)

    def CheckMandates(self, request: pb.CheckMandatesRequest, call: Call) -> pb.CheckMandatesResponse:  # noqa: N802
        """Who may be asked about; asks nobody."""
        question = HouseholdQuestion(**households_wire.read_question(request.question))
        verification, missing = prepare(self._node, access_of(self._node, call), question)
        return pb.CheckMandatesResponse(
            people=len(verification.subjects), not_asked=households_wire.not_asked_messages(missing)
        )

    def AddForm(self, requests: Iterator[pb.AddFormRequest], call: Call) -> pb.AddFormResponse:  # noqa: N802
        """Store the scanned form of a mandate."""
        number, content = wire.read_form(requests, self._node.config.mandates.form_kib * 1024)
        return pb.AddFormResponse(
            type=jobs.put_form(self._node, access_of(self._node, call), number, content)
        )

    def GetForm(self, request: pb.GetFormRequest, call: Call) -> Iterator[pb.GetFormResponse]:  # noqa: N802
        """The scanned form of a mandate."""
        number = wire.check_number(request.mandate_no)
        yield from wire.form_responses(jobs.get_form(self._node, access_of(self._node, call), number))

    def _urgent(self, row: asked.UrgentRow) -> pb.UrgentCheck:
        ref = self._node.keys.vault.unseal(sealed_names.of_urgent(row.job, row.place), row.sealed).decode()
        due_on = FIRST_DAY + timedelta(days=row.due_on)
        return pb.UrgentCheck(
            job_id=row.job,
            ref=ref,
            owner=row.owner,
            opened_at=timestamp(row.opened_at),
            due_on=due_on.isoformat(),
            overdue=due_on < china_day(self._node.clock()),
        )


def _state(shown: ShownMandate) -> pb.MandateState:
    row = shown.row
    return wire.state_message(
        shown.stored, row.owner, row.added_at, row.ended_at, shown.state, has_form=row.has_form
    )


def _mask(message: pb.StoredMandate) -> None:
    """Names and numbers as screens show them."""
    for names in (message.signers, message.agents, message.guardians):
        names[:] = [mask_name(name) for name in names]
    message.people[:] = [mask_number(value) for value in message.people]
