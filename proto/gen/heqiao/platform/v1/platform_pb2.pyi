import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from heqiao.platform.v1 import declared_pb2 as _declared_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class IdentityType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    IDENTITY_TYPE_UNSPECIFIED: _ClassVar[IdentityType]
    IDENTITY_TYPE_RESIDENT: _ClassVar[IdentityType]
    IDENTITY_TYPE_HMT_PERMIT: _ClassVar[IdentityType]
    IDENTITY_TYPE_FOREIGN_PERMIT: _ClassVar[IdentityType]
    IDENTITY_TYPE_FOREIGN_PERMIT_OLD: _ClassVar[IdentityType]

class JobState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    JOB_STATE_UNSPECIFIED: _ClassVar[JobState]
    JOB_STATE_QUEUED: _ClassVar[JobState]
    JOB_STATE_RUNNING: _ClassVar[JobState]
    JOB_STATE_DONE: _ClassVar[JobState]
    JOB_STATE_FAILED: _ClassVar[JobState]
    JOB_STATE_CANCELLED: _ClassVar[JobState]

class JobKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    JOB_KIND_UNSPECIFIED: _ClassVar[JobKind]
    JOB_KIND_VERIFICATION: _ClassVar[JobKind]
    JOB_KIND_SUM: _ClassVar[JobKind]
    JOB_KIND_WATCH: _ClassVar[JobKind]

class Outcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OUTCOME_UNSPECIFIED: _ClassVar[Outcome]
    OUTCOME_FOUND: _ClassVar[Outcome]
    OUTCOME_NOT_FOUND: _ClassVar[Outcome]
    OUTCOME_OVER: _ClassVar[Outcome]
    OUTCOME_NOT_OVER: _ClassVar[Outcome]
    OUTCOME_NAME_MISMATCH: _ClassVar[Outcome]
    OUTCOME_STALE: _ClassVar[Outcome]
    OUTCOME_NOT_CONNECTED: _ClassVar[Outcome]
    OUTCOME_NOT_MANDATED: _ClassVar[Outcome]
    OUTCOME_REFUSED: _ClassVar[Outcome]
    OUTCOME_OVERDUE: _ClassVar[Outcome]
    OUTCOME_UNAVAILABLE: _ClassVar[Outcome]
    OUTCOME_NOT_COMPARABLE: _ClassVar[Outcome]

class SumOutcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SUM_OUTCOME_UNSPECIFIED: _ClassVar[SumOutcome]
    SUM_OUTCOME_RELEASED: _ClassVar[SumOutcome]
    SUM_OUTCOME_SUPPRESSED: _ClassVar[SumOutcome]
    SUM_OUTCOME_NOT_CONNECTED: _ClassVar[SumOutcome]
    SUM_OUTCOME_REFUSED: _ClassVar[SumOutcome]
    SUM_OUTCOME_OVERDUE: _ClassVar[SumOutcome]
    SUM_OUTCOME_UNAVAILABLE: _ClassVar[SumOutcome]
    SUM_OUTCOME_NOT_COMPARABLE: _ClassVar[SumOutcome]
IDENTITY_TYPE_UNSPECIFIED: IdentityType
IDENTITY_TYPE_RESIDENT: IdentityType
IDENTITY_TYPE_HMT_PERMIT: IdentityType
IDENTITY_TYPE_FOREIGN_PERMIT: IdentityType
IDENTITY_TYPE_FOREIGN_PERMIT_OLD: IdentityType
JOB_STATE_UNSPECIFIED: JobState
JOB_STATE_QUEUED: JobState
JOB_STATE_RUNNING: JobState
JOB_STATE_DONE: JobState
JOB_STATE_FAILED: JobState
JOB_STATE_CANCELLED: JobState
JOB_KIND_UNSPECIFIED: JobKind
JOB_KIND_VERIFICATION: JobKind
JOB_KIND_SUM: JobKind
JOB_KIND_WATCH: JobKind
OUTCOME_UNSPECIFIED: Outcome
OUTCOME_FOUND: Outcome
OUTCOME_NOT_FOUND: Outcome
OUTCOME_OVER: Outcome
OUTCOME_NOT_OVER: Outcome
OUTCOME_NAME_MISMATCH: Outcome
OUTCOME_STALE: Outcome
OUTCOME_NOT_CONNECTED: Outcome
OUTCOME_NOT_MANDATED: Outcome
OUTCOME_REFUSED: Outcome
OUTCOME_OVERDUE: Outcome
OUTCOME_UNAVAILABLE: Outcome
OUTCOME_NOT_COMPARABLE: Outcome
SUM_OUTCOME_UNSPECIFIED: SumOutcome
SUM_OUTCOME_RELEASED: SumOutcome
SUM_OUTCOME_SUPPRESSED: SumOutcome
SUM_OUTCOME_NOT_CONNECTED: SumOutcome
SUM_OUTCOME_REFUSED: SumOutcome
SUM_OUTCOME_OVERDUE: SumOutcome
SUM_OUTCOME_UNAVAILABLE: SumOutcome
SUM_OUTCOME_NOT_COMPARABLE: SumOutcome

class SubmitVerificationRequest(_message.Message):
    __slots__ = ("start", "chunk")
    START_FIELD_NUMBER: _ClassVar[int]
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    start: VerificationStart
    chunk: VerificationChunk
    def __init__(self, start: _Optional[_Union[VerificationStart, _Mapping]] = ..., chunk: _Optional[_Union[VerificationChunk, _Mapping]] = ...) -> None: ...

class VerificationStart(_message.Message):
    __slots__ = ("job_id", "items", "peers", "purpose", "legal_basis", "subjects_announced", "reuse", "urgent", "matter", "recheck_of", "declared")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    PEERS_FIELD_NUMBER: _ClassVar[int]
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    LEGAL_BASIS_FIELD_NUMBER: _ClassVar[int]
    SUBJECTS_ANNOUNCED_FIELD_NUMBER: _ClassVar[int]
    REUSE_FIELD_NUMBER: _ClassVar[int]
    URGENT_FIELD_NUMBER: _ClassVar[int]
    MATTER_FIELD_NUMBER: _ClassVar[int]
    RECHECK_OF_FIELD_NUMBER: _ClassVar[int]
    DECLARED_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    items: _containers.RepeatedScalarFieldContainer[str]
    peers: _containers.RepeatedScalarFieldContainer[str]
    purpose: str
    legal_basis: str
    subjects_announced: int
    reuse: bool
    urgent: bool
    matter: str
    recheck_of: str
    declared: _declared_pb2.DeclaredHouseholds
    def __init__(self, job_id: _Optional[str] = ..., items: _Optional[_Iterable[str]] = ..., peers: _Optional[_Iterable[str]] = ..., purpose: _Optional[str] = ..., legal_basis: _Optional[str] = ..., subjects_announced: _Optional[int] = ..., reuse: _Optional[bool] = ..., urgent: _Optional[bool] = ..., matter: _Optional[str] = ..., recheck_of: _Optional[str] = ..., declared: _Optional[_Union[_declared_pb2.DeclaredHouseholds, _Mapping]] = ...) -> None: ...

class VerificationChunk(_message.Message):
    __slots__ = ("mandates", "subjects")
    MANDATES_FIELD_NUMBER: _ClassVar[int]
    SUBJECTS_FIELD_NUMBER: _ClassVar[int]
    mandates: Mandates
    subjects: Subjects
    def __init__(self, mandates: _Optional[_Union[Mandates, _Mapping]] = ..., subjects: _Optional[_Union[Subjects, _Mapping]] = ...) -> None: ...

class Mandates(_message.Message):
    __slots__ = ("mandate_nos", "scopes", "scope_places", "signer_counts", "signers", "doc_hashes", "people_counts", "people", "agent_counts", "agents")
    MANDATE_NOS_FIELD_NUMBER: _ClassVar[int]
    SCOPES_FIELD_NUMBER: _ClassVar[int]
    SCOPE_PLACES_FIELD_NUMBER: _ClassVar[int]
    SIGNER_COUNTS_FIELD_NUMBER: _ClassVar[int]
    SIGNERS_FIELD_NUMBER: _ClassVar[int]
    DOC_HASHES_FIELD_NUMBER: _ClassVar[int]
    PEOPLE_COUNTS_FIELD_NUMBER: _ClassVar[int]
    PEOPLE_FIELD_NUMBER: _ClassVar[int]
    AGENT_COUNTS_FIELD_NUMBER: _ClassVar[int]
    AGENTS_FIELD_NUMBER: _ClassVar[int]
    mandate_nos: _containers.RepeatedScalarFieldContainer[str]
    scopes: _containers.RepeatedCompositeFieldContainer[Scope]
    scope_places: _containers.RepeatedScalarFieldContainer[int]
    signer_counts: _containers.RepeatedScalarFieldContainer[int]
    signers: _containers.RepeatedScalarFieldContainer[str]
    doc_hashes: _containers.RepeatedScalarFieldContainer[str]
    people_counts: _containers.RepeatedScalarFieldContainer[int]
    people: _containers.RepeatedScalarFieldContainer[str]
    agent_counts: _containers.RepeatedScalarFieldContainer[int]
    agents: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, mandate_nos: _Optional[_Iterable[str]] = ..., scopes: _Optional[_Iterable[_Union[Scope, _Mapping]]] = ..., scope_places: _Optional[_Iterable[int]] = ..., signer_counts: _Optional[_Iterable[int]] = ..., signers: _Optional[_Iterable[str]] = ..., doc_hashes: _Optional[_Iterable[str]] = ..., people_counts: _Optional[_Iterable[int]] = ..., people: _Optional[_Iterable[str]] = ..., agent_counts: _Optional[_Iterable[int]] = ..., agents: _Optional[_Iterable[str]] = ...) -> None: ...

class Scope(_message.Message):
    __slots__ = ("programme", "items", "regions", "valid_from", "valid_to", "revoked_at", "event", "office", "template_id", "sig_type", "matter")
    PROGRAMME_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    REGIONS_FIELD_NUMBER: _ClassVar[int]
    VALID_FROM_FIELD_NUMBER: _ClassVar[int]
    VALID_TO_FIELD_NUMBER: _ClassVar[int]
    REVOKED_AT_FIELD_NUMBER: _ClassVar[int]
    EVENT_FIELD_NUMBER: _ClassVar[int]
    OFFICE_FIELD_NUMBER: _ClassVar[int]
    TEMPLATE_ID_FIELD_NUMBER: _ClassVar[int]
    SIG_TYPE_FIELD_NUMBER: _ClassVar[int]
    MATTER_FIELD_NUMBER: _ClassVar[int]
    programme: str
    items: _containers.RepeatedScalarFieldContainer[str]
    regions: _containers.RepeatedScalarFieldContainer[str]
    valid_from: str
    valid_to: str
    revoked_at: str
    event: str
    office: str
    template_id: str
    sig_type: str
    matter: str
    def __init__(self, programme: _Optional[str] = ..., items: _Optional[_Iterable[str]] = ..., regions: _Optional[_Iterable[str]] = ..., valid_from: _Optional[str] = ..., valid_to: _Optional[str] = ..., revoked_at: _Optional[str] = ..., event: _Optional[str] = ..., office: _Optional[str] = ..., template_id: _Optional[str] = ..., sig_type: _Optional[str] = ..., matter: _Optional[str] = ...) -> None: ...

class Subjects(_message.Message):
    __slots__ = ("refs", "households", "names", "mandate_nos", "identities")
    REFS_FIELD_NUMBER: _ClassVar[int]
    HOUSEHOLDS_FIELD_NUMBER: _ClassVar[int]
    NAMES_FIELD_NUMBER: _ClassVar[int]
    MANDATE_NOS_FIELD_NUMBER: _ClassVar[int]
    IDENTITIES_FIELD_NUMBER: _ClassVar[int]
    refs: _containers.RepeatedScalarFieldContainer[str]
    households: _containers.RepeatedScalarFieldContainer[str]
    names: _containers.RepeatedScalarFieldContainer[str]
    mandate_nos: _containers.RepeatedScalarFieldContainer[str]
    identities: Identities
    def __init__(self, refs: _Optional[_Iterable[str]] = ..., households: _Optional[_Iterable[str]] = ..., names: _Optional[_Iterable[str]] = ..., mandate_nos: _Optional[_Iterable[str]] = ..., identities: _Optional[_Union[Identities, _Mapping]] = ...) -> None: ...

class Identities(_message.Message):
    __slots__ = ("counts", "values", "types")
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    TYPES_FIELD_NUMBER: _ClassVar[int]
    counts: _containers.RepeatedScalarFieldContainer[int]
    values: _containers.RepeatedScalarFieldContainer[str]
    types: _containers.RepeatedScalarFieldContainer[IdentityType]
    def __init__(self, counts: _Optional[_Iterable[int]] = ..., values: _Optional[_Iterable[str]] = ..., types: _Optional[_Iterable[_Union[IdentityType, str]]] = ...) -> None: ...

class SubmitVerificationResponse(_message.Message):
    __slots__ = ("job_id", "existed")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    EXISTED_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    existed: bool
    def __init__(self, job_id: _Optional[str] = ..., existed: _Optional[bool] = ...) -> None: ...

class PartClock(_message.Message):
    __slots__ = ("asked_at", "due_at", "closes_at", "due_estimated", "close_estimated", "warned_at")
    ASKED_AT_FIELD_NUMBER: _ClassVar[int]
    DUE_AT_FIELD_NUMBER: _ClassVar[int]
    CLOSES_AT_FIELD_NUMBER: _ClassVar[int]
    DUE_ESTIMATED_FIELD_NUMBER: _ClassVar[int]
    CLOSE_ESTIMATED_FIELD_NUMBER: _ClassVar[int]
    WARNED_AT_FIELD_NUMBER: _ClassVar[int]
    asked_at: _timestamp_pb2.Timestamp
    due_at: _timestamp_pb2.Timestamp
    closes_at: _timestamp_pb2.Timestamp
    due_estimated: bool
    close_estimated: bool
    warned_at: _timestamp_pb2.Timestamp
    def __init__(self, asked_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., due_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., closes_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., due_estimated: _Optional[bool] = ..., close_estimated: _Optional[bool] = ..., warned_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Attempt(_message.Message):
    __slots__ = ("asked_at", "ended_at", "state", "reason", "points")
    ASKED_AT_FIELD_NUMBER: _ClassVar[int]
    ENDED_AT_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    asked_at: _timestamp_pb2.Timestamp
    ended_at: _timestamp_pb2.Timestamp
    state: str
    reason: str
    points: int
    def __init__(self, asked_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., ended_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., state: _Optional[str] = ..., reason: _Optional[str] = ..., points: _Optional[int] = ...) -> None: ...

class LeftOut(_message.Message):
    __slots__ = ("peer", "name", "reason")
    PEER_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    peer: str
    name: str
    reason: str
    def __init__(self, peer: _Optional[str] = ..., name: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class Part(_message.Message):
    __slots__ = ("peer", "name", "state", "reason", "done", "total", "epoch", "points", "bytes_up", "bytes_down", "seconds", "plan", "plan_reason", "retry_at", "clock", "attempts", "answered_at")
    PEER_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    DONE_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    BYTES_UP_FIELD_NUMBER: _ClassVar[int]
    BYTES_DOWN_FIELD_NUMBER: _ClassVar[int]
    SECONDS_FIELD_NUMBER: _ClassVar[int]
    PLAN_FIELD_NUMBER: _ClassVar[int]
    PLAN_REASON_FIELD_NUMBER: _ClassVar[int]
    RETRY_AT_FIELD_NUMBER: _ClassVar[int]
    CLOCK_FIELD_NUMBER: _ClassVar[int]
    ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    ANSWERED_AT_FIELD_NUMBER: _ClassVar[int]
    peer: str
    name: str
    state: str
    reason: str
    done: int
    total: int
    epoch: int
    points: int
    bytes_up: int
    bytes_down: int
    seconds: float
    plan: str
    plan_reason: str
    retry_at: _timestamp_pb2.Timestamp
    clock: PartClock
    attempts: _containers.RepeatedCompositeFieldContainer[Attempt]
    answered_at: _timestamp_pb2.Timestamp
    def __init__(self, peer: _Optional[str] = ..., name: _Optional[str] = ..., state: _Optional[str] = ..., reason: _Optional[str] = ..., done: _Optional[int] = ..., total: _Optional[int] = ..., epoch: _Optional[int] = ..., points: _Optional[int] = ..., bytes_up: _Optional[int] = ..., bytes_down: _Optional[int] = ..., seconds: _Optional[float] = ..., plan: _Optional[str] = ..., plan_reason: _Optional[str] = ..., retry_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., clock: _Optional[_Union[PartClock, _Mapping]] = ..., attempts: _Optional[_Iterable[_Union[Attempt, _Mapping]]] = ..., answered_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Job(_message.Message):
    __slots__ = ("job_id", "state", "created_at", "due_at", "finished_at", "subjects", "items", "parts", "error", "kind", "owner", "report_by", "due_estimated", "left_out", "files_issued")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    DUE_AT_FIELD_NUMBER: _ClassVar[int]
    FINISHED_AT_FIELD_NUMBER: _ClassVar[int]
    SUBJECTS_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    PARTS_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    OWNER_FIELD_NUMBER: _ClassVar[int]
    REPORT_BY_FIELD_NUMBER: _ClassVar[int]
    DUE_ESTIMATED_FIELD_NUMBER: _ClassVar[int]
    LEFT_OUT_FIELD_NUMBER: _ClassVar[int]
    FILES_ISSUED_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    state: JobState
    created_at: _timestamp_pb2.Timestamp
    due_at: _timestamp_pb2.Timestamp
    finished_at: _timestamp_pb2.Timestamp
    subjects: int
    items: _containers.RepeatedScalarFieldContainer[str]
    parts: _containers.RepeatedCompositeFieldContainer[Part]
    error: str
    kind: JobKind
    owner: str
    report_by: _timestamp_pb2.Timestamp
    due_estimated: bool
    left_out: _containers.RepeatedCompositeFieldContainer[LeftOut]
    files_issued: int
    def __init__(self, job_id: _Optional[str] = ..., state: _Optional[_Union[JobState, str]] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., due_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., finished_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., subjects: _Optional[int] = ..., items: _Optional[_Iterable[str]] = ..., parts: _Optional[_Iterable[_Union[Part, _Mapping]]] = ..., error: _Optional[str] = ..., kind: _Optional[_Union[JobKind, str]] = ..., owner: _Optional[str] = ..., report_by: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., due_estimated: _Optional[bool] = ..., left_out: _Optional[_Iterable[_Union[LeftOut, _Mapping]]] = ..., files_issued: _Optional[int] = ...) -> None: ...

class WatchJobRequest(_message.Message):
    __slots__ = ("job_id",)
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    def __init__(self, job_id: _Optional[str] = ...) -> None: ...

class WatchJobResponse(_message.Message):
    __slots__ = ("job",)
    JOB_FIELD_NUMBER: _ClassVar[int]
    job: Job
    def __init__(self, job: _Optional[_Union[Job, _Mapping]] = ...) -> None: ...

class GetReportRequest(_message.Message):
    __slots__ = ("job_id",)
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    def __init__(self, job_id: _Optional[str] = ...) -> None: ...

class GetReportResponse(_message.Message):
    __slots__ = ("header", "chunk")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    header: ReportHeader
    chunk: FindingChunk
    def __init__(self, header: _Optional[_Union[ReportHeader, _Mapping]] = ..., chunk: _Optional[_Union[FindingChunk, _Mapping]] = ...) -> None: ...

class ReportHeader(_message.Message):
    __slots__ = ("job", "requester", "requester_name", "purpose", "legal_basis", "catalogue_version", "catalogue_digest", "issuing_body", "legal_basis_name", "matter", "matter_name")
    JOB_FIELD_NUMBER: _ClassVar[int]
    REQUESTER_FIELD_NUMBER: _ClassVar[int]
    REQUESTER_NAME_FIELD_NUMBER: _ClassVar[int]
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    LEGAL_BASIS_FIELD_NUMBER: _ClassVar[int]
    CATALOGUE_VERSION_FIELD_NUMBER: _ClassVar[int]
    CATALOGUE_DIGEST_FIELD_NUMBER: _ClassVar[int]
    ISSUING_BODY_FIELD_NUMBER: _ClassVar[int]
    LEGAL_BASIS_NAME_FIELD_NUMBER: _ClassVar[int]
    MATTER_FIELD_NUMBER: _ClassVar[int]
    MATTER_NAME_FIELD_NUMBER: _ClassVar[int]
    job: Job
    requester: str
    requester_name: str
    purpose: str
    legal_basis: str
    catalogue_version: str
    catalogue_digest: bytes
    issuing_body: str
    legal_basis_name: _containers.RepeatedScalarFieldContainer[str]
    matter: str
    matter_name: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, job: _Optional[_Union[Job, _Mapping]] = ..., requester: _Optional[str] = ..., requester_name: _Optional[str] = ..., purpose: _Optional[str] = ..., legal_basis: _Optional[str] = ..., catalogue_version: _Optional[str] = ..., catalogue_digest: _Optional[bytes] = ..., issuing_body: _Optional[str] = ..., legal_basis_name: _Optional[_Iterable[str]] = ..., matter: _Optional[str] = ..., matter_name: _Optional[_Iterable[str]] = ...) -> None: ...

class FindingChunk(_message.Message):
    __slots__ = ("subjects", "answers", "subject_places", "answer_places")
    SUBJECTS_FIELD_NUMBER: _ClassVar[int]
    ANSWERS_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_PLACES_FIELD_NUMBER: _ClassVar[int]
    ANSWER_PLACES_FIELD_NUMBER: _ClassVar[int]
    subjects: _containers.RepeatedScalarFieldContainer[str]
    answers: _containers.RepeatedCompositeFieldContainer[Answer]
    subject_places: _containers.RepeatedScalarFieldContainer[int]
    answer_places: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, subjects: _Optional[_Iterable[str]] = ..., answers: _Optional[_Iterable[_Union[Answer, _Mapping]]] = ..., subject_places: _Optional[_Iterable[int]] = ..., answer_places: _Optional[_Iterable[int]] = ...) -> None: ...

class ReusedFrom(_message.Message):
    __slots__ = ("job_id", "day")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    DAY_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    day: int
    def __init__(self, job_id: _Optional[str] = ..., day: _Optional[int] = ...) -> None: ...

class Answer(_message.Message):
    __slots__ = ("item", "peer", "outcome", "value", "as_of", "reason", "reused_from")
    ITEM_FIELD_NUMBER: _ClassVar[int]
    PEER_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REUSED_FROM_FIELD_NUMBER: _ClassVar[int]
    item: str
    peer: str
    outcome: Outcome
    value: int
    as_of: int
    reason: str
    reused_from: ReusedFrom
    def __init__(self, item: _Optional[str] = ..., peer: _Optional[str] = ..., outcome: _Optional[_Union[Outcome, str]] = ..., value: _Optional[int] = ..., as_of: _Optional[int] = ..., reason: _Optional[str] = ..., reused_from: _Optional[_Union[ReusedFrom, _Mapping]] = ...) -> None: ...

class CancelJobRequest(_message.Message):
    __slots__ = ("job_id",)
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    def __init__(self, job_id: _Optional[str] = ...) -> None: ...

class CancelJobResponse(_message.Message):
    __slots__ = ("job",)
    JOB_FIELD_NUMBER: _ClassVar[int]
    job: Job
    def __init__(self, job: _Optional[_Union[Job, _Mapping]] = ...) -> None: ...

class ListJobsRequest(_message.Message):
    __slots__ = ("limit", "after", "states", "unit")
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    STATES_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    limit: int
    after: str
    states: _containers.RepeatedScalarFieldContainer[JobState]
    unit: str
    def __init__(self, limit: _Optional[int] = ..., after: _Optional[str] = ..., states: _Optional[_Iterable[_Union[JobState, str]]] = ..., unit: _Optional[str] = ...) -> None: ...

class ListJobsResponse(_message.Message):
    __slots__ = ("jobs", "next")
    JOBS_FIELD_NUMBER: _ClassVar[int]
    NEXT_FIELD_NUMBER: _ClassVar[int]
    jobs: _containers.RepeatedCompositeFieldContainer[Job]
    next: str
    def __init__(self, jobs: _Optional[_Iterable[_Union[Job, _Mapping]]] = ..., next: _Optional[str] = ...) -> None: ...

class RevokeMandatesRequest(_message.Message):
    __slots__ = ("mandate_nos",)
    MANDATE_NOS_FIELD_NUMBER: _ClassVar[int]
    mandate_nos: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, mandate_nos: _Optional[_Iterable[str]] = ...) -> None: ...

class RevokeMandatesResponse(_message.Message):
    __slots__ = ("revoked",)
    REVOKED_FIELD_NUMBER: _ClassVar[int]
    revoked: int
    def __init__(self, revoked: _Optional[int] = ...) -> None: ...

class ListPeersRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListPeersResponse(_message.Message):
    __slots__ = ("peers",)
    PEERS_FIELD_NUMBER: _ClassVar[int]
    peers: _containers.RepeatedCompositeFieldContainer[Peer]
    def __init__(self, peers: _Optional[_Iterable[_Union[Peer, _Mapping]]] = ...) -> None: ...

class Peer(_message.Message):
    __slots__ = ("code", "name", "address", "grants")
    CODE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    GRANTS_FIELD_NUMBER: _ClassVar[int]
    code: str
    name: str
    address: str
    grants: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, code: _Optional[str] = ..., name: _Optional[str] = ..., address: _Optional[str] = ..., grants: _Optional[_Iterable[str]] = ...) -> None: ...

class GetCatalogueRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetCatalogueResponse(_message.Message):
    __slots__ = ("version", "digest", "items")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    version: str
    digest: bytes
    items: _containers.RepeatedCompositeFieldContainer[CatalogueItem]
    def __init__(self, version: _Optional[str] = ..., digest: _Optional[bytes] = ..., items: _Optional[_Iterable[_Union[CatalogueItem, _Mapping]]] = ...) -> None: ...

class CatalogueItem(_message.Message):
    __slots__ = ("code", "name_zh", "name_en", "holder", "level", "time", "period_months", "unit", "definition_zh", "definition_en", "sensitivity", "freshness_days", "bounds", "format_zh", "format_en", "measure_zh", "measure_en", "unit_zh", "holder_en", "value_kind", "combine", "frequency", "share", "table", "codes", "width", "slots", "example", "example_zh", "example_en", "named_only", "definition_digest")
    CODE_FIELD_NUMBER: _ClassVar[int]
    NAME_ZH_FIELD_NUMBER: _ClassVar[int]
    NAME_EN_FIELD_NUMBER: _ClassVar[int]
    HOLDER_FIELD_NUMBER: _ClassVar[int]
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    PERIOD_MONTHS_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    DEFINITION_ZH_FIELD_NUMBER: _ClassVar[int]
    DEFINITION_EN_FIELD_NUMBER: _ClassVar[int]
    SENSITIVITY_FIELD_NUMBER: _ClassVar[int]
    FRESHNESS_DAYS_FIELD_NUMBER: _ClassVar[int]
    BOUNDS_FIELD_NUMBER: _ClassVar[int]
    FORMAT_ZH_FIELD_NUMBER: _ClassVar[int]
    FORMAT_EN_FIELD_NUMBER: _ClassVar[int]
    MEASURE_ZH_FIELD_NUMBER: _ClassVar[int]
    MEASURE_EN_FIELD_NUMBER: _ClassVar[int]
    UNIT_ZH_FIELD_NUMBER: _ClassVar[int]
    HOLDER_EN_FIELD_NUMBER: _ClassVar[int]
    VALUE_KIND_FIELD_NUMBER: _ClassVar[int]
    COMBINE_FIELD_NUMBER: _ClassVar[int]
    FREQUENCY_FIELD_NUMBER: _ClassVar[int]
    SHARE_FIELD_NUMBER: _ClassVar[int]
    TABLE_FIELD_NUMBER: _ClassVar[int]
    CODES_FIELD_NUMBER: _ClassVar[int]
    WIDTH_FIELD_NUMBER: _ClassVar[int]
    SLOTS_FIELD_NUMBER: _ClassVar[int]
    EXAMPLE_FIELD_NUMBER: _ClassVar[int]
    EXAMPLE_ZH_FIELD_NUMBER: _ClassVar[int]
    EXAMPLE_EN_FIELD_NUMBER: _ClassVar[int]
    NAMED_ONLY_FIELD_NUMBER: _ClassVar[int]
    DEFINITION_DIGEST_FIELD_NUMBER: _ClassVar[int]
    code: str
    name_zh: str
    name_en: str
    holder: str
    level: str
    time: str
    period_months: int
    unit: str
    definition_zh: str
    definition_en: str
    sensitivity: str
    freshness_days: int
    bounds: _containers.RepeatedScalarFieldContainer[int]
    format_zh: str
    format_en: str
    measure_zh: str
    measure_en: str
    unit_zh: str
    holder_en: str
    value_kind: str
    combine: str
    frequency: str
    share: str
    table: str
    codes: _containers.RepeatedCompositeFieldContainer[CatalogueCode]
    width: int
    slots: int
    example: int
    example_zh: str
    example_en: str
    named_only: bool
    definition_digest: bytes
    def __init__(self, code: _Optional[str] = ..., name_zh: _Optional[str] = ..., name_en: _Optional[str] = ..., holder: _Optional[str] = ..., level: _Optional[str] = ..., time: _Optional[str] = ..., period_months: _Optional[int] = ..., unit: _Optional[str] = ..., definition_zh: _Optional[str] = ..., definition_en: _Optional[str] = ..., sensitivity: _Optional[str] = ..., freshness_days: _Optional[int] = ..., bounds: _Optional[_Iterable[int]] = ..., format_zh: _Optional[str] = ..., format_en: _Optional[str] = ..., measure_zh: _Optional[str] = ..., measure_en: _Optional[str] = ..., unit_zh: _Optional[str] = ..., holder_en: _Optional[str] = ..., value_kind: _Optional[str] = ..., combine: _Optional[str] = ..., frequency: _Optional[str] = ..., share: _Optional[str] = ..., table: _Optional[str] = ..., codes: _Optional[_Iterable[_Union[CatalogueCode, _Mapping]]] = ..., width: _Optional[int] = ..., slots: _Optional[int] = ..., example: _Optional[int] = ..., example_zh: _Optional[str] = ..., example_en: _Optional[str] = ..., named_only: _Optional[bool] = ..., definition_digest: _Optional[bytes] = ...) -> None: ...

class CatalogueCode(_message.Message):
    __slots__ = ("code", "zh", "en")
    CODE_FIELD_NUMBER: _ClassVar[int]
    ZH_FIELD_NUMBER: _ClassVar[int]
    EN_FIELD_NUMBER: _ClassVar[int]
    code: str
    zh: str
    en: str
    def __init__(self, code: _Optional[str] = ..., zh: _Optional[str] = ..., en: _Optional[str] = ...) -> None: ...

class SubmitSumRequest(_message.Message):
    __slots__ = ("start", "chunk")
    START_FIELD_NUMBER: _ClassVar[int]
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    start: SumStart
    chunk: CohortPeople
    def __init__(self, start: _Optional[_Union[SumStart, _Mapping]] = ..., chunk: _Optional[_Union[CohortPeople, _Mapping]] = ...) -> None: ...

class SumStart(_message.Message):
    __slots__ = ("job_id", "items", "peers", "legal_basis", "people_announced")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    PEERS_FIELD_NUMBER: _ClassVar[int]
    LEGAL_BASIS_FIELD_NUMBER: _ClassVar[int]
    PEOPLE_ANNOUNCED_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    items: _containers.RepeatedScalarFieldContainer[str]
    peers: _containers.RepeatedScalarFieldContainer[str]
    legal_basis: str
    people_announced: int
    def __init__(self, job_id: _Optional[str] = ..., items: _Optional[_Iterable[str]] = ..., peers: _Optional[_Iterable[str]] = ..., legal_basis: _Optional[str] = ..., people_announced: _Optional[int] = ...) -> None: ...

class CohortPeople(_message.Message):
    __slots__ = ("identities",)
    IDENTITIES_FIELD_NUMBER: _ClassVar[int]
    identities: Identities
    def __init__(self, identities: _Optional[_Union[Identities, _Mapping]] = ...) -> None: ...

class SubmitSumResponse(_message.Message):
    __slots__ = ("job_id", "existed")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    EXISTED_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    existed: bool
    def __init__(self, job_id: _Optional[str] = ..., existed: _Optional[bool] = ...) -> None: ...

class GetSumReportRequest(_message.Message):
    __slots__ = ("job_id",)
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    def __init__(self, job_id: _Optional[str] = ...) -> None: ...

class GetSumReportResponse(_message.Message):
    __slots__ = ("job", "requester", "requester_name", "legal_basis", "catalogue_version", "catalogue_digest", "findings", "issuing_body", "legal_basis_name")
    JOB_FIELD_NUMBER: _ClassVar[int]
    REQUESTER_FIELD_NUMBER: _ClassVar[int]
    REQUESTER_NAME_FIELD_NUMBER: _ClassVar[int]
    LEGAL_BASIS_FIELD_NUMBER: _ClassVar[int]
    CATALOGUE_VERSION_FIELD_NUMBER: _ClassVar[int]
    CATALOGUE_DIGEST_FIELD_NUMBER: _ClassVar[int]
    FINDINGS_FIELD_NUMBER: _ClassVar[int]
    ISSUING_BODY_FIELD_NUMBER: _ClassVar[int]
    LEGAL_BASIS_NAME_FIELD_NUMBER: _ClassVar[int]
    job: Job
    requester: str
    requester_name: str
    legal_basis: str
    catalogue_version: str
    catalogue_digest: bytes
    findings: _containers.RepeatedCompositeFieldContainer[SumFinding]
    issuing_body: str
    legal_basis_name: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, job: _Optional[_Union[Job, _Mapping]] = ..., requester: _Optional[str] = ..., requester_name: _Optional[str] = ..., legal_basis: _Optional[str] = ..., catalogue_version: _Optional[str] = ..., catalogue_digest: _Optional[bytes] = ..., findings: _Optional[_Iterable[_Union[SumFinding, _Mapping]]] = ..., issuing_body: _Optional[str] = ..., legal_basis_name: _Optional[_Iterable[str]] = ...) -> None: ...

class SumFinding(_message.Message):
    __slots__ = ("item", "peer", "outcome", "reason", "mode", "count", "total", "variance", "bands", "epsilon_millionths", "asked", "as_of_from", "as_of_to")
    ITEM_FIELD_NUMBER: _ClassVar[int]
    PEER_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    VARIANCE_FIELD_NUMBER: _ClassVar[int]
    BANDS_FIELD_NUMBER: _ClassVar[int]
    EPSILON_MILLIONTHS_FIELD_NUMBER: _ClassVar[int]
    ASKED_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FROM_FIELD_NUMBER: _ClassVar[int]
    AS_OF_TO_FIELD_NUMBER: _ClassVar[int]
    item: str
    peer: str
    outcome: SumOutcome
    reason: str
    mode: str
    count: int
    total: str
    variance: str
    bands: _containers.RepeatedCompositeFieldContainer[SumCell]
    epsilon_millionths: int
    asked: int
    as_of_from: int
    as_of_to: int
    def __init__(self, item: _Optional[str] = ..., peer: _Optional[str] = ..., outcome: _Optional[_Union[SumOutcome, str]] = ..., reason: _Optional[str] = ..., mode: _Optional[str] = ..., count: _Optional[int] = ..., total: _Optional[str] = ..., variance: _Optional[str] = ..., bands: _Optional[_Iterable[_Union[SumCell, _Mapping]]] = ..., epsilon_millionths: _Optional[int] = ..., asked: _Optional[int] = ..., as_of_from: _Optional[int] = ..., as_of_to: _Optional[int] = ...) -> None: ...

class SumCell(_message.Message):
    __slots__ = ("suppressed", "count")
    SUPPRESSED_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    suppressed: bool
    count: int
    def __init__(self, suppressed: _Optional[bool] = ..., count: _Optional[int] = ...) -> None: ...
