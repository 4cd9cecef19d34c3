import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from heqiao.platform.v1 import platform_pb2 as _platform_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class DeadlineStage(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DEADLINE_STAGE_UNSPECIFIED: _ClassVar[DeadlineStage]
    DEADLINE_STAGE_OPEN: _ClassVar[DeadlineStage]
    DEADLINE_STAGE_WARNED: _ClassVar[DeadlineStage]
    DEADLINE_STAGE_DUE: _ClassVar[DeadlineStage]
    DEADLINE_STAGE_HELD: _ClassVar[DeadlineStage]
DEADLINE_STAGE_UNSPECIFIED: DeadlineStage
DEADLINE_STAGE_OPEN: DeadlineStage
DEADLINE_STAGE_WARNED: DeadlineStage
DEADLINE_STAGE_DUE: DeadlineStage
DEADLINE_STAGE_HELD: DeadlineStage

class CountDaysLeftRequest(_message.Message):
    __slots__ = ("due_at",)
    DUE_AT_FIELD_NUMBER: _ClassVar[int]
    due_at: _containers.RepeatedCompositeFieldContainer[_timestamp_pb2.Timestamp]
    def __init__(self, due_at: _Optional[_Iterable[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]]] = ...) -> None: ...

class CountDaysLeftResponse(_message.Message):
    __slots__ = ("left",)
    LEFT_FIELD_NUMBER: _ClassVar[int]
    left: _containers.RepeatedCompositeFieldContainer[DaysLeft]
    def __init__(self, left: _Optional[_Iterable[_Union[DaysLeft, _Mapping]]] = ...) -> None: ...

class DaysLeft(_message.Message):
    __slots__ = ("days", "overdue", "estimated")
    DAYS_FIELD_NUMBER: _ClassVar[int]
    OVERDUE_FIELD_NUMBER: _ClassVar[int]
    ESTIMATED_FIELD_NUMBER: _ClassVar[int]
    days: int
    overdue: bool
    estimated: bool
    def __init__(self, days: _Optional[int] = ..., overdue: _Optional[bool] = ..., estimated: _Optional[bool] = ...) -> None: ...

class RetryPartRequest(_message.Message):
    __slots__ = ("job_id", "peer")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    PEER_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    peer: str
    def __init__(self, job_id: _Optional[str] = ..., peer: _Optional[str] = ...) -> None: ...

class RetryPartResponse(_message.Message):
    __slots__ = ("job",)
    JOB_FIELD_NUMBER: _ClassVar[int]
    job: _platform_pb2.Job
    def __init__(self, job: _Optional[_Union[_platform_pb2.Job, _Mapping]] = ...) -> None: ...

class ListDeadlinesRequest(_message.Message):
    __slots__ = ("limit",)
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    limit: int
    def __init__(self, limit: _Optional[int] = ...) -> None: ...

class ListDeadlinesResponse(_message.Message):
    __slots__ = ("deadlines", "missing_year")
    DEADLINES_FIELD_NUMBER: _ClassVar[int]
    MISSING_YEAR_FIELD_NUMBER: _ClassVar[int]
    deadlines: _containers.RepeatedCompositeFieldContainer[Deadline]
    missing_year: int
    def __init__(self, deadlines: _Optional[_Iterable[_Union[Deadline, _Mapping]]] = ..., missing_year: _Optional[int] = ...) -> None: ...

class Deadline(_message.Message):
    __slots__ = ("job_id", "owner", "peer", "name", "state", "reason", "clock", "stage")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    OWNER_FIELD_NUMBER: _ClassVar[int]
    PEER_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    CLOCK_FIELD_NUMBER: _ClassVar[int]
    STAGE_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    owner: str
    peer: str
    name: str
    state: str
    reason: str
    clock: _platform_pb2.PartClock
    stage: DeadlineStage
    def __init__(self, job_id: _Optional[str] = ..., owner: _Optional[str] = ..., peer: _Optional[str] = ..., name: _Optional[str] = ..., state: _Optional[str] = ..., reason: _Optional[str] = ..., clock: _Optional[_Union[_platform_pb2.PartClock, _Mapping]] = ..., stage: _Optional[_Union[DeadlineStage, str]] = ...) -> None: ...

class GetPeerTimesRequest(_message.Message):
    __slots__ = ("peer",)
    PEER_FIELD_NUMBER: _ClassVar[int]
    peer: str
    def __init__(self, peer: _Optional[str] = ...) -> None: ...

class GetPeerTimesResponse(_message.Message):
    __slots__ = ("attempts", "answered", "overdue", "within_days", "median_s", "most_s", "days")
    ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    ANSWERED_FIELD_NUMBER: _ClassVar[int]
    OVERDUE_FIELD_NUMBER: _ClassVar[int]
    WITHIN_DAYS_FIELD_NUMBER: _ClassVar[int]
    MEDIAN_S_FIELD_NUMBER: _ClassVar[int]
    MOST_S_FIELD_NUMBER: _ClassVar[int]
    DAYS_FIELD_NUMBER: _ClassVar[int]
    attempts: int
    answered: int
    overdue: int
    within_days: int
    median_s: float
    most_s: float
    days: int
    def __init__(self, attempts: _Optional[int] = ..., answered: _Optional[int] = ..., overdue: _Optional[int] = ..., within_days: _Optional[int] = ..., median_s: _Optional[float] = ..., most_s: _Optional[float] = ..., days: _Optional[int] = ...) -> None: ...

class GetStatisticsRequest(_message.Message):
    __slots__ = ("month",)
    MONTH_FIELD_NUMBER: _ClassVar[int]
    month: str
    def __init__(self, month: _Optional[str] = ...) -> None: ...

class GetStatisticsResponse(_message.Message):
    __slots__ = ("month", "in_time_days", "months", "units", "items", "peers", "refusals", "records", "entrusted")
    MONTH_FIELD_NUMBER: _ClassVar[int]
    IN_TIME_DAYS_FIELD_NUMBER: _ClassVar[int]
    MONTHS_FIELD_NUMBER: _ClassVar[int]
    UNITS_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    PEERS_FIELD_NUMBER: _ClassVar[int]
    REFUSALS_FIELD_NUMBER: _ClassVar[int]
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    ENTRUSTED_FIELD_NUMBER: _ClassVar[int]
    month: str
    in_time_days: int
    months: _containers.RepeatedCompositeFieldContainer[StatisticsRow]
    units: _containers.RepeatedCompositeFieldContainer[StatisticsRow]
    items: _containers.RepeatedCompositeFieldContainer[StatisticsRow]
    peers: _containers.RepeatedCompositeFieldContainer[StatisticsRow]
    refusals: _containers.RepeatedCompositeFieldContainer[StatisticsRow]
    records: _containers.RepeatedCompositeFieldContainer[StatisticsRow]
    entrusted: _containers.RepeatedCompositeFieldContainer[StatisticsRow]
    def __init__(self, month: _Optional[str] = ..., in_time_days: _Optional[int] = ..., months: _Optional[_Iterable[_Union[StatisticsRow, _Mapping]]] = ..., units: _Optional[_Iterable[_Union[StatisticsRow, _Mapping]]] = ..., items: _Optional[_Iterable[_Union[StatisticsRow, _Mapping]]] = ..., peers: _Optional[_Iterable[_Union[StatisticsRow, _Mapping]]] = ..., refusals: _Optional[_Iterable[_Union[StatisticsRow, _Mapping]]] = ..., records: _Optional[_Iterable[_Union[StatisticsRow, _Mapping]]] = ..., entrusted: _Optional[_Iterable[_Union[StatisticsRow, _Mapping]]] = ...) -> None: ...

class StatisticsRow(_message.Message):
    __slots__ = ("name", "cells")
    NAME_FIELD_NUMBER: _ClassVar[int]
    CELLS_FIELD_NUMBER: _ClassVar[int]
    name: str
    cells: _containers.RepeatedCompositeFieldContainer[StatisticsCell]
    def __init__(self, name: _Optional[str] = ..., cells: _Optional[_Iterable[_Union[StatisticsCell, _Mapping]]] = ...) -> None: ...

class StatisticsCell(_message.Message):
    __slots__ = ("count", "small")
    COUNT_FIELD_NUMBER: _ClassVar[int]
    SMALL_FIELD_NUMBER: _ClassVar[int]
    count: int
    small: bool
    def __init__(self, count: _Optional[int] = ..., small: _Optional[bool] = ...) -> None: ...
