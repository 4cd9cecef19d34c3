import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Quota(_message.Message):
    __slots__ = ("peer", "quota", "item", "limit", "used", "is_set", "reason")
    PEER_FIELD_NUMBER: _ClassVar[int]
    QUOTA_FIELD_NUMBER: _ClassVar[int]
    ITEM_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    USED_FIELD_NUMBER: _ClassVar[int]
    IS_SET_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    peer: str
    quota: str
    item: str
    limit: int
    used: int
    is_set: bool
    reason: str
    def __init__(self, peer: _Optional[str] = ..., quota: _Optional[str] = ..., item: _Optional[str] = ..., limit: _Optional[int] = ..., used: _Optional[int] = ..., is_set: _Optional[bool] = ..., reason: _Optional[str] = ...) -> None: ...

class ListQuotasRequest(_message.Message):
    __slots__ = ("peer",)
    PEER_FIELD_NUMBER: _ClassVar[int]
    peer: str
    def __init__(self, peer: _Optional[str] = ...) -> None: ...

class ListQuotasResponse(_message.Message):
    __slots__ = ("quotas", "dual_control")
    QUOTAS_FIELD_NUMBER: _ClassVar[int]
    DUAL_CONTROL_FIELD_NUMBER: _ClassVar[int]
    quotas: _containers.RepeatedCompositeFieldContainer[Quota]
    dual_control: bool
    def __init__(self, quotas: _Optional[_Iterable[_Union[Quota, _Mapping]]] = ..., dual_control: _Optional[bool] = ...) -> None: ...

class SetQuotaRequest(_message.Message):
    __slots__ = ("peer", "quota", "amount")
    PEER_FIELD_NUMBER: _ClassVar[int]
    QUOTA_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    peer: str
    quota: str
    amount: int
    def __init__(self, peer: _Optional[str] = ..., quota: _Optional[str] = ..., amount: _Optional[int] = ...) -> None: ...

class SetQuotaResponse(_message.Message):
    __slots__ = ("limit",)
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    limit: int
    def __init__(self, limit: _Optional[int] = ...) -> None: ...

class SuspendRequest(_message.Message):
    __slots__ = ("peer", "measure")
    PEER_FIELD_NUMBER: _ClassVar[int]
    MEASURE_FIELD_NUMBER: _ClassVar[int]
    peer: str
    measure: str
    def __init__(self, peer: _Optional[str] = ..., measure: _Optional[str] = ...) -> None: ...

class SuspendResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class LiftSuspensionRequest(_message.Message):
    __slots__ = ("peer", "measure")
    PEER_FIELD_NUMBER: _ClassVar[int]
    MEASURE_FIELD_NUMBER: _ClassVar[int]
    peer: str
    measure: str
    def __init__(self, peer: _Optional[str] = ..., measure: _Optional[str] = ...) -> None: ...

class LiftSuspensionResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Alert(_message.Message):
    __slots__ = ("peer", "quota", "item", "at", "percent", "rule")
    PEER_FIELD_NUMBER: _ClassVar[int]
    QUOTA_FIELD_NUMBER: _ClassVar[int]
    ITEM_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    PERCENT_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    peer: str
    quota: str
    item: str
    at: _timestamp_pb2.Timestamp
    percent: int
    rule: str
    def __init__(self, peer: _Optional[str] = ..., quota: _Optional[str] = ..., item: _Optional[str] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., percent: _Optional[int] = ..., rule: _Optional[str] = ...) -> None: ...

class ListAlertsRequest(_message.Message):
    __slots__ = ("peer", "limit", "offset")
    PEER_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    peer: str
    limit: int
    offset: int
    def __init__(self, peer: _Optional[str] = ..., limit: _Optional[int] = ..., offset: _Optional[int] = ...) -> None: ...

class ListAlertsResponse(_message.Message):
    __slots__ = ("alerts",)
    ALERTS_FIELD_NUMBER: _ClassVar[int]
    alerts: _containers.RepeatedCompositeFieldContainer[Alert]
    def __init__(self, alerts: _Optional[_Iterable[_Union[Alert, _Mapping]]] = ...) -> None: ...

class PeerGrants(_message.Message):
    __slots__ = ("peer", "name", "granted", "received", "received_at")
    PEER_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    GRANTED_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_AT_FIELD_NUMBER: _ClassVar[int]
    peer: str
    name: str
    granted: _containers.RepeatedScalarFieldContainer[str]
    received: _containers.RepeatedScalarFieldContainer[str]
    received_at: _timestamp_pb2.Timestamp
    def __init__(self, peer: _Optional[str] = ..., name: _Optional[str] = ..., granted: _Optional[_Iterable[str]] = ..., received: _Optional[_Iterable[str]] = ..., received_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ListGrantsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListGrantsResponse(_message.Message):
    __slots__ = ("peers", "dual_control")
    PEERS_FIELD_NUMBER: _ClassVar[int]
    DUAL_CONTROL_FIELD_NUMBER: _ClassVar[int]
    peers: _containers.RepeatedCompositeFieldContainer[PeerGrants]
    dual_control: bool
    def __init__(self, peers: _Optional[_Iterable[_Union[PeerGrants, _Mapping]]] = ..., dual_control: _Optional[bool] = ...) -> None: ...

class SetGrantsRequest(_message.Message):
    __slots__ = ("peer", "grants")
    PEER_FIELD_NUMBER: _ClassVar[int]
    GRANTS_FIELD_NUMBER: _ClassVar[int]
    peer: str
    grants: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, peer: _Optional[str] = ..., grants: _Optional[_Iterable[str]] = ...) -> None: ...

class SetGrantsResponse(_message.Message):
    __slots__ = ("granted",)
    GRANTED_FIELD_NUMBER: _ClassVar[int]
    granted: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, granted: _Optional[_Iterable[str]] = ...) -> None: ...
