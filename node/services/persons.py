"""The person service: one person of a list, shown whole to an officer who says why."""

from heqiao.platform.v1 import persons_pb2 as pb
from heqiao.platform.v1 import persons_pb2_grpc

from node.context import Node
from node.jobs.shown_people import DRAFT, FORM, HOUSEHOLD, JOB, MOST_A_DAY, show_person
from node.services.access import access_of
from node.transport.interceptors import Call
from node.wire.common import require, timestamp
from node.wire.people import require_texts

_SOURCES = {
    pb.PERSON_SOURCE_JOB: JOB,
    pb.PERSON_SOURCE_DRAFT: DRAFT,
    pb.PERSON_SOURCE_HOUSEHOLD: HOUSEHOLD,
    pb.PERSON_SOURCE_FORM: FORM,
}


class PersonServicer(persons_pb2_grpc.PersonServiceServicer):  # type: ignore[misc]  # generated code
    """heqiao.platform.v1.PersonService."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def ShowPerson(self, request: pb.ShowPersonRequest, call: Call) -> pb.ShowPersonResponse:  # noqa: N802
        """Name and numbers of one person."""
        person = call.require_person()
        require_texts(request.id, request.ref, request.reason)
        require(request.source in _SOURCES, "the source is a job, a draft, a form or a household")
        shown = show_person(
            self._node,
            person,
            access_of(self._node, call),
            _SOURCES[request.source],
            request.id,
            request.ref,
            request.reason,
        )
        return pb.ShowPersonResponse(
            name=shown.name,
            numbers=shown.numbers,
            until=timestamp(shown.until),
            shown=shown.shown,
            most=MOST_A_DAY,
        )
