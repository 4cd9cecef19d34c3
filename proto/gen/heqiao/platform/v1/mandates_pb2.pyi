import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class StoredMandate(_message.Message):
    __slots__ = ("mandate_no", "household_no", "application_no", "template_id", "office", "people", "programme", "matter", "items", "regions", "valid_from", "valid_to", "event", "revoked_at", "signers", "agents", "guardians", "sig_type", "doc_hash", "signature", "certificate")
    MANDATE_NO_FIELD_NUMBER: _ClassVar[int]
    HOUSEHOLD_NO_FIELD_NUMBER: _ClassVar[int]
    APPLICATION_NO_FIELD_NUMBER: _ClassVar[int]
    TEMPLATE_ID_FIELD_NUMBER: _ClassVar[int]
    OFFICE_FIELD_NUMBER: _ClassVar[int]
    PEOPLE_FIELD_NUMBER: _ClassVar[int]
    PROGRAMME_FIELD_NUMBER: _ClassVar[int]
    MATTER_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    REGIONS_FIELD_NUMBER: _ClassVar[int]
    VALID_FROM_FIELD_NUMBER: _ClassVar[int]
    VALID_TO_FIELD_NUMBER: _ClassVar[int]
    EVENT_FIELD_NUMBER: _ClassVar[int]
    REVOKED_AT_FIELD_NUMBER: _ClassVar[int]
    SIGNERS_FIELD_NUMBER: _ClassVar[int]
    AGENTS_FIELD_NUMBER: _ClassVar[int]
    GUARDIANS_FIELD_NUMBER: _ClassVar[int]
    SIG_TYPE_FIELD_NUMBER: _ClassVar[int]
    DOC_HASH_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_FIELD_NUMBER: _ClassVar[int]
    mandate_no: str
    household_no: str
    application_no: str
    template_id: str
    office: str
    people: _containers.RepeatedScalarFieldContainer[str]
    programme: str
    matter: str
    items: _containers.RepeatedScalarFieldContainer[str]
    regions: _containers.RepeatedScalarFieldContainer[str]
    valid_from: str
    valid_to: str
    event: str
    revoked_at: str
    signers: _containers.RepeatedScalarFieldContainer[str]
    agents: _containers.RepeatedScalarFieldContainer[str]
    guardians: _containers.RepeatedScalarFieldContainer[str]
    sig_type: str
    doc_hash: str
    signature: bytes
    certificate: bytes
    def __init__(self, mandate_no: _Optional[str] = ..., household_no: _Optional[str] = ..., application_no: _Optional[str] = ..., template_id: _Optional[str] = ..., office: _Optional[str] = ..., people: _Optional[_Iterable[str]] = ..., programme: _Optional[str] = ..., matter: _Optional[str] = ..., items: _Optional[_Iterable[str]] = ..., regions: _Optional[_Iterable[str]] = ..., valid_from: _Optional[str] = ..., valid_to: _Optional[str] = ..., event: _Optional[str] = ..., revoked_at: _Optional[str] = ..., signers: _Optional[_Iterable[str]] = ..., agents: _Optional[_Iterable[str]] = ..., guardians: _Optional[_Iterable[str]] = ..., sig_type: _Optional[str] = ..., doc_hash: _Optional[str] = ..., signature: _Optional[bytes] = ..., certificate: _Optional[bytes] = ...) -> None: ...

class RecordFault(_message.Message):
    __slots__ = ("place", "field", "reason", "message")
    PLACE_FIELD_NUMBER: _ClassVar[int]
    FIELD_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    place: int
    field: str
    reason: str
    message: str
    def __init__(self, place: _Optional[int] = ..., field: _Optional[str] = ..., reason: _Optional[str] = ..., message: _Optional[str] = ...) -> None: ...

class AddMandatesRequest(_message.Message):
    __slots__ = ("mandates",)
    MANDATES_FIELD_NUMBER: _ClassVar[int]
    mandates: _containers.RepeatedCompositeFieldContainer[StoredMandate]
    def __init__(self, mandates: _Optional[_Iterable[_Union[StoredMandate, _Mapping]]] = ...) -> None: ...

class AddMandatesResponse(_message.Message):
    __slots__ = ("added", "known", "urgent_closed", "faults")
    ADDED_FIELD_NUMBER: _ClassVar[int]
    KNOWN_FIELD_NUMBER: _ClassVar[int]
    URGENT_CLOSED_FIELD_NUMBER: _ClassVar[int]
    FAULTS_FIELD_NUMBER: _ClassVar[int]
    added: int
    known: int
    urgent_closed: int
    faults: _containers.RepeatedCompositeFieldContainer[RecordFault]
    def __init__(self, added: _Optional[int] = ..., known: _Optional[int] = ..., urgent_closed: _Optional[int] = ..., faults: _Optional[_Iterable[_Union[RecordFault, _Mapping]]] = ...) -> None: ...

class ListMandatesRequest(_message.Message):
    __slots__ = ("limit",)
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    limit: int
    def __init__(self, limit: _Optional[int] = ...) -> None: ...

class ListMandatesResponse(_message.Message):
    __slots__ = ("mandates", "urgent")
    MANDATES_FIELD_NUMBER: _ClassVar[int]
    URGENT_FIELD_NUMBER: _ClassVar[int]
    mandates: _containers.RepeatedCompositeFieldContainer[MandateState]
    urgent: _containers.RepeatedCompositeFieldContainer[UrgentCheck]
    def __init__(self, mandates: _Optional[_Iterable[_Union[MandateState, _Mapping]]] = ..., urgent: _Optional[_Iterable[_Union[UrgentCheck, _Mapping]]] = ...) -> None: ...

class MandateState(_message.Message):
    __slots__ = ("mandate", "owner", "added_at", "ended_at", "state", "has_form")
    MANDATE_FIELD_NUMBER: _ClassVar[int]
    OWNER_FIELD_NUMBER: _ClassVar[int]
    ADDED_AT_FIELD_NUMBER: _ClassVar[int]
    ENDED_AT_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    HAS_FORM_FIELD_NUMBER: _ClassVar[int]
    mandate: StoredMandate
    owner: str
    added_at: _timestamp_pb2.Timestamp
    ended_at: _timestamp_pb2.Timestamp
    state: str
    has_form: bool
    def __init__(self, mandate: _Optional[_Union[StoredMandate, _Mapping]] = ..., owner: _Optional[str] = ..., added_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., ended_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., state: _Optional[str] = ..., has_form: _Optional[bool] = ...) -> None: ...

class UrgentCheck(_message.Message):
    __slots__ = ("job_id", "ref", "owner", "opened_at", "due_on", "overdue")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    REF_FIELD_NUMBER: _ClassVar[int]
    OWNER_FIELD_NUMBER: _ClassVar[int]
    OPENED_AT_FIELD_NUMBER: _ClassVar[int]
    DUE_ON_FIELD_NUMBER: _ClassVar[int]
    OVERDUE_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    ref: str
    owner: str
    opened_at: _timestamp_pb2.Timestamp
    due_on: str
    overdue: bool
    def __init__(self, job_id: _Optional[str] = ..., ref: _Optional[str] = ..., owner: _Optional[str] = ..., opened_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., due_on: _Optional[str] = ..., overdue: _Optional[bool] = ...) -> None: ...

class GetMandateRequest(_message.Message):
    __slots__ = ("mandate_no", "full")
    MANDATE_NO_FIELD_NUMBER: _ClassVar[int]
    FULL_FIELD_NUMBER: _ClassVar[int]
    mandate_no: str
    full: bool
    def __init__(self, mandate_no: _Optional[str] = ..., full: _Optional[bool] = ...) -> None: ...

class GetMandateResponse(_message.Message):
    __slots__ = ("mandate",)
    MANDATE_FIELD_NUMBER: _ClassVar[int]
    mandate: MandateState
    def __init__(self, mandate: _Optional[_Union[MandateState, _Mapping]] = ...) -> None: ...

class EndMandateRequest(_message.Message):
    __slots__ = ("mandate_nos", "reason")
    MANDATE_NOS_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    mandate_nos: _containers.RepeatedScalarFieldContainer[str]
    reason: str
    def __init__(self, mandate_nos: _Optional[_Iterable[str]] = ..., reason: _Optional[str] = ...) -> None: ...

class EndMandateResponse(_message.Message):
    __slots__ = ("ended",)
    ENDED_FIELD_NUMBER: _ClassVar[int]
    ended: int
    def __init__(self, ended: _Optional[int] = ...) -> None: ...

class CheckMandatesRequest(_message.Message):
    __slots__ = ("question",)
    QUESTION_FIELD_NUMBER: _ClassVar[int]
    question: HouseholdQuestion
    def __init__(self, question: _Optional[_Union[HouseholdQuestion, _Mapping]] = ...) -> None: ...

class HouseholdQuestion(_message.Message):
    __slots__ = ("household_nos", "office", "items", "peers", "purpose", "legal_basis", "matter", "urgent", "reuse")
    HOUSEHOLD_NOS_FIELD_NUMBER: _ClassVar[int]
    OFFICE_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    PEERS_FIELD_NUMBER: _ClassVar[int]
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    LEGAL_BASIS_FIELD_NUMBER: _ClassVar[int]
    MATTER_FIELD_NUMBER: _ClassVar[int]
    URGENT_FIELD_NUMBER: _ClassVar[int]
    REUSE_FIELD_NUMBER: _ClassVar[int]
    household_nos: _containers.RepeatedScalarFieldContainer[str]
    office: str
    items: _containers.RepeatedScalarFieldContainer[str]
    peers: _containers.RepeatedScalarFieldContainer[str]
    purpose: str
    legal_basis: str
    matter: str
    urgent: bool
    reuse: bool
    def __init__(self, household_nos: _Optional[_Iterable[str]] = ..., office: _Optional[str] = ..., items: _Optional[_Iterable[str]] = ..., peers: _Optional[_Iterable[str]] = ..., purpose: _Optional[str] = ..., legal_basis: _Optional[str] = ..., matter: _Optional[str] = ..., urgent: _Optional[bool] = ..., reuse: _Optional[bool] = ...) -> None: ...

class CheckMandatesResponse(_message.Message):
    __slots__ = ("people", "not_asked")
    PEOPLE_FIELD_NUMBER: _ClassVar[int]
    NOT_ASKED_FIELD_NUMBER: _ClassVar[int]
    people: int
    not_asked: _containers.RepeatedCompositeFieldContainer[NotAsked]
    def __init__(self, people: _Optional[int] = ..., not_asked: _Optional[_Iterable[_Union[NotAsked, _Mapping]]] = ...) -> None: ...

class NotAsked(_message.Message):
    __slots__ = ("ref", "reason", "item", "region")
    REF_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    ITEM_FIELD_NUMBER: _ClassVar[int]
    REGION_FIELD_NUMBER: _ClassVar[int]
    ref: str
    reason: str
    item: str
    region: str
    def __init__(self, ref: _Optional[str] = ..., reason: _Optional[str] = ..., item: _Optional[str] = ..., region: _Optional[str] = ...) -> None: ...

class AddFormRequest(_message.Message):
    __slots__ = ("mandate_no", "chunk")
    MANDATE_NO_FIELD_NUMBER: _ClassVar[int]
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    mandate_no: str
    chunk: bytes
    def __init__(self, mandate_no: _Optional[str] = ..., chunk: _Optional[bytes] = ...) -> None: ...

class AddFormResponse(_message.Message):
    __slots__ = ("type",)
    TYPE_FIELD_NUMBER: _ClassVar[int]
    type: str
    def __init__(self, type: _Optional[str] = ...) -> None: ...

class GetFormRequest(_message.Message):
    __slots__ = ("mandate_no",)
    MANDATE_NO_FIELD_NUMBER: _ClassVar[int]
    mandate_no: str
    def __init__(self, mandate_no: _Optional[str] = ...) -> None: ...

class GetFormResponse(_message.Message):
    __slots__ = ("chunk",)
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    chunk: bytes
    def __init__(self, chunk: _Optional[bytes] = ...) -> None: ...
