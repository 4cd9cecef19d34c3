import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class NoticeKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    NOTICE_KIND_UNSPECIFIED: _ClassVar[NoticeKind]
    NOTICE_KIND_CERTIFICATE_ENDS: _ClassVar[NoticeKind]
    NOTICE_KIND_KEY_DUE: _ClassVar[NoticeKind]
    NOTICE_KIND_REVOCATION_LIST_OLD: _ClassVar[NoticeKind]
    NOTICE_KIND_PARTS_OVERDUE: _ClassVar[NoticeKind]
    NOTICE_KIND_HOLIDAY_TABLE_MISSING: _ClassVar[NoticeKind]
    NOTICE_KIND_ALERTS_OPEN: _ClassVar[NoticeKind]
    NOTICE_KIND_LOOKS_FAILED: _ClassVar[NoticeKind]
    NOTICE_KIND_THRESHOLDS_MISSING: _ClassVar[NoticeKind]
    NOTICE_KIND_PEER_DISTRUSTED: _ClassVar[NoticeKind]
    NOTICE_KIND_KEYS_UNSAVED: _ClassVar[NoticeKind]

class NoticeLevel(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    NOTICE_LEVEL_UNSPECIFIED: _ClassVar[NoticeLevel]
    NOTICE_LEVEL_INFO: _ClassVar[NoticeLevel]
    NOTICE_LEVEL_WARNING: _ClassVar[NoticeLevel]
    NOTICE_LEVEL_URGENT: _ClassVar[NoticeLevel]
NOTICE_KIND_UNSPECIFIED: NoticeKind
NOTICE_KIND_CERTIFICATE_ENDS: NoticeKind
NOTICE_KIND_KEY_DUE: NoticeKind
NOTICE_KIND_REVOCATION_LIST_OLD: NoticeKind
NOTICE_KIND_PARTS_OVERDUE: NoticeKind
NOTICE_KIND_HOLIDAY_TABLE_MISSING: NoticeKind
NOTICE_KIND_ALERTS_OPEN: NoticeKind
NOTICE_KIND_LOOKS_FAILED: NoticeKind
NOTICE_KIND_THRESHOLDS_MISSING: NoticeKind
NOTICE_KIND_PEER_DISTRUSTED: NoticeKind
NOTICE_KIND_KEYS_UNSAVED: NoticeKind
NOTICE_LEVEL_UNSPECIFIED: NoticeLevel
NOTICE_LEVEL_INFO: NoticeLevel
NOTICE_LEVEL_WARNING: NoticeLevel
NOTICE_LEVEL_URGENT: NoticeLevel

class Notice(_message.Message):
    __slots__ = ("seq", "kind", "level", "subject", "count", "due_on", "raised_at", "cleared_at")
    SEQ_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    DUE_ON_FIELD_NUMBER: _ClassVar[int]
    RAISED_AT_FIELD_NUMBER: _ClassVar[int]
    CLEARED_AT_FIELD_NUMBER: _ClassVar[int]
    seq: int
    kind: NoticeKind
    level: NoticeLevel
    subject: str
    count: int
    due_on: str
    raised_at: _timestamp_pb2.Timestamp
    cleared_at: _timestamp_pb2.Timestamp
    def __init__(self, seq: _Optional[int] = ..., kind: _Optional[_Union[NoticeKind, str]] = ..., level: _Optional[_Union[NoticeLevel, str]] = ..., subject: _Optional[str] = ..., count: _Optional[int] = ..., due_on: _Optional[str] = ..., raised_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., cleared_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ListNoticesRequest(_message.Message):
    __slots__ = ("after", "limit", "all")
    AFTER_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    ALL_FIELD_NUMBER: _ClassVar[int]
    after: int
    limit: int
    all: bool
    def __init__(self, after: _Optional[int] = ..., limit: _Optional[int] = ..., all: _Optional[bool] = ...) -> None: ...

class ListNoticesResponse(_message.Message):
    __slots__ = ("notices",)
    NOTICES_FIELD_NUMBER: _ClassVar[int]
    notices: _containers.RepeatedCompositeFieldContainer[Notice]
    def __init__(self, notices: _Optional[_Iterable[_Union[Notice, _Mapping]]] = ...) -> None: ...

class WatchNoticesRequest(_message.Message):
    __slots__ = ("after",)
    AFTER_FIELD_NUMBER: _ClassVar[int]
    after: int
    def __init__(self, after: _Optional[int] = ...) -> None: ...

class WatchNoticesResponse(_message.Message):
    __slots__ = ("notice",)
    NOTICE_FIELD_NUMBER: _ClassVar[int]
    notice: Notice
    def __init__(self, notice: _Optional[_Union[Notice, _Mapping]] = ...) -> None: ...
