import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from heqiao.platform.v1 import platform_pb2 as _platform_pb2
from heqiao.platform.v1 import watch_pb2 as _watch_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Draft(_message.Message):
    __slots__ = ("draft_id", "unit", "preparer", "state", "version", "items", "peers", "purpose", "subjects", "approver", "job_id", "created_at", "updated_at", "digest", "kind")
    DRAFT_ID_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    PREPARER_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    PEERS_FIELD_NUMBER: _ClassVar[int]
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    SUBJECTS_FIELD_NUMBER: _ClassVar[int]
    APPROVER_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    UPDATED_AT_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    draft_id: str
    unit: str
    preparer: str
    state: str
    version: int
    items: _containers.RepeatedScalarFieldContainer[str]
    peers: _containers.RepeatedScalarFieldContainer[str]
    purpose: str
    subjects: int
    approver: str
    job_id: str
    created_at: _timestamp_pb2.Timestamp
    updated_at: _timestamp_pb2.Timestamp
    digest: bytes
    kind: str
    def __init__(self, draft_id: _Optional[str] = ..., unit: _Optional[str] = ..., preparer: _Optional[str] = ..., state: _Optional[str] = ..., version: _Optional[int] = ..., items: _Optional[_Iterable[str]] = ..., peers: _Optional[_Iterable[str]] = ..., purpose: _Optional[str] = ..., subjects: _Optional[int] = ..., approver: _Optional[str] = ..., job_id: _Optional[str] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., updated_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., digest: _Optional[bytes] = ..., kind: _Optional[str] = ...) -> None: ...

class SaveDraftRequest(_message.Message):
    __slots__ = ("draft_id", "version", "form", "kind")
    DRAFT_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    FORM_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    draft_id: str
    version: int
    form: bytes
    kind: str
    def __init__(self, draft_id: _Optional[str] = ..., version: _Optional[int] = ..., form: _Optional[bytes] = ..., kind: _Optional[str] = ...) -> None: ...

class SaveDraftResponse(_message.Message):
    __slots__ = ("draft",)
    DRAFT_FIELD_NUMBER: _ClassVar[int]
    draft: Draft
    def __init__(self, draft: _Optional[_Union[Draft, _Mapping]] = ...) -> None: ...

class GetDraftRequest(_message.Message):
    __slots__ = ("draft_id",)
    DRAFT_ID_FIELD_NUMBER: _ClassVar[int]
    draft_id: str
    def __init__(self, draft_id: _Optional[str] = ...) -> None: ...

class GetDraftResponse(_message.Message):
    __slots__ = ("draft", "form", "reason")
    DRAFT_FIELD_NUMBER: _ClassVar[int]
    FORM_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    draft: Draft
    form: bytes
    reason: str
    def __init__(self, draft: _Optional[_Union[Draft, _Mapping]] = ..., form: _Optional[bytes] = ..., reason: _Optional[str] = ...) -> None: ...

class ListDraftsRequest(_message.Message):
    __slots__ = ("state", "limit", "after", "whose")
    STATE_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    WHOSE_FIELD_NUMBER: _ClassVar[int]
    state: str
    limit: int
    after: str
    whose: str
    def __init__(self, state: _Optional[str] = ..., limit: _Optional[int] = ..., after: _Optional[str] = ..., whose: _Optional[str] = ...) -> None: ...

class ListDraftsResponse(_message.Message):
    __slots__ = ("drafts", "total", "next", "oldest_at")
    DRAFTS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    NEXT_FIELD_NUMBER: _ClassVar[int]
    OLDEST_AT_FIELD_NUMBER: _ClassVar[int]
    drafts: _containers.RepeatedCompositeFieldContainer[Draft]
    total: int
    next: str
    oldest_at: _timestamp_pb2.Timestamp
    def __init__(self, drafts: _Optional[_Iterable[_Union[Draft, _Mapping]]] = ..., total: _Optional[int] = ..., next: _Optional[str] = ..., oldest_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class DeleteDraftRequest(_message.Message):
    __slots__ = ("draft_id",)
    DRAFT_ID_FIELD_NUMBER: _ClassVar[int]
    draft_id: str
    def __init__(self, draft_id: _Optional[str] = ...) -> None: ...

class DeleteDraftResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class DraftPart(_message.Message):
    __slots__ = ("verification", "sum", "watch")
    VERIFICATION_FIELD_NUMBER: _ClassVar[int]
    SUM_FIELD_NUMBER: _ClassVar[int]
    WATCH_FIELD_NUMBER: _ClassVar[int]
    verification: _platform_pb2.SubmitVerificationRequest
    sum: _platform_pb2.SubmitSumRequest
    watch: _watch_pb2.AddWatchRequest
    def __init__(self, verification: _Optional[_Union[_platform_pb2.SubmitVerificationRequest, _Mapping]] = ..., sum: _Optional[_Union[_platform_pb2.SubmitSumRequest, _Mapping]] = ..., watch: _Optional[_Union[_watch_pb2.AddWatchRequest, _Mapping]] = ...) -> None: ...

class WatchOfJob(_message.Message):
    __slots__ = ("watch_id", "job_id", "items", "peers", "legal_basis")
    WATCH_ID_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    PEERS_FIELD_NUMBER: _ClassVar[int]
    LEGAL_BASIS_FIELD_NUMBER: _ClassVar[int]
    watch_id: str
    job_id: str
    items: _containers.RepeatedScalarFieldContainer[str]
    peers: _containers.RepeatedScalarFieldContainer[str]
    legal_basis: str
    def __init__(self, watch_id: _Optional[str] = ..., job_id: _Optional[str] = ..., items: _Optional[_Iterable[str]] = ..., peers: _Optional[_Iterable[str]] = ..., legal_basis: _Optional[str] = ...) -> None: ...

class SendForApprovalRequest(_message.Message):
    __slots__ = ("draft", "part", "watch_of_job")
    DRAFT_FIELD_NUMBER: _ClassVar[int]
    PART_FIELD_NUMBER: _ClassVar[int]
    WATCH_OF_JOB_FIELD_NUMBER: _ClassVar[int]
    draft: DraftVersion
    part: DraftPart
    watch_of_job: WatchOfJob
    def __init__(self, draft: _Optional[_Union[DraftVersion, _Mapping]] = ..., part: _Optional[_Union[DraftPart, _Mapping]] = ..., watch_of_job: _Optional[_Union[WatchOfJob, _Mapping]] = ...) -> None: ...

class DraftVersion(_message.Message):
    __slots__ = ("draft_id", "version")
    DRAFT_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    draft_id: str
    version: int
    def __init__(self, draft_id: _Optional[str] = ..., version: _Optional[int] = ...) -> None: ...

class SendForApprovalResponse(_message.Message):
    __slots__ = ("draft",)
    DRAFT_FIELD_NUMBER: _ClassVar[int]
    draft: Draft
    def __init__(self, draft: _Optional[_Union[Draft, _Mapping]] = ...) -> None: ...

class GetContentRequest(_message.Message):
    __slots__ = ("draft_id",)
    DRAFT_ID_FIELD_NUMBER: _ClassVar[int]
    draft_id: str
    def __init__(self, draft_id: _Optional[str] = ...) -> None: ...

class GetContentResponse(_message.Message):
    __slots__ = ("part",)
    PART_FIELD_NUMBER: _ClassVar[int]
    part: DraftPart
    def __init__(self, part: _Optional[_Union[DraftPart, _Mapping]] = ...) -> None: ...

class ApproveRequest(_message.Message):
    __slots__ = ("draft_id", "version", "digest", "password", "code")
    DRAFT_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    PASSWORD_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    draft_id: str
    version: int
    digest: bytes
    password: str
    code: str
    def __init__(self, draft_id: _Optional[str] = ..., version: _Optional[int] = ..., digest: _Optional[bytes] = ..., password: _Optional[str] = ..., code: _Optional[str] = ...) -> None: ...

class ApproveResponse(_message.Message):
    __slots__ = ("draft",)
    DRAFT_FIELD_NUMBER: _ClassVar[int]
    draft: Draft
    def __init__(self, draft: _Optional[_Union[Draft, _Mapping]] = ...) -> None: ...

class ReturnRequest(_message.Message):
    __slots__ = ("draft_id", "version", "reason")
    DRAFT_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    draft_id: str
    version: int
    reason: str
    def __init__(self, draft_id: _Optional[str] = ..., version: _Optional[int] = ..., reason: _Optional[str] = ...) -> None: ...

class ReturnResponse(_message.Message):
    __slots__ = ("draft",)
    DRAFT_FIELD_NUMBER: _ClassVar[int]
    draft: Draft
    def __init__(self, draft: _Optional[_Union[Draft, _Mapping]] = ...) -> None: ...
