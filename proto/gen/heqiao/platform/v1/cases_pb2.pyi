import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from heqiao.platform.v1 import declared_pb2 as _declared_pb2
from heqiao.platform.v1 import platform_pb2 as _platform_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GetCaseFactsRequest(_message.Message):
    __slots__ = ("job_id",)
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    def __init__(self, job_id: _Optional[str] = ...) -> None: ...

class GetCaseFactsResponse(_message.Message):
    __slots__ = ("offices", "recheck", "declared", "earlier")
    OFFICES_FIELD_NUMBER: _ClassVar[int]
    RECHECK_FIELD_NUMBER: _ClassVar[int]
    DECLARED_FIELD_NUMBER: _ClassVar[int]
    EARLIER_FIELD_NUMBER: _ClassVar[int]
    offices: _containers.RepeatedCompositeFieldContainer[Office]
    recheck: Recheck
    declared: _declared_pb2.DeclaredHouseholds
    earlier: _containers.RepeatedCompositeFieldContainer[EarlierAnswer]
    def __init__(self, offices: _Optional[_Iterable[_Union[Office, _Mapping]]] = ..., recheck: _Optional[_Union[Recheck, _Mapping]] = ..., declared: _Optional[_Union[_declared_pb2.DeclaredHouseholds, _Mapping]] = ..., earlier: _Optional[_Iterable[_Union[EarlierAnswer, _Mapping]]] = ...) -> None: ...

class Office(_message.Message):
    __slots__ = ("name", "households", "full_name")
    NAME_FIELD_NUMBER: _ClassVar[int]
    HOUSEHOLDS_FIELD_NUMBER: _ClassVar[int]
    FULL_NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    households: _containers.RepeatedScalarFieldContainer[str]
    full_name: str
    def __init__(self, name: _Optional[str] = ..., households: _Optional[_Iterable[str]] = ..., full_name: _Optional[str] = ...) -> None: ...

class Recheck(_message.Message):
    __slots__ = ("job_id", "report_number", "finished_at", "objection")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    REPORT_NUMBER_FIELD_NUMBER: _ClassVar[int]
    FINISHED_AT_FIELD_NUMBER: _ClassVar[int]
    OBJECTION_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    report_number: str
    finished_at: _timestamp_pb2.Timestamp
    objection: Objection
    def __init__(self, job_id: _Optional[str] = ..., report_number: _Optional[str] = ..., finished_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., objection: _Optional[_Union[Objection, _Mapping]] = ...) -> None: ...

class EarlierAnswer(_message.Message):
    __slots__ = ("subject", "answer")
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    subject: str
    answer: _platform_pb2.Answer
    def __init__(self, subject: _Optional[str] = ..., answer: _Optional[_Union[_platform_pb2.Answer, _Mapping]] = ...) -> None: ...

class Objection(_message.Message):
    __slots__ = ("id", "job_id", "report_number", "household", "person", "item", "peer", "raised_by", "grounds", "received_on", "raised_on", "last_day", "state", "result", "recheck_job", "due_at", "created_at", "closed_at", "due_estimated")
    ID_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    REPORT_NUMBER_FIELD_NUMBER: _ClassVar[int]
    HOUSEHOLD_FIELD_NUMBER: _ClassVar[int]
    PERSON_FIELD_NUMBER: _ClassVar[int]
    ITEM_FIELD_NUMBER: _ClassVar[int]
    PEER_FIELD_NUMBER: _ClassVar[int]
    RAISED_BY_FIELD_NUMBER: _ClassVar[int]
    GROUNDS_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_ON_FIELD_NUMBER: _ClassVar[int]
    RAISED_ON_FIELD_NUMBER: _ClassVar[int]
    LAST_DAY_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    RECHECK_JOB_FIELD_NUMBER: _ClassVar[int]
    DUE_AT_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    CLOSED_AT_FIELD_NUMBER: _ClassVar[int]
    DUE_ESTIMATED_FIELD_NUMBER: _ClassVar[int]
    id: str
    job_id: str
    report_number: str
    household: str
    person: str
    item: str
    peer: str
    raised_by: str
    grounds: str
    received_on: str
    raised_on: str
    last_day: str
    state: str
    result: str
    recheck_job: str
    due_at: _timestamp_pb2.Timestamp
    created_at: _timestamp_pb2.Timestamp
    closed_at: _timestamp_pb2.Timestamp
    due_estimated: bool
    def __init__(self, id: _Optional[str] = ..., job_id: _Optional[str] = ..., report_number: _Optional[str] = ..., household: _Optional[str] = ..., person: _Optional[str] = ..., item: _Optional[str] = ..., peer: _Optional[str] = ..., raised_by: _Optional[str] = ..., grounds: _Optional[str] = ..., received_on: _Optional[str] = ..., raised_on: _Optional[str] = ..., last_day: _Optional[str] = ..., state: _Optional[str] = ..., result: _Optional[str] = ..., recheck_job: _Optional[str] = ..., due_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., closed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., due_estimated: _Optional[bool] = ...) -> None: ...

class AddObjectionRequest(_message.Message):
    __slots__ = ("job_id", "report_number", "household", "person", "item", "peer", "raised_by", "grounds", "received_on", "raised_on")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    REPORT_NUMBER_FIELD_NUMBER: _ClassVar[int]
    HOUSEHOLD_FIELD_NUMBER: _ClassVar[int]
    PERSON_FIELD_NUMBER: _ClassVar[int]
    ITEM_FIELD_NUMBER: _ClassVar[int]
    PEER_FIELD_NUMBER: _ClassVar[int]
    RAISED_BY_FIELD_NUMBER: _ClassVar[int]
    GROUNDS_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_ON_FIELD_NUMBER: _ClassVar[int]
    RAISED_ON_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    report_number: str
    household: str
    person: str
    item: str
    peer: str
    raised_by: str
    grounds: str
    received_on: str
    raised_on: str
    def __init__(self, job_id: _Optional[str] = ..., report_number: _Optional[str] = ..., household: _Optional[str] = ..., person: _Optional[str] = ..., item: _Optional[str] = ..., peer: _Optional[str] = ..., raised_by: _Optional[str] = ..., grounds: _Optional[str] = ..., received_on: _Optional[str] = ..., raised_on: _Optional[str] = ...) -> None: ...

class AddObjectionResponse(_message.Message):
    __slots__ = ("objection",)
    OBJECTION_FIELD_NUMBER: _ClassVar[int]
    objection: Objection
    def __init__(self, objection: _Optional[_Union[Objection, _Mapping]] = ...) -> None: ...

class ListObjectionsRequest(_message.Message):
    __slots__ = ("job_id", "waiting")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    WAITING_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    waiting: bool
    def __init__(self, job_id: _Optional[str] = ..., waiting: _Optional[bool] = ...) -> None: ...

class ListObjectionsResponse(_message.Message):
    __slots__ = ("objections",)
    OBJECTIONS_FIELD_NUMBER: _ClassVar[int]
    objections: _containers.RepeatedCompositeFieldContainer[Objection]
    def __init__(self, objections: _Optional[_Iterable[_Union[Objection, _Mapping]]] = ...) -> None: ...

class GetObjectionRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: str
    def __init__(self, id: _Optional[str] = ...) -> None: ...

class GetObjectionResponse(_message.Message):
    __slots__ = ("objection",)
    OBJECTION_FIELD_NUMBER: _ClassVar[int]
    objection: Objection
    def __init__(self, objection: _Optional[_Union[Objection, _Mapping]] = ...) -> None: ...

class RecheckObjectionRequest(_message.Message):
    __slots__ = ("id", "job_id", "draft_id", "draft_version")
    ID_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    DRAFT_ID_FIELD_NUMBER: _ClassVar[int]
    DRAFT_VERSION_FIELD_NUMBER: _ClassVar[int]
    id: str
    job_id: str
    draft_id: str
    draft_version: int
    def __init__(self, id: _Optional[str] = ..., job_id: _Optional[str] = ..., draft_id: _Optional[str] = ..., draft_version: _Optional[int] = ...) -> None: ...

class RecheckObjectionResponse(_message.Message):
    __slots__ = ("job_id",)
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    def __init__(self, job_id: _Optional[str] = ...) -> None: ...

class CloseObjectionRequest(_message.Message):
    __slots__ = ("id", "result")
    ID_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    id: str
    result: str
    def __init__(self, id: _Optional[str] = ..., result: _Optional[str] = ...) -> None: ...

class CloseObjectionResponse(_message.Message):
    __slots__ = ("objection",)
    OBJECTION_FIELD_NUMBER: _ClassVar[int]
    objection: Objection
    def __init__(self, objection: _Optional[_Union[Objection, _Mapping]] = ...) -> None: ...

class SentCorrection(_message.Message):
    __slots__ = ("id", "job_id", "peer", "item", "fault", "basis", "reference", "state", "reason", "created_at", "received_at", "due_at", "answered_at", "due_estimated")
    ID_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    PEER_FIELD_NUMBER: _ClassVar[int]
    ITEM_FIELD_NUMBER: _ClassVar[int]
    FAULT_FIELD_NUMBER: _ClassVar[int]
    BASIS_FIELD_NUMBER: _ClassVar[int]
    REFERENCE_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_AT_FIELD_NUMBER: _ClassVar[int]
    DUE_AT_FIELD_NUMBER: _ClassVar[int]
    ANSWERED_AT_FIELD_NUMBER: _ClassVar[int]
    DUE_ESTIMATED_FIELD_NUMBER: _ClassVar[int]
    id: bytes
    job_id: str
    peer: str
    item: str
    fault: str
    basis: str
    reference: str
    state: str
    reason: str
    created_at: _timestamp_pb2.Timestamp
    received_at: _timestamp_pb2.Timestamp
    due_at: _timestamp_pb2.Timestamp
    answered_at: _timestamp_pb2.Timestamp
    due_estimated: bool
    def __init__(self, id: _Optional[bytes] = ..., job_id: _Optional[str] = ..., peer: _Optional[str] = ..., item: _Optional[str] = ..., fault: _Optional[str] = ..., basis: _Optional[str] = ..., reference: _Optional[str] = ..., state: _Optional[str] = ..., reason: _Optional[str] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., received_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., due_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., answered_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., due_estimated: _Optional[bool] = ...) -> None: ...

class SendCorrectionRequest(_message.Message):
    __slots__ = ("job_id", "subject", "peer", "item", "fault", "basis", "reference", "discloses_person")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    PEER_FIELD_NUMBER: _ClassVar[int]
    ITEM_FIELD_NUMBER: _ClassVar[int]
    FAULT_FIELD_NUMBER: _ClassVar[int]
    BASIS_FIELD_NUMBER: _ClassVar[int]
    REFERENCE_FIELD_NUMBER: _ClassVar[int]
    DISCLOSES_PERSON_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    subject: str
    peer: str
    item: str
    fault: str
    basis: str
    reference: str
    discloses_person: bool
    def __init__(self, job_id: _Optional[str] = ..., subject: _Optional[str] = ..., peer: _Optional[str] = ..., item: _Optional[str] = ..., fault: _Optional[str] = ..., basis: _Optional[str] = ..., reference: _Optional[str] = ..., discloses_person: _Optional[bool] = ...) -> None: ...

class SendCorrectionResponse(_message.Message):
    __slots__ = ("corrections",)
    CORRECTIONS_FIELD_NUMBER: _ClassVar[int]
    corrections: _containers.RepeatedCompositeFieldContainer[SentCorrection]
    def __init__(self, corrections: _Optional[_Iterable[_Union[SentCorrection, _Mapping]]] = ...) -> None: ...

class ListSentCorrectionsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListSentCorrectionsResponse(_message.Message):
    __slots__ = ("corrections",)
    CORRECTIONS_FIELD_NUMBER: _ClassVar[int]
    corrections: _containers.RepeatedCompositeFieldContainer[SentCorrection]
    def __init__(self, corrections: _Optional[_Iterable[_Union[SentCorrection, _Mapping]]] = ...) -> None: ...

class SyncCorrectionsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class SyncCorrectionsResponse(_message.Message):
    __slots__ = ("corrections",)
    CORRECTIONS_FIELD_NUMBER: _ClassVar[int]
    corrections: _containers.RepeatedCompositeFieldContainer[SentCorrection]
    def __init__(self, corrections: _Optional[_Iterable[_Union[SentCorrection, _Mapping]]] = ...) -> None: ...

class ReceivedCorrection(_message.Message):
    __slots__ = ("number", "peer", "id", "item", "fault", "basis", "reference", "state", "reason", "received_at", "due_at", "answered_at", "due_estimated")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    PEER_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    ITEM_FIELD_NUMBER: _ClassVar[int]
    FAULT_FIELD_NUMBER: _ClassVar[int]
    BASIS_FIELD_NUMBER: _ClassVar[int]
    REFERENCE_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_AT_FIELD_NUMBER: _ClassVar[int]
    DUE_AT_FIELD_NUMBER: _ClassVar[int]
    ANSWERED_AT_FIELD_NUMBER: _ClassVar[int]
    DUE_ESTIMATED_FIELD_NUMBER: _ClassVar[int]
    number: int
    peer: str
    id: bytes
    item: str
    fault: str
    basis: str
    reference: str
    state: str
    reason: str
    received_at: _timestamp_pb2.Timestamp
    due_at: _timestamp_pb2.Timestamp
    answered_at: _timestamp_pb2.Timestamp
    due_estimated: bool
    def __init__(self, number: _Optional[int] = ..., peer: _Optional[str] = ..., id: _Optional[bytes] = ..., item: _Optional[str] = ..., fault: _Optional[str] = ..., basis: _Optional[str] = ..., reference: _Optional[str] = ..., state: _Optional[str] = ..., reason: _Optional[str] = ..., received_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., due_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., answered_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., due_estimated: _Optional[bool] = ...) -> None: ...

class ListReceivedCorrectionsRequest(_message.Message):
    __slots__ = ("waiting",)
    WAITING_FIELD_NUMBER: _ClassVar[int]
    waiting: bool
    def __init__(self, waiting: _Optional[bool] = ...) -> None: ...

class ListReceivedCorrectionsResponse(_message.Message):
    __slots__ = ("corrections",)
    CORRECTIONS_FIELD_NUMBER: _ClassVar[int]
    corrections: _containers.RepeatedCompositeFieldContainer[ReceivedCorrection]
    def __init__(self, corrections: _Optional[_Iterable[_Union[ReceivedCorrection, _Mapping]]] = ...) -> None: ...

class GetReceivedCorrectionRequest(_message.Message):
    __slots__ = ("number",)
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    number: int
    def __init__(self, number: _Optional[int] = ...) -> None: ...

class GetReceivedCorrectionResponse(_message.Message):
    __slots__ = ("correction", "value", "as_of")
    CORRECTION_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    correction: ReceivedCorrection
    value: int
    as_of: int
    def __init__(self, correction: _Optional[_Union[ReceivedCorrection, _Mapping]] = ..., value: _Optional[int] = ..., as_of: _Optional[int] = ...) -> None: ...

class FindCorrectionPersonRequest(_message.Message):
    __slots__ = ("number", "people")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    PEOPLE_FIELD_NUMBER: _ClassVar[int]
    number: int
    people: _platform_pb2.Identities
    def __init__(self, number: _Optional[int] = ..., people: _Optional[_Union[_platform_pb2.Identities, _Mapping]] = ...) -> None: ...

class FindCorrectionPersonResponse(_message.Message):
    __slots__ = ("places",)
    PLACES_FIELD_NUMBER: _ClassVar[int]
    places: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, places: _Optional[_Iterable[int]] = ...) -> None: ...

class AnswerCorrectionRequest(_message.Message):
    __slots__ = ("number", "state", "reason")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    number: int
    state: str
    reason: str
    def __init__(self, number: _Optional[int] = ..., state: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class AnswerCorrectionResponse(_message.Message):
    __slots__ = ("correction",)
    CORRECTION_FIELD_NUMBER: _ClassVar[int]
    correction: ReceivedCorrection
    def __init__(self, correction: _Optional[_Union[ReceivedCorrection, _Mapping]] = ...) -> None: ...
