from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ReportFormat(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REPORT_FORMAT_UNSPECIFIED: _ClassVar[ReportFormat]
    REPORT_FORMAT_TEXT: _ClassVar[ReportFormat]
    REPORT_FORMAT_JSON: _ClassVar[ReportFormat]
    REPORT_FORMAT_CSV: _ClassVar[ReportFormat]
    REPORT_FORMAT_XLSX: _ClassVar[ReportFormat]
    REPORT_FORMAT_HTML: _ClassVar[ReportFormat]
    REPORT_FORMAT_PDF: _ClassVar[ReportFormat]
REPORT_FORMAT_UNSPECIFIED: ReportFormat
REPORT_FORMAT_TEXT: ReportFormat
REPORT_FORMAT_JSON: ReportFormat
REPORT_FORMAT_CSV: ReportFormat
REPORT_FORMAT_XLSX: ReportFormat
REPORT_FORMAT_HTML: ReportFormat
REPORT_FORMAT_PDF: ReportFormat

class StreamReportFileRequest(_message.Message):
    __slots__ = ("job_id", "format", "language", "household")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    HOUSEHOLD_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    format: ReportFormat
    language: str
    household: str
    def __init__(self, job_id: _Optional[str] = ..., format: _Optional[_Union[ReportFormat, str]] = ..., language: _Optional[str] = ..., household: _Optional[str] = ...) -> None: ...

class StreamReportFileResponse(_message.Message):
    __slots__ = ("header", "chunk", "end")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    header: ReportFileHeader
    chunk: bytes
    end: ReportFileEnd
    def __init__(self, header: _Optional[_Union[ReportFileHeader, _Mapping]] = ..., chunk: _Optional[bytes] = ..., end: _Optional[_Union[ReportFileEnd, _Mapping]] = ...) -> None: ...

class ReportFileHeader(_message.Message):
    __slots__ = ("name", "number", "size")
    NAME_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    name: str
    number: str
    size: int
    def __init__(self, name: _Optional[str] = ..., number: _Optional[str] = ..., size: _Optional[int] = ...) -> None: ...

class ReportFileEnd(_message.Message):
    __slots__ = ("digest", "signature")
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    digest: bytes
    signature: bytes
    def __init__(self, digest: _Optional[bytes] = ..., signature: _Optional[bytes] = ...) -> None: ...

class CountReportFilesRequest(_message.Message):
    __slots__ = ("job_id", "files")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    FILES_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    files: int
    def __init__(self, job_id: _Optional[str] = ..., files: _Optional[int] = ...) -> None: ...

class CountReportFilesResponse(_message.Message):
    __slots__ = ("files_issued",)
    FILES_ISSUED_FIELD_NUMBER: _ClassVar[int]
    files_issued: int
    def __init__(self, files_issued: _Optional[int] = ...) -> None: ...

class VerifyReportFileRequest(_message.Message):
    __slots__ = ("start", "chunk")
    START_FIELD_NUMBER: _ClassVar[int]
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    start: VerifyReportFileStart
    chunk: bytes
    def __init__(self, start: _Optional[_Union[VerifyReportFileStart, _Mapping]] = ..., chunk: _Optional[bytes] = ...) -> None: ...

class VerifyReportFileStart(_message.Message):
    __slots__ = ("name", "signature")
    NAME_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    name: str
    signature: bytes
    def __init__(self, name: _Optional[str] = ..., signature: _Optional[bytes] = ...) -> None: ...

class VerifyReportFileResponse(_message.Message):
    __slots__ = ("valid", "format", "number", "job_id", "code", "key", "signed_by", "altered", "problem")
    VALID_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    SIGNED_BY_FIELD_NUMBER: _ClassVar[int]
    ALTERED_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    valid: bool
    format: str
    number: str
    job_id: str
    code: str
    key: str
    signed_by: str
    altered: _containers.RepeatedScalarFieldContainer[str]
    problem: str
    def __init__(self, valid: _Optional[bool] = ..., format: _Optional[str] = ..., number: _Optional[str] = ..., job_id: _Optional[str] = ..., code: _Optional[str] = ..., key: _Optional[str] = ..., signed_by: _Optional[str] = ..., altered: _Optional[_Iterable[str]] = ..., problem: _Optional[str] = ...) -> None: ...
