import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from heqiao.admin.v1 import records_pb2 as _records_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ImportFile(_message.Message):
    __slots__ = ("name", "size", "changed_at", "fault")
    NAME_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    CHANGED_AT_FIELD_NUMBER: _ClassVar[int]
    FAULT_FIELD_NUMBER: _ClassVar[int]
    name: str
    size: int
    changed_at: _timestamp_pb2.Timestamp
    fault: str
    def __init__(self, name: _Optional[str] = ..., size: _Optional[int] = ..., changed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., fault: _Optional[str] = ...) -> None: ...

class FileCheck(_message.Message):
    __slots__ = ("names", "size", "digest", "report", "result", "checked_at", "account", "rows", "usable")
    NAMES_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    REPORT_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    CHECKED_AT_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    USABLE_FIELD_NUMBER: _ClassVar[int]
    names: _containers.RepeatedScalarFieldContainer[str]
    size: int
    digest: bytes
    report: int
    result: str
    checked_at: _timestamp_pb2.Timestamp
    account: str
    rows: int
    usable: int
    def __init__(self, names: _Optional[_Iterable[str]] = ..., size: _Optional[int] = ..., digest: _Optional[bytes] = ..., report: _Optional[int] = ..., result: _Optional[str] = ..., checked_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., account: _Optional[str] = ..., rows: _Optional[int] = ..., usable: _Optional[int] = ...) -> None: ...

class FileGroup(_message.Message):
    __slots__ = ("item", "title", "files", "check", "accepted_before", "is_there")
    ITEM_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    FILES_FIELD_NUMBER: _ClassVar[int]
    CHECK_FIELD_NUMBER: _ClassVar[int]
    ACCEPTED_BEFORE_FIELD_NUMBER: _ClassVar[int]
    IS_THERE_FIELD_NUMBER: _ClassVar[int]
    item: str
    title: str
    files: _containers.RepeatedCompositeFieldContainer[ImportFile]
    check: FileCheck
    accepted_before: int
    is_there: bool
    def __init__(self, item: _Optional[str] = ..., title: _Optional[str] = ..., files: _Optional[_Iterable[_Union[ImportFile, _Mapping]]] = ..., check: _Optional[_Union[FileCheck, _Mapping]] = ..., accepted_before: _Optional[int] = ..., is_there: _Optional[bool] = ...) -> None: ...

class ListFilesRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListFilesResponse(_message.Message):
    __slots__ = ("folder", "is_open", "groups", "others")
    FOLDER_FIELD_NUMBER: _ClassVar[int]
    IS_OPEN_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    OTHERS_FIELD_NUMBER: _ClassVar[int]
    folder: str
    is_open: bool
    groups: _containers.RepeatedCompositeFieldContainer[FileGroup]
    others: int
    def __init__(self, folder: _Optional[str] = ..., is_open: _Optional[bool] = ..., groups: _Optional[_Iterable[_Union[FileGroup, _Mapping]]] = ..., others: _Optional[int] = ...) -> None: ...

class StartFileCheckRequest(_message.Message):
    __slots__ = ("item", "names")
    ITEM_FIELD_NUMBER: _ClassVar[int]
    NAMES_FIELD_NUMBER: _ClassVar[int]
    item: str
    names: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, item: _Optional[str] = ..., names: _Optional[_Iterable[str]] = ...) -> None: ...

class StartFileCheckResponse(_message.Message):
    __slots__ = ("work_id",)
    WORK_ID_FIELD_NUMBER: _ClassVar[int]
    work_id: str
    def __init__(self, work_id: _Optional[str] = ...) -> None: ...

class StartFileImportRequest(_message.Message):
    __slots__ = ("item", "digest")
    ITEM_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    item: str
    digest: bytes
    def __init__(self, item: _Optional[str] = ..., digest: _Optional[bytes] = ...) -> None: ...

class StartFileImportResponse(_message.Message):
    __slots__ = ("work_id",)
    WORK_ID_FIELD_NUMBER: _ClassVar[int]
    work_id: str
    def __init__(self, work_id: _Optional[str] = ...) -> None: ...

class GetImportRequest(_message.Message):
    __slots__ = ("number",)
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    number: int
    def __init__(self, number: _Optional[int] = ...) -> None: ...

class GetImportResponse(_message.Message):
    __slots__ = ("found", "has_rejects")
    FOUND_FIELD_NUMBER: _ClassVar[int]
    HAS_REJECTS_FIELD_NUMBER: _ClassVar[int]
    found: _records_pb2.Import
    has_rejects: bool
    def __init__(self, found: _Optional[_Union[_records_pb2.Import, _Mapping]] = ..., has_rejects: _Optional[bool] = ...) -> None: ...

class StreamRejectsRequest(_message.Message):
    __slots__ = ("number",)
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    number: int
    def __init__(self, number: _Optional[int] = ...) -> None: ...

class RejectedRow(_message.Message):
    __slots__ = ("file", "line", "column", "reason")
    FILE_FIELD_NUMBER: _ClassVar[int]
    LINE_FIELD_NUMBER: _ClassVar[int]
    COLUMN_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    file: str
    line: int
    column: str
    reason: str
    def __init__(self, file: _Optional[str] = ..., line: _Optional[int] = ..., column: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class StreamRejectsResponse(_message.Message):
    __slots__ = ("rows",)
    ROWS_FIELD_NUMBER: _ClassVar[int]
    rows: _containers.RepeatedCompositeFieldContainer[RejectedRow]
    def __init__(self, rows: _Optional[_Iterable[_Union[RejectedRow, _Mapping]]] = ...) -> None: ...
