import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from heqiao.platform.v1 import declared_pb2 as _declared_pb2
from heqiao.platform.v1 import mandates_pb2 as _mandates_pb2
from heqiao.platform.v1 import platform_pb2 as _platform_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Household(_message.Message):
    __slots__ = ("household_no", "application_no", "office", "people", "changed_on")
    HOUSEHOLD_NO_FIELD_NUMBER: _ClassVar[int]
    APPLICATION_NO_FIELD_NUMBER: _ClassVar[int]
    OFFICE_FIELD_NUMBER: _ClassVar[int]
    PEOPLE_FIELD_NUMBER: _ClassVar[int]
    CHANGED_ON_FIELD_NUMBER: _ClassVar[int]
    household_no: str
    application_no: str
    office: str
    people: _containers.RepeatedCompositeFieldContainer[HouseholdPerson]
    changed_on: str
    def __init__(self, household_no: _Optional[str] = ..., application_no: _Optional[str] = ..., office: _Optional[str] = ..., people: _Optional[_Iterable[_Union[HouseholdPerson, _Mapping]]] = ..., changed_on: _Optional[str] = ...) -> None: ...

class HouseholdPerson(_message.Message):
    __slots__ = ("member_no", "name", "numbers", "types", "role", "relation", "province", "guardian", "born")
    MEMBER_NO_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    NUMBERS_FIELD_NUMBER: _ClassVar[int]
    TYPES_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    RELATION_FIELD_NUMBER: _ClassVar[int]
    PROVINCE_FIELD_NUMBER: _ClassVar[int]
    GUARDIAN_FIELD_NUMBER: _ClassVar[int]
    BORN_FIELD_NUMBER: _ClassVar[int]
    member_no: str
    name: str
    numbers: _containers.RepeatedScalarFieldContainer[str]
    types: _containers.RepeatedScalarFieldContainer[_platform_pb2.IdentityType]
    role: str
    relation: str
    province: str
    guardian: str
    born: str
    def __init__(self, member_no: _Optional[str] = ..., name: _Optional[str] = ..., numbers: _Optional[_Iterable[str]] = ..., types: _Optional[_Iterable[_Union[_platform_pb2.IdentityType, str]]] = ..., role: _Optional[str] = ..., relation: _Optional[str] = ..., province: _Optional[str] = ..., guardian: _Optional[str] = ..., born: _Optional[str] = ...) -> None: ...

class PutHouseholdsRequest(_message.Message):
    __slots__ = ("households", "replace", "changed_on")
    HOUSEHOLDS_FIELD_NUMBER: _ClassVar[int]
    REPLACE_FIELD_NUMBER: _ClassVar[int]
    CHANGED_ON_FIELD_NUMBER: _ClassVar[int]
    households: _containers.RepeatedCompositeFieldContainer[Household]
    replace: bool
    changed_on: str
    def __init__(self, households: _Optional[_Iterable[_Union[Household, _Mapping]]] = ..., replace: _Optional[bool] = ..., changed_on: _Optional[str] = ...) -> None: ...

class PutHouseholdsResponse(_message.Message):
    __slots__ = ("added", "changed", "known", "faults")
    ADDED_FIELD_NUMBER: _ClassVar[int]
    CHANGED_FIELD_NUMBER: _ClassVar[int]
    KNOWN_FIELD_NUMBER: _ClassVar[int]
    FAULTS_FIELD_NUMBER: _ClassVar[int]
    added: int
    changed: int
    known: int
    faults: _containers.RepeatedCompositeFieldContainer[_mandates_pb2.RecordFault]
    def __init__(self, added: _Optional[int] = ..., changed: _Optional[int] = ..., known: _Optional[int] = ..., faults: _Optional[_Iterable[_Union[_mandates_pb2.RecordFault, _Mapping]]] = ...) -> None: ...

class ListHouseholdsRequest(_message.Message):
    __slots__ = ("limit", "office")
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    OFFICE_FIELD_NUMBER: _ClassVar[int]
    limit: int
    office: str
    def __init__(self, limit: _Optional[int] = ..., office: _Optional[str] = ...) -> None: ...

class ListHouseholdsResponse(_message.Message):
    __slots__ = ("households",)
    HOUSEHOLDS_FIELD_NUMBER: _ClassVar[int]
    households: _containers.RepeatedCompositeFieldContainer[HouseholdState]
    def __init__(self, households: _Optional[_Iterable[_Union[HouseholdState, _Mapping]]] = ...) -> None: ...

class HouseholdState(_message.Message):
    __slots__ = ("household", "owner", "version", "added_at", "changed_at")
    HOUSEHOLD_FIELD_NUMBER: _ClassVar[int]
    OWNER_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    ADDED_AT_FIELD_NUMBER: _ClassVar[int]
    CHANGED_AT_FIELD_NUMBER: _ClassVar[int]
    household: Household
    owner: str
    version: int
    added_at: _timestamp_pb2.Timestamp
    changed_at: _timestamp_pb2.Timestamp
    def __init__(self, household: _Optional[_Union[Household, _Mapping]] = ..., owner: _Optional[str] = ..., version: _Optional[int] = ..., added_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., changed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class GetHouseholdRequest(_message.Message):
    __slots__ = ("household_no", "full")
    HOUSEHOLD_NO_FIELD_NUMBER: _ClassVar[int]
    FULL_FIELD_NUMBER: _ClassVar[int]
    household_no: str
    full: bool
    def __init__(self, household_no: _Optional[str] = ..., full: _Optional[bool] = ...) -> None: ...

class GetHouseholdResponse(_message.Message):
    __slots__ = ("household",)
    HOUSEHOLD_FIELD_NUMBER: _ClassVar[int]
    household: HouseholdState
    def __init__(self, household: _Optional[_Union[HouseholdState, _Mapping]] = ...) -> None: ...

class RemoveHouseholdRequest(_message.Message):
    __slots__ = ("household_no",)
    HOUSEHOLD_NO_FIELD_NUMBER: _ClassVar[int]
    household_no: str
    def __init__(self, household_no: _Optional[str] = ...) -> None: ...

class RemoveHouseholdResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class VerifyHouseholdsRequest(_message.Message):
    __slots__ = ("job_id", "question", "declared", "draft_id", "draft_version")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    QUESTION_FIELD_NUMBER: _ClassVar[int]
    DECLARED_FIELD_NUMBER: _ClassVar[int]
    DRAFT_ID_FIELD_NUMBER: _ClassVar[int]
    DRAFT_VERSION_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    question: _mandates_pb2.HouseholdQuestion
    declared: _declared_pb2.DeclaredHouseholds
    draft_id: str
    draft_version: int
    def __init__(self, job_id: _Optional[str] = ..., question: _Optional[_Union[_mandates_pb2.HouseholdQuestion, _Mapping]] = ..., declared: _Optional[_Union[_declared_pb2.DeclaredHouseholds, _Mapping]] = ..., draft_id: _Optional[str] = ..., draft_version: _Optional[int] = ...) -> None: ...

class VerifyHouseholdsResponse(_message.Message):
    __slots__ = ("job_id", "existed", "people", "not_asked")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    EXISTED_FIELD_NUMBER: _ClassVar[int]
    PEOPLE_FIELD_NUMBER: _ClassVar[int]
    NOT_ASKED_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    existed: bool
    people: int
    not_asked: _containers.RepeatedCompositeFieldContainer[_mandates_pb2.NotAsked]
    def __init__(self, job_id: _Optional[str] = ..., existed: _Optional[bool] = ..., people: _Optional[int] = ..., not_asked: _Optional[_Iterable[_Union[_mandates_pb2.NotAsked, _Mapping]]] = ...) -> None: ...

class ReportSubjectRequest(_message.Message):
    __slots__ = ("numbers", "types")
    NUMBERS_FIELD_NUMBER: _ClassVar[int]
    TYPES_FIELD_NUMBER: _ClassVar[int]
    numbers: _containers.RepeatedScalarFieldContainer[str]
    types: _containers.RepeatedScalarFieldContainer[_platform_pb2.IdentityType]
    def __init__(self, numbers: _Optional[_Iterable[str]] = ..., types: _Optional[_Iterable[_Union[_platform_pb2.IdentityType, str]]] = ...) -> None: ...

class ReportSubjectResponse(_message.Message):
    __slots__ = ("requester", "requester_name", "made_at", "kept_days", "jobs", "mandates", "households", "code_names")
    REQUESTER_FIELD_NUMBER: _ClassVar[int]
    REQUESTER_NAME_FIELD_NUMBER: _ClassVar[int]
    MADE_AT_FIELD_NUMBER: _ClassVar[int]
    KEPT_DAYS_FIELD_NUMBER: _ClassVar[int]
    JOBS_FIELD_NUMBER: _ClassVar[int]
    MANDATES_FIELD_NUMBER: _ClassVar[int]
    HOUSEHOLDS_FIELD_NUMBER: _ClassVar[int]
    CODE_NAMES_FIELD_NUMBER: _ClassVar[int]
    requester: str
    requester_name: str
    made_at: _timestamp_pb2.Timestamp
    kept_days: int
    jobs: _containers.RepeatedCompositeFieldContainer[AskedAbout]
    mandates: _containers.RepeatedCompositeFieldContainer[MandateAbout]
    households: _containers.RepeatedCompositeFieldContainer[HouseholdAbout]
    code_names: _containers.RepeatedCompositeFieldContainer[CodeName]
    def __init__(self, requester: _Optional[str] = ..., requester_name: _Optional[str] = ..., made_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., kept_days: _Optional[int] = ..., jobs: _Optional[_Iterable[_Union[AskedAbout, _Mapping]]] = ..., mandates: _Optional[_Iterable[_Union[MandateAbout, _Mapping]]] = ..., households: _Optional[_Iterable[_Union[HouseholdAbout, _Mapping]]] = ..., code_names: _Optional[_Iterable[_Union[CodeName, _Mapping]]] = ...) -> None: ...

class CodeName(_message.Message):
    __slots__ = ("code", "name_zh", "name_en")
    CODE_FIELD_NUMBER: _ClassVar[int]
    NAME_ZH_FIELD_NUMBER: _ClassVar[int]
    NAME_EN_FIELD_NUMBER: _ClassVar[int]
    code: str
    name_zh: str
    name_en: str
    def __init__(self, code: _Optional[str] = ..., name_zh: _Optional[str] = ..., name_en: _Optional[str] = ...) -> None: ...

class AskedAbout(_message.Message):
    __slots__ = ("job_id", "kind", "owner", "state", "purpose", "legal_basis", "matter", "items", "peers", "people", "asked_at", "refs", "answers")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    OWNER_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    LEGAL_BASIS_FIELD_NUMBER: _ClassVar[int]
    MATTER_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    PEERS_FIELD_NUMBER: _ClassVar[int]
    PEOPLE_FIELD_NUMBER: _ClassVar[int]
    ASKED_AT_FIELD_NUMBER: _ClassVar[int]
    REFS_FIELD_NUMBER: _ClassVar[int]
    ANSWERS_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    kind: str
    owner: str
    state: str
    purpose: str
    legal_basis: str
    matter: str
    items: _containers.RepeatedScalarFieldContainer[str]
    peers: _containers.RepeatedScalarFieldContainer[str]
    people: int
    asked_at: _timestamp_pb2.Timestamp
    refs: _containers.RepeatedScalarFieldContainer[str]
    answers: _containers.RepeatedCompositeFieldContainer[_platform_pb2.Answer]
    def __init__(self, job_id: _Optional[str] = ..., kind: _Optional[str] = ..., owner: _Optional[str] = ..., state: _Optional[str] = ..., purpose: _Optional[str] = ..., legal_basis: _Optional[str] = ..., matter: _Optional[str] = ..., items: _Optional[_Iterable[str]] = ..., peers: _Optional[_Iterable[str]] = ..., people: _Optional[int] = ..., asked_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., refs: _Optional[_Iterable[str]] = ..., answers: _Optional[_Iterable[_Union[_platform_pb2.Answer, _Mapping]]] = ...) -> None: ...

class MandateAbout(_message.Message):
    __slots__ = ("mandate_no", "owner", "office", "matter", "valid_from", "valid_to", "event", "ended", "added_at")
    MANDATE_NO_FIELD_NUMBER: _ClassVar[int]
    OWNER_FIELD_NUMBER: _ClassVar[int]
    OFFICE_FIELD_NUMBER: _ClassVar[int]
    MATTER_FIELD_NUMBER: _ClassVar[int]
    VALID_FROM_FIELD_NUMBER: _ClassVar[int]
    VALID_TO_FIELD_NUMBER: _ClassVar[int]
    EVENT_FIELD_NUMBER: _ClassVar[int]
    ENDED_FIELD_NUMBER: _ClassVar[int]
    ADDED_AT_FIELD_NUMBER: _ClassVar[int]
    mandate_no: str
    owner: str
    office: str
    matter: str
    valid_from: str
    valid_to: str
    event: str
    ended: str
    added_at: _timestamp_pb2.Timestamp
    def __init__(self, mandate_no: _Optional[str] = ..., owner: _Optional[str] = ..., office: _Optional[str] = ..., matter: _Optional[str] = ..., valid_from: _Optional[str] = ..., valid_to: _Optional[str] = ..., event: _Optional[str] = ..., ended: _Optional[str] = ..., added_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class HouseholdAbout(_message.Message):
    __slots__ = ("household_no", "application_no", "owner", "office", "role", "changed_at")
    HOUSEHOLD_NO_FIELD_NUMBER: _ClassVar[int]
    APPLICATION_NO_FIELD_NUMBER: _ClassVar[int]
    OWNER_FIELD_NUMBER: _ClassVar[int]
    OFFICE_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    CHANGED_AT_FIELD_NUMBER: _ClassVar[int]
    household_no: str
    application_no: str
    owner: str
    office: str
    role: str
    changed_at: _timestamp_pb2.Timestamp
    def __init__(self, household_no: _Optional[str] = ..., application_no: _Optional[str] = ..., owner: _Optional[str] = ..., office: _Optional[str] = ..., role: _Optional[str] = ..., changed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
