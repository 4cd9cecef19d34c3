import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class IncomingQuery(_message.Message):
    __slots__ = ("peer", "kind", "at", "items", "purpose", "legal_basis", "size_class", "mandate_root", "state", "rule", "epoch", "ended_at")
    PEER_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    LEGAL_BASIS_FIELD_NUMBER: _ClassVar[int]
    SIZE_CLASS_FIELD_NUMBER: _ClassVar[int]
    MANDATE_ROOT_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    ENDED_AT_FIELD_NUMBER: _ClassVar[int]
    peer: str
    kind: str
    at: _timestamp_pb2.Timestamp
    items: _containers.RepeatedScalarFieldContainer[str]
    purpose: str
    legal_basis: str
    size_class: int
    mandate_root: bytes
    state: str
    rule: str
    epoch: int
    ended_at: _timestamp_pb2.Timestamp
    def __init__(self, peer: _Optional[str] = ..., kind: _Optional[str] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., items: _Optional[_Iterable[str]] = ..., purpose: _Optional[str] = ..., legal_basis: _Optional[str] = ..., size_class: _Optional[int] = ..., mandate_root: _Optional[bytes] = ..., state: _Optional[str] = ..., rule: _Optional[str] = ..., epoch: _Optional[int] = ..., ended_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ListIncomingQueriesRequest(_message.Message):
    __slots__ = ("peer", "limit", "offset")
    PEER_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    peer: str
    limit: int
    offset: int
    def __init__(self, peer: _Optional[str] = ..., limit: _Optional[int] = ..., offset: _Optional[int] = ...) -> None: ...

class ListIncomingQueriesResponse(_message.Message):
    __slots__ = ("queries", "total")
    QUERIES_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    queries: _containers.RepeatedCompositeFieldContainer[IncomingQuery]
    total: int
    def __init__(self, queries: _Optional[_Iterable[_Union[IncomingQuery, _Mapping]]] = ..., total: _Optional[int] = ...) -> None: ...

class EventFilter(_message.Message):
    __slots__ = ("event", "user", "peer", "from_day", "to_day")
    EVENT_FIELD_NUMBER: _ClassVar[int]
    USER_FIELD_NUMBER: _ClassVar[int]
    PEER_FIELD_NUMBER: _ClassVar[int]
    FROM_DAY_FIELD_NUMBER: _ClassVar[int]
    TO_DAY_FIELD_NUMBER: _ClassVar[int]
    event: str
    user: str
    peer: str
    from_day: str
    to_day: str
    def __init__(self, event: _Optional[str] = ..., user: _Optional[str] = ..., peer: _Optional[str] = ..., from_day: _Optional[str] = ..., to_day: _Optional[str] = ...) -> None: ...

class Event(_message.Message):
    __slots__ = ("seq", "at", "event", "details", "digest")
    SEQ_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    EVENT_FIELD_NUMBER: _ClassVar[int]
    DETAILS_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    seq: int
    at: _timestamp_pb2.Timestamp
    event: str
    details: str
    digest: bytes
    def __init__(self, seq: _Optional[int] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., event: _Optional[str] = ..., details: _Optional[str] = ..., digest: _Optional[bytes] = ...) -> None: ...

class ListEventsRequest(_message.Message):
    __slots__ = ("filter", "limit", "offset")
    FILTER_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    filter: EventFilter
    limit: int
    offset: int
    def __init__(self, filter: _Optional[_Union[EventFilter, _Mapping]] = ..., limit: _Optional[int] = ..., offset: _Optional[int] = ...) -> None: ...

class ListEventsResponse(_message.Message):
    __slots__ = ("events", "total")
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    events: _containers.RepeatedCompositeFieldContainer[Event]
    total: int
    def __init__(self, events: _Optional[_Iterable[_Union[Event, _Mapping]]] = ..., total: _Optional[int] = ...) -> None: ...

class ExportEventsRequest(_message.Message):
    __slots__ = ("filter",)
    FILTER_FIELD_NUMBER: _ClassVar[int]
    filter: EventFilter
    def __init__(self, filter: _Optional[_Union[EventFilter, _Mapping]] = ...) -> None: ...

class ExportEventsResponse(_message.Message):
    __slots__ = ("events",)
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    events: _containers.RepeatedCompositeFieldContainer[Event]
    def __init__(self, events: _Optional[_Iterable[_Union[Event, _Mapping]]] = ...) -> None: ...

class VerifyChainRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class VerifyChainResponse(_message.Message):
    __slots__ = ("events", "broken_at", "head")
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    BROKEN_AT_FIELD_NUMBER: _ClassVar[int]
    HEAD_FIELD_NUMBER: _ClassVar[int]
    events: int
    broken_at: int
    head: bytes
    def __init__(self, events: _Optional[int] = ..., broken_at: _Optional[int] = ..., head: _Optional[bytes] = ...) -> None: ...

class Source(_message.Message):
    __slots__ = ("item", "title", "kind", "at", "every", "next_at", "last_state", "last_at", "last_code", "last_rows", "fault", "last_account", "file", "at_line", "every_line")
    ITEM_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    EVERY_FIELD_NUMBER: _ClassVar[int]
    NEXT_AT_FIELD_NUMBER: _ClassVar[int]
    LAST_STATE_FIELD_NUMBER: _ClassVar[int]
    LAST_AT_FIELD_NUMBER: _ClassVar[int]
    LAST_CODE_FIELD_NUMBER: _ClassVar[int]
    LAST_ROWS_FIELD_NUMBER: _ClassVar[int]
    FAULT_FIELD_NUMBER: _ClassVar[int]
    LAST_ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    FILE_FIELD_NUMBER: _ClassVar[int]
    AT_LINE_FIELD_NUMBER: _ClassVar[int]
    EVERY_LINE_FIELD_NUMBER: _ClassVar[int]
    item: str
    title: str
    kind: str
    at: str
    every: str
    next_at: _timestamp_pb2.Timestamp
    last_state: str
    last_at: _timestamp_pb2.Timestamp
    last_code: str
    last_rows: int
    fault: str
    last_account: str
    file: str
    at_line: int
    every_line: int
    def __init__(self, item: _Optional[str] = ..., title: _Optional[str] = ..., kind: _Optional[str] = ..., at: _Optional[str] = ..., every: _Optional[str] = ..., next_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., last_state: _Optional[str] = ..., last_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., last_code: _Optional[str] = ..., last_rows: _Optional[int] = ..., fault: _Optional[str] = ..., last_account: _Optional[str] = ..., file: _Optional[str] = ..., at_line: _Optional[int] = ..., every_line: _Optional[int] = ...) -> None: ...

class ListSourcesRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListSourcesResponse(_message.Message):
    __slots__ = ("sources",)
    SOURCES_FIELD_NUMBER: _ClassVar[int]
    sources: _containers.RepeatedCompositeFieldContainer[Source]
    def __init__(self, sources: _Optional[_Iterable[_Union[Source, _Mapping]]] = ...) -> None: ...

class Import(_message.Message):
    __slots__ = ("item", "mode", "finished_at", "read", "accepted", "duplicates", "rejected", "reasons", "held", "warnings", "number")
    class ReasonsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    ITEM_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    FINISHED_AT_FIELD_NUMBER: _ClassVar[int]
    READ_FIELD_NUMBER: _ClassVar[int]
    ACCEPTED_FIELD_NUMBER: _ClassVar[int]
    DUPLICATES_FIELD_NUMBER: _ClassVar[int]
    REJECTED_FIELD_NUMBER: _ClassVar[int]
    REASONS_FIELD_NUMBER: _ClassVar[int]
    HELD_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    item: str
    mode: str
    finished_at: _timestamp_pb2.Timestamp
    read: int
    accepted: int
    duplicates: int
    rejected: int
    reasons: _containers.ScalarMap[str, int]
    held: int
    warnings: int
    number: int
    def __init__(self, item: _Optional[str] = ..., mode: _Optional[str] = ..., finished_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., read: _Optional[int] = ..., accepted: _Optional[int] = ..., duplicates: _Optional[int] = ..., rejected: _Optional[int] = ..., reasons: _Optional[_Mapping[str, int]] = ..., held: _Optional[int] = ..., warnings: _Optional[int] = ..., number: _Optional[int] = ...) -> None: ...

class ItemState(_message.Message):
    __slots__ = ("item", "entries", "as_of", "fresh")
    ITEM_FIELD_NUMBER: _ClassVar[int]
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    FRESH_FIELD_NUMBER: _ClassVar[int]
    item: str
    entries: int
    as_of: str
    fresh: bool
    def __init__(self, item: _Optional[str] = ..., entries: _Optional[int] = ..., as_of: _Optional[str] = ..., fresh: _Optional[bool] = ...) -> None: ...

class ListImportsRequest(_message.Message):
    __slots__ = ("limit", "offset")
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    limit: int
    offset: int
    def __init__(self, limit: _Optional[int] = ..., offset: _Optional[int] = ...) -> None: ...

class ListImportsResponse(_message.Message):
    __slots__ = ("imports", "total", "items")
    IMPORTS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    imports: _containers.RepeatedCompositeFieldContainer[Import]
    total: int
    items: _containers.RepeatedCompositeFieldContainer[ItemState]
    def __init__(self, imports: _Optional[_Iterable[_Union[Import, _Mapping]]] = ..., total: _Optional[int] = ..., items: _Optional[_Iterable[_Union[ItemState, _Mapping]]] = ...) -> None: ...
