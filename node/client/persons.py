"""One person of a list, shown whole for a moment: the call of heqiao.platform.v1.PersonService."""

from heqiao.platform.v1 import persons_pb2 as pb
from heqiao.platform.v1 import persons_pb2_grpc

from node.client.platform import Platform

SOURCES = {
    "job": pb.PERSON_SOURCE_JOB,
    "draft": pb.PERSON_SOURCE_DRAFT,
    "form": pb.PERSON_SOURCE_FORM,
    "household": pb.PERSON_SOURCE_HOUSEHOLD,
}


def show_person(
    platform: Platform, source: str, found_by: str, ref: str, reason: str
) -> pb.ShowPersonResponse:
    """Name and numbers of a person of a job, a draft that waits or a household; the node notes it.

    Of an unfinished draft (`form`) it only notes it: the caller has what was typed.

    Raises NodeError kinds; LimitError where the account was shown too many in a day.
    """
    request = pb.ShowPersonRequest(source=SOURCES[source], id=found_by, ref=ref, reason=reason)
    found: pb.ShowPersonResponse = platform.call(persons_pb2_grpc.PersonServiceStub, "ShowPerson", request)
    return found
