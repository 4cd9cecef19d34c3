"""A platform's calls about objections, re-checks and corrections; imports without a database.

with Platform.open(home) as platform:
cases = Cases(platform)
objection = cases.add_objection(new)
job = cases.recheck(objection.id)
"""

from collections.abc import Iterable, Sequence
from typing import Any

from google.protobuf.message import Message
from heqiao.platform.v1 import cases_pb2 as pb
from heqiao.platform.v1 import cases_pb2_grpc

from matcher import Identity
from node.client.platform import Platform
from node.domain.corrections import Basis, Fault, ReceivedCorrection, SentCorrection, State
from node.domain.objections import NewObjection
from node.wire import cases as wire
from node.wire.platform import identities_message


class Cases:
    """The calls over a platform's connection. Every method raises NodeError kinds."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def add_objection(self, new: NewObjection) -> pb.Objection:
        """Record an objection to the report of a job that has ended."""
        response: pb.AddObjectionResponse = self._call("AddObjection", wire.objection_request(new))
        return response.objection

    def objections(self, job: str = "", *, waiting: bool = False) -> Sequence[pb.Objection]:
        """Objections, without who objects and why."""
        request = pb.ListObjectionsRequest(job_id=job, waiting=waiting)
        response: pb.ListObjectionsResponse = self._call("ListObjections", request)
        return response.objections

    def objection(self, objection: str) -> pb.Objection:
        """One objection with all of it."""
        response: pb.GetObjectionResponse = self._call("GetObjection", pb.GetObjectionRequest(id=objection))
        return response.objection

    def recheck(self, objection: str, job: str | None = None, draft: str = "", version: int = 0) -> str:
        """Submit the job that looks again; its id. A person gives a draft, which another one approves."""
        request = pb.RecheckObjectionRequest(
            id=objection, job_id=job or "", draft_id=draft, draft_version=version
        )
        response: pb.RecheckObjectionResponse = self._call("RecheckObjection", request)
        return str(response.job_id)

    def close_objection(self, objection: str, result: str) -> pb.Objection:
        """Close an objection with one of `node.domain.objections.RESULTS`."""
        request = pb.CloseObjectionRequest(id=objection, result=result)
        response: pb.CloseObjectionResponse = self._call("CloseObjection", request)
        return response.objection

    def send_correction(
        self,
        job: str,
        subject: str,
        peer: str,
        item: str,
        fault: Fault,
        basis: Basis,
        reference: str,
        *,
        discloses_person: bool,
    ) -> list[SentCorrection]:
        """Ask a peer to correct what it answered. It learns who the person is: `discloses_person`."""
        request = pb.SendCorrectionRequest(
            job_id=job,
            subject=subject,
            peer=peer,
            item=item,
            fault=fault.value,
            basis=basis.value,
            reference=reference,
            discloses_person=discloses_person,
        )
        response: pb.SendCorrectionResponse = self._call("SendCorrection", request)
        return list(map(wire.read_sent, response.corrections))

    def sent_corrections(self) -> list[SentCorrection]:
        """Requests of this province, newest first."""
        response: pb.ListSentCorrectionsResponse = self._call(
            "ListSentCorrections", pb.ListSentCorrectionsRequest()
        )
        return list(map(wire.read_sent, response.corrections))

    def sync_corrections(self) -> list[SentCorrection]:
        """Send what could not be delivered, and fetch answers; what waited, as it is now."""
        response: pb.SyncCorrectionsResponse = self._call("SyncCorrections", pb.SyncCorrectionsRequest())
        return list(map(wire.read_sent, response.corrections))

    def received_corrections(self, *, waiting: bool = False) -> list[ReceivedCorrection]:
        """What other provinces ask this one to correct."""
        request = pb.ListReceivedCorrectionsRequest(waiting=waiting)
        response: pb.ListReceivedCorrectionsResponse = self._call("ListReceivedCorrections", request)
        return list(map(wire.read_received, response.corrections))

    def received_correction(self, number: int) -> tuple[ReceivedCorrection, int, int]:
        """One of them, with the value that this node disclosed and its day (since 1970-01-01)."""
        response: pb.GetReceivedCorrectionResponse = self._call(
            "GetReceivedCorrection", pb.GetReceivedCorrectionRequest(number=number)
        )
        return wire.read_received(response.correction), response.value, response.as_of

    def find_person(self, number: int, people: Sequence[Iterable[Identity]]) -> list[int]:
        """Which of up to 5,000 people it is about: their places in the list."""
        every = [tuple(identities) for identities in people]
        columns = identities_message(
            [len(one) for one in every],
            [identity.id_type for one in every for identity in one],
            [identity.value for one in every for identity in one],
        )
        request = pb.FindCorrectionPersonRequest(number=number, people=columns)
        response: pb.FindCorrectionPersonResponse = self._call("FindCorrectionPerson", request)
        return list(response.places)

    def answer_correction(self, number: int, state: State, reason: str) -> ReceivedCorrection:
        """Answer it, for good."""
        request = pb.AnswerCorrectionRequest(number=number, state=state.value, reason=reason)
        response: pb.AnswerCorrectionResponse = self._call("AnswerCorrection", request)
        return wire.read_received(response.correction)

    def _call(self, method: str, message: Message) -> Any:
        return self._platform.call(cases_pb2_grpc.CaseServiceStub, method, message)
