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

class AlertChange(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ALERT_CHANGE_UNSPECIFIED: _ClassVar[AlertChange]
    ALERT_CHANGE_APPEARS: _ClassVar[AlertChange]
    ALERT_CHANGE_DISAPPEARS: _ClassVar[AlertChange]
    ALERT_CHANGE_COUNT_RISES: _ClassVar[AlertChange]
    ALERT_CHANGE_BAND_RISES: _ClassVar[AlertChange]
    ALERT_CHANGE_CODE_CHANGES: _ClassVar[AlertChange]
    ALERT_CHANGE_THRESHOLD_PASSES: _ClassVar[AlertChange]
ALERT_CHANGE_UNSPECIFIED: AlertChange
ALERT_CHANGE_APPEARS: AlertChange
ALERT_CHANGE_DISAPPEARS: AlertChange
ALERT_CHANGE_COUNT_RISES: AlertChange
ALERT_CHANGE_BAND_RISES: AlertChange
ALERT_CHANGE_CODE_CHANGES: AlertChange
ALERT_CHANGE_THRESHOLD_PASSES: AlertChange

class AddWatchRequest(_message.Message):
    __slots__ = ("list",)
    LIST_FIELD_NUMBER: _ClassVar[int]
    list: _platform_pb2.SubmitVerificationRequest
    def __init__(self, list: _Optional[_Union[_platform_pb2.SubmitVerificationRequest, _Mapping]] = ...) -> None: ...

class AddWatchResponse(_message.Message):
    __slots__ = ("watch_id", "existed", "job_id")
    WATCH_ID_FIELD_NUMBER: _ClassVar[int]
    EXISTED_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    watch_id: str
    existed: bool
    job_id: str
    def __init__(self, watch_id: _Optional[str] = ..., existed: _Optional[bool] = ..., job_id: _Optional[str] = ...) -> None: ...

class RunWatchRequest(_message.Message):
    __slots__ = ("watch_id", "peers")
    WATCH_ID_FIELD_NUMBER: _ClassVar[int]
    PEERS_FIELD_NUMBER: _ClassVar[int]
    watch_id: str
    peers: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, watch_id: _Optional[str] = ..., peers: _Optional[_Iterable[str]] = ...) -> None: ...

class RunWatchResponse(_message.Message):
    __slots__ = ("job_id",)
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    def __init__(self, job_id: _Optional[str] = ...) -> None: ...

class ListWatchesRequest(_message.Message):
    __slots__ = ("watch_id",)
    WATCH_ID_FIELD_NUMBER: _ClassVar[int]
    watch_id: str
    def __init__(self, watch_id: _Optional[str] = ...) -> None: ...

class ListWatchesResponse(_message.Message):
    __slots__ = ("watches", "thresholds", "thresholds_unusable")
    WATCHES_FIELD_NUMBER: _ClassVar[int]
    THRESHOLDS_FIELD_NUMBER: _ClassVar[int]
    THRESHOLDS_UNUSABLE_FIELD_NUMBER: _ClassVar[int]
    watches: _containers.RepeatedCompositeFieldContainer[Watch]
    thresholds: str
    thresholds_unusable: bool
    def __init__(self, watches: _Optional[_Iterable[_Union[Watch, _Mapping]]] = ..., thresholds: _Optional[str] = ..., thresholds_unusable: _Optional[bool] = ...) -> None: ...

class Watch(_message.Message):
    __slots__ = ("watch_id", "owner", "items", "peers", "legal_basis", "people", "added_at", "looks", "open_alerts")
    WATCH_ID_FIELD_NUMBER: _ClassVar[int]
    OWNER_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    PEERS_FIELD_NUMBER: _ClassVar[int]
    LEGAL_BASIS_FIELD_NUMBER: _ClassVar[int]
    PEOPLE_FIELD_NUMBER: _ClassVar[int]
    ADDED_AT_FIELD_NUMBER: _ClassVar[int]
    LOOKS_FIELD_NUMBER: _ClassVar[int]
    OPEN_ALERTS_FIELD_NUMBER: _ClassVar[int]
    watch_id: str
    owner: str
    items: _containers.RepeatedScalarFieldContainer[str]
    peers: _containers.RepeatedScalarFieldContainer[str]
    legal_basis: str
    people: int
    added_at: _timestamp_pb2.Timestamp
    looks: _containers.RepeatedCompositeFieldContainer[WatchLook]
    open_alerts: int
    def __init__(self, watch_id: _Optional[str] = ..., owner: _Optional[str] = ..., items: _Optional[_Iterable[str]] = ..., peers: _Optional[_Iterable[str]] = ..., legal_basis: _Optional[str] = ..., people: _Optional[int] = ..., added_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., looks: _Optional[_Iterable[_Union[WatchLook, _Mapping]]] = ..., open_alerts: _Optional[int] = ...) -> None: ...

class WatchLook(_message.Message):
    __slots__ = ("peer", "look", "epoch", "issued_at", "looked_at", "plan", "reason", "tokens")
    PEER_FIELD_NUMBER: _ClassVar[int]
    LOOK_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    ISSUED_AT_FIELD_NUMBER: _ClassVar[int]
    LOOKED_AT_FIELD_NUMBER: _ClassVar[int]
    PLAN_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    TOKENS_FIELD_NUMBER: _ClassVar[int]
    peer: str
    look: int
    epoch: int
    issued_at: _timestamp_pb2.Timestamp
    looked_at: _timestamp_pb2.Timestamp
    plan: str
    reason: str
    tokens: _containers.RepeatedCompositeFieldContainer[KeptTokens]
    def __init__(self, peer: _Optional[str] = ..., look: _Optional[int] = ..., epoch: _Optional[int] = ..., issued_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., looked_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., plan: _Optional[str] = ..., reason: _Optional[str] = ..., tokens: _Optional[_Iterable[_Union[KeptTokens, _Mapping]]] = ...) -> None: ...

class KeptTokens(_message.Message):
    __slots__ = ("token_class", "epoch", "until", "people")
    TOKEN_CLASS_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    UNTIL_FIELD_NUMBER: _ClassVar[int]
    PEOPLE_FIELD_NUMBER: _ClassVar[int]
    token_class: str
    epoch: int
    until: str
    people: int
    def __init__(self, token_class: _Optional[str] = ..., epoch: _Optional[int] = ..., until: _Optional[str] = ..., people: _Optional[int] = ...) -> None: ...

class RemoveWatchRequest(_message.Message):
    __slots__ = ("watch_id", "refs")
    WATCH_ID_FIELD_NUMBER: _ClassVar[int]
    REFS_FIELD_NUMBER: _ClassVar[int]
    watch_id: str
    refs: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, watch_id: _Optional[str] = ..., refs: _Optional[_Iterable[str]] = ...) -> None: ...

class RemoveWatchResponse(_message.Message):
    __slots__ = ("removed",)
    REMOVED_FIELD_NUMBER: _ClassVar[int]
    removed: int
    def __init__(self, removed: _Optional[int] = ...) -> None: ...

class ListAlertsRequest(_message.Message):
    __slots__ = ("after", "limit", "watch_id", "open_only", "before", "newest_first")
    AFTER_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    WATCH_ID_FIELD_NUMBER: _ClassVar[int]
    OPEN_ONLY_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    NEWEST_FIRST_FIELD_NUMBER: _ClassVar[int]
    after: int
    limit: int
    watch_id: str
    open_only: bool
    before: int
    newest_first: bool
    def __init__(self, after: _Optional[int] = ..., limit: _Optional[int] = ..., watch_id: _Optional[str] = ..., open_only: _Optional[bool] = ..., before: _Optional[int] = ..., newest_first: _Optional[bool] = ...) -> None: ...

class ListAlertsResponse(_message.Message):
    __slots__ = ("alerts",)
    ALERTS_FIELD_NUMBER: _ClassVar[int]
    alerts: _containers.RepeatedCompositeFieldContainer[Alert]
    def __init__(self, alerts: _Optional[_Iterable[_Union[Alert, _Mapping]]] = ...) -> None: ...

class Alert(_message.Message):
    __slots__ = ("seq", "alert_id", "watch_id", "owner", "ref", "item", "peer", "change", "before", "now", "thresholds", "cause_zh", "cause_en", "at", "acknowledged_at", "acknowledged_by", "note")
    SEQ_FIELD_NUMBER: _ClassVar[int]
    ALERT_ID_FIELD_NUMBER: _ClassVar[int]
    WATCH_ID_FIELD_NUMBER: _ClassVar[int]
    OWNER_FIELD_NUMBER: _ClassVar[int]
    REF_FIELD_NUMBER: _ClassVar[int]
    ITEM_FIELD_NUMBER: _ClassVar[int]
    PEER_FIELD_NUMBER: _ClassVar[int]
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    THRESHOLDS_FIELD_NUMBER: _ClassVar[int]
    CAUSE_ZH_FIELD_NUMBER: _ClassVar[int]
    CAUSE_EN_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    ACKNOWLEDGED_AT_FIELD_NUMBER: _ClassVar[int]
    ACKNOWLEDGED_BY_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    seq: int
    alert_id: str
    watch_id: str
    owner: str
    ref: str
    item: str
    peer: str
    change: AlertChange
    before: AlertAnswer
    now: AlertAnswer
    thresholds: str
    cause_zh: str
    cause_en: str
    at: _timestamp_pb2.Timestamp
    acknowledged_at: _timestamp_pb2.Timestamp
    acknowledged_by: str
    note: str
    def __init__(self, seq: _Optional[int] = ..., alert_id: _Optional[str] = ..., watch_id: _Optional[str] = ..., owner: _Optional[str] = ..., ref: _Optional[str] = ..., item: _Optional[str] = ..., peer: _Optional[str] = ..., change: _Optional[_Union[AlertChange, str]] = ..., before: _Optional[_Union[AlertAnswer, _Mapping]] = ..., now: _Optional[_Union[AlertAnswer, _Mapping]] = ..., thresholds: _Optional[str] = ..., cause_zh: _Optional[str] = ..., cause_en: _Optional[str] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., acknowledged_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., acknowledged_by: _Optional[str] = ..., note: _Optional[str] = ...) -> None: ...

class AlertAnswer(_message.Message):
    __slots__ = ("outcome", "value", "as_of")
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    outcome: _platform_pb2.Outcome
    value: int
    as_of: str
    def __init__(self, outcome: _Optional[_Union[_platform_pb2.Outcome, str]] = ..., value: _Optional[int] = ..., as_of: _Optional[str] = ...) -> None: ...

class AcknowledgeAlertsRequest(_message.Message):
    __slots__ = ("alert_ids", "note")
    ALERT_IDS_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    alert_ids: _containers.RepeatedScalarFieldContainer[str]
    note: str
    def __init__(self, alert_ids: _Optional[_Iterable[str]] = ..., note: _Optional[str] = ...) -> None: ...

class AcknowledgeAlertsResponse(_message.Message):
    __slots__ = ("acknowledged",)
    ACKNOWLEDGED_FIELD_NUMBER: _ClassVar[int]
    acknowledged: int
    def __init__(self, acknowledged: _Optional[int] = ...) -> None: ...

class WatchAlertsRequest(_message.Message):
    __slots__ = ("after",)
    AFTER_FIELD_NUMBER: _ClassVar[int]
    after: int
    def __init__(self, after: _Optional[int] = ...) -> None: ...

class WatchAlertsResponse(_message.Message):
    __slots__ = ("alert",)
    ALERT_FIELD_NUMBER: _ClassVar[int]
    alert: Alert
    def __init__(self, alert: _Optional[_Union[Alert, _Mapping]] = ...) -> None: ...
