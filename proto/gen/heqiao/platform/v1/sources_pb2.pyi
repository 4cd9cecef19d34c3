import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class QualityRun(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    QUALITY_RUN_UNSPECIFIED: _ClassVar[QualityRun]
    QUALITY_RUN_CHECK: _ClassVar[QualityRun]
    QUALITY_RUN_IMPORT: _ClassVar[QualityRun]

class QualityResult(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    QUALITY_RESULT_UNSPECIFIED: _ClassVar[QualityResult]
    QUALITY_RESULT_GOOD: _ClassVar[QualityResult]
    QUALITY_RESULT_BELOW_FLOOR: _ClassVar[QualityResult]
    QUALITY_RESULT_UNREADABLE: _ClassVar[QualityResult]
QUALITY_RUN_UNSPECIFIED: QualityRun
QUALITY_RUN_CHECK: QualityRun
QUALITY_RUN_IMPORT: QualityRun
QUALITY_RESULT_UNSPECIFIED: QualityResult
QUALITY_RESULT_GOOD: QualityResult
QUALITY_RESULT_BELOW_FLOOR: QualityResult
QUALITY_RESULT_UNREADABLE: QualityResult

class FloorFinding(_message.Message):
    __slots__ = ("rule", "found", "allowed")
    RULE_FIELD_NUMBER: _ClassVar[int]
    FOUND_FIELD_NUMBER: _ClassVar[int]
    ALLOWED_FIELD_NUMBER: _ClassVar[int]
    rule: str
    found: str
    allowed: str
    def __init__(self, rule: _Optional[str] = ..., found: _Optional[str] = ..., allowed: _Optional[str] = ...) -> None: ...

class QualityReport(_message.Message):
    __slots__ = ("number", "item", "run", "result", "made_at", "changes_only", "rows", "usable", "rejected", "reasons", "valid_numbers", "duplicates", "duplicates_estimated", "missing", "amounts", "outliers", "oldest", "usual", "newest", "stale", "private_names", "unknown_area", "unknown_county", "county_not_then", "below_floor")
    class ReasonsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    class MissingEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    ITEM_FIELD_NUMBER: _ClassVar[int]
    RUN_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    MADE_AT_FIELD_NUMBER: _ClassVar[int]
    CHANGES_ONLY_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    USABLE_FIELD_NUMBER: _ClassVar[int]
    REJECTED_FIELD_NUMBER: _ClassVar[int]
    REASONS_FIELD_NUMBER: _ClassVar[int]
    VALID_NUMBERS_FIELD_NUMBER: _ClassVar[int]
    DUPLICATES_FIELD_NUMBER: _ClassVar[int]
    DUPLICATES_ESTIMATED_FIELD_NUMBER: _ClassVar[int]
    MISSING_FIELD_NUMBER: _ClassVar[int]
    AMOUNTS_FIELD_NUMBER: _ClassVar[int]
    OUTLIERS_FIELD_NUMBER: _ClassVar[int]
    OLDEST_FIELD_NUMBER: _ClassVar[int]
    USUAL_FIELD_NUMBER: _ClassVar[int]
    NEWEST_FIELD_NUMBER: _ClassVar[int]
    STALE_FIELD_NUMBER: _ClassVar[int]
    PRIVATE_NAMES_FIELD_NUMBER: _ClassVar[int]
    UNKNOWN_AREA_FIELD_NUMBER: _ClassVar[int]
    UNKNOWN_COUNTY_FIELD_NUMBER: _ClassVar[int]
    COUNTY_NOT_THEN_FIELD_NUMBER: _ClassVar[int]
    BELOW_FLOOR_FIELD_NUMBER: _ClassVar[int]
    number: int
    item: str
    run: QualityRun
    result: QualityResult
    made_at: _timestamp_pb2.Timestamp
    changes_only: bool
    rows: int
    usable: int
    rejected: int
    reasons: _containers.ScalarMap[str, int]
    valid_numbers: int
    duplicates: int
    duplicates_estimated: bool
    missing: _containers.ScalarMap[str, int]
    amounts: int
    outliers: int
    oldest: str
    usual: str
    newest: str
    stale: int
    private_names: int
    unknown_area: int
    unknown_county: int
    county_not_then: int
    below_floor: _containers.RepeatedCompositeFieldContainer[FloorFinding]
    def __init__(self, number: _Optional[int] = ..., item: _Optional[str] = ..., run: _Optional[_Union[QualityRun, str]] = ..., result: _Optional[_Union[QualityResult, str]] = ..., made_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., changes_only: _Optional[bool] = ..., rows: _Optional[int] = ..., usable: _Optional[int] = ..., rejected: _Optional[int] = ..., reasons: _Optional[_Mapping[str, int]] = ..., valid_numbers: _Optional[int] = ..., duplicates: _Optional[int] = ..., duplicates_estimated: _Optional[bool] = ..., missing: _Optional[_Mapping[str, int]] = ..., amounts: _Optional[int] = ..., outliers: _Optional[int] = ..., oldest: _Optional[str] = ..., usual: _Optional[str] = ..., newest: _Optional[str] = ..., stale: _Optional[int] = ..., private_names: _Optional[int] = ..., unknown_area: _Optional[int] = ..., unknown_county: _Optional[int] = ..., county_not_then: _Optional[int] = ..., below_floor: _Optional[_Iterable[_Union[FloorFinding, _Mapping]]] = ...) -> None: ...

class ListQualityReportsRequest(_message.Message):
    __slots__ = ("item", "limit", "offset")
    ITEM_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    item: str
    limit: int
    offset: int
    def __init__(self, item: _Optional[str] = ..., limit: _Optional[int] = ..., offset: _Optional[int] = ...) -> None: ...

class ListQualityReportsResponse(_message.Message):
    __slots__ = ("reports", "total")
    REPORTS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    reports: _containers.RepeatedCompositeFieldContainer[QualityReport]
    total: int
    def __init__(self, reports: _Optional[_Iterable[_Union[QualityReport, _Mapping]]] = ..., total: _Optional[int] = ...) -> None: ...

class GetQualityReportRequest(_message.Message):
    __slots__ = ("number",)
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    number: int
    def __init__(self, number: _Optional[int] = ...) -> None: ...

class GetQualityReportResponse(_message.Message):
    __slots__ = ("report",)
    REPORT_FIELD_NUMBER: _ClassVar[int]
    report: QualityReport
    def __init__(self, report: _Optional[_Union[QualityReport, _Mapping]] = ...) -> None: ...
