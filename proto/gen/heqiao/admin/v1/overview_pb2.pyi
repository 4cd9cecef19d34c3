import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class HealthCard(_message.Message):
    __slots__ = ("name", "state", "text", "hint", "facts", "checked_at", "advice")
    class FactsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    NAME_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    HINT_FIELD_NUMBER: _ClassVar[int]
    FACTS_FIELD_NUMBER: _ClassVar[int]
    CHECKED_AT_FIELD_NUMBER: _ClassVar[int]
    ADVICE_FIELD_NUMBER: _ClassVar[int]
    name: str
    state: str
    text: str
    hint: str
    facts: _containers.ScalarMap[str, str]
    checked_at: _timestamp_pb2.Timestamp
    advice: str
    def __init__(self, name: _Optional[str] = ..., state: _Optional[str] = ..., text: _Optional[str] = ..., hint: _Optional[str] = ..., facts: _Optional[_Mapping[str, str]] = ..., checked_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., advice: _Optional[str] = ...) -> None: ...

class GetHealthRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetHealthResponse(_message.Message):
    __slots__ = ("cards",)
    CARDS_FIELD_NUMBER: _ClassVar[int]
    cards: _containers.RepeatedCompositeFieldContainer[HealthCard]
    def __init__(self, cards: _Optional[_Iterable[_Union[HealthCard, _Mapping]]] = ...) -> None: ...

class Key(_message.Message):
    __slots__ = ("purpose", "epoch", "state", "fingerprint", "made_at", "due_at", "grace_until", "problems", "kept", "action")
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
    MADE_AT_FIELD_NUMBER: _ClassVar[int]
    DUE_AT_FIELD_NUMBER: _ClassVar[int]
    GRACE_UNTIL_FIELD_NUMBER: _ClassVar[int]
    PROBLEMS_FIELD_NUMBER: _ClassVar[int]
    KEPT_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    purpose: str
    epoch: int
    state: str
    fingerprint: str
    made_at: _timestamp_pb2.Timestamp
    due_at: _timestamp_pb2.Timestamp
    grace_until: _timestamp_pb2.Timestamp
    problems: _containers.RepeatedScalarFieldContainer[str]
    kept: str
    action: str
    def __init__(self, purpose: _Optional[str] = ..., epoch: _Optional[int] = ..., state: _Optional[str] = ..., fingerprint: _Optional[str] = ..., made_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., due_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., grace_until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., problems: _Optional[_Iterable[str]] = ..., kept: _Optional[str] = ..., action: _Optional[str] = ...) -> None: ...

class DueStep(_message.Message):
    __slots__ = ("purpose", "epoch", "action", "reason")
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    purpose: str
    epoch: int
    action: str
    reason: str
    def __init__(self, purpose: _Optional[str] = ..., epoch: _Optional[int] = ..., action: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class EpochOfPeer(_message.Message):
    __slots__ = ("peer", "purpose", "epoch", "at", "behind")
    PEER_FIELD_NUMBER: _ClassVar[int]
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    BEHIND_FIELD_NUMBER: _ClassVar[int]
    peer: str
    purpose: str
    epoch: int
    at: _timestamp_pb2.Timestamp
    behind: bool
    def __init__(self, peer: _Optional[str] = ..., purpose: _Optional[str] = ..., epoch: _Optional[int] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., behind: _Optional[bool] = ...) -> None: ...

class GetKeysRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetKeysResponse(_message.Message):
    __slots__ = ("keys", "problems", "certificate_until", "due", "peers", "backup_at", "dual_control", "unsaved")
    KEYS_FIELD_NUMBER: _ClassVar[int]
    PROBLEMS_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_UNTIL_FIELD_NUMBER: _ClassVar[int]
    DUE_FIELD_NUMBER: _ClassVar[int]
    PEERS_FIELD_NUMBER: _ClassVar[int]
    BACKUP_AT_FIELD_NUMBER: _ClassVar[int]
    DUAL_CONTROL_FIELD_NUMBER: _ClassVar[int]
    UNSAVED_FIELD_NUMBER: _ClassVar[int]
    keys: _containers.RepeatedCompositeFieldContainer[Key]
    problems: _containers.RepeatedScalarFieldContainer[str]
    certificate_until: _timestamp_pb2.Timestamp
    due: _containers.RepeatedCompositeFieldContainer[DueStep]
    peers: _containers.RepeatedCompositeFieldContainer[EpochOfPeer]
    backup_at: _timestamp_pb2.Timestamp
    dual_control: bool
    unsaved: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, keys: _Optional[_Iterable[_Union[Key, _Mapping]]] = ..., problems: _Optional[_Iterable[str]] = ..., certificate_until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., due: _Optional[_Iterable[_Union[DueStep, _Mapping]]] = ..., peers: _Optional[_Iterable[_Union[EpochOfPeer, _Mapping]]] = ..., backup_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., dual_control: _Optional[bool] = ..., unsaved: _Optional[_Iterable[str]] = ...) -> None: ...
