import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class PeerState(_message.Message):
    __slots__ = ("code", "name", "address", "fingerprint", "allow_platforms", "paused", "granted", "manifest_at", "asked_at", "mirrored", "mirrorable", "registered_at", "certificate", "certificate_from", "certificate_until", "certificate_ends_soon")
    CODE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
    ALLOW_PLATFORMS_FIELD_NUMBER: _ClassVar[int]
    PAUSED_FIELD_NUMBER: _ClassVar[int]
    GRANTED_FIELD_NUMBER: _ClassVar[int]
    MANIFEST_AT_FIELD_NUMBER: _ClassVar[int]
    ASKED_AT_FIELD_NUMBER: _ClassVar[int]
    MIRRORED_FIELD_NUMBER: _ClassVar[int]
    MIRRORABLE_FIELD_NUMBER: _ClassVar[int]
    REGISTERED_AT_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_FROM_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_UNTIL_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_ENDS_SOON_FIELD_NUMBER: _ClassVar[int]
    code: str
    name: str
    address: str
    fingerprint: str
    allow_platforms: bool
    paused: bool
    granted: _containers.RepeatedScalarFieldContainer[str]
    manifest_at: _timestamp_pb2.Timestamp
    asked_at: _timestamp_pb2.Timestamp
    mirrored: int
    mirrorable: int
    registered_at: _timestamp_pb2.Timestamp
    certificate: str
    certificate_from: _timestamp_pb2.Timestamp
    certificate_until: _timestamp_pb2.Timestamp
    certificate_ends_soon: bool
    def __init__(self, code: _Optional[str] = ..., name: _Optional[str] = ..., address: _Optional[str] = ..., fingerprint: _Optional[str] = ..., allow_platforms: _Optional[bool] = ..., paused: _Optional[bool] = ..., granted: _Optional[_Iterable[str]] = ..., manifest_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., asked_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., mirrored: _Optional[int] = ..., mirrorable: _Optional[int] = ..., registered_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., certificate: _Optional[str] = ..., certificate_from: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., certificate_until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., certificate_ends_soon: _Optional[bool] = ...) -> None: ...

class ListPeerStatesRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListPeerStatesResponse(_message.Message):
    __slots__ = ("peers", "dual_control")
    PEERS_FIELD_NUMBER: _ClassVar[int]
    DUAL_CONTROL_FIELD_NUMBER: _ClassVar[int]
    peers: _containers.RepeatedCompositeFieldContainer[PeerState]
    dual_control: bool
    def __init__(self, peers: _Optional[_Iterable[_Union[PeerState, _Mapping]]] = ..., dual_control: _Optional[bool] = ...) -> None: ...

class AddPeerRequest(_message.Message):
    __slots__ = ("card", "fingerprint", "address", "allow_platforms")
    CARD_FIELD_NUMBER: _ClassVar[int]
    FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    ALLOW_PLATFORMS_FIELD_NUMBER: _ClassVar[int]
    card: bytes
    fingerprint: str
    address: str
    allow_platforms: bool
    def __init__(self, card: _Optional[bytes] = ..., fingerprint: _Optional[str] = ..., address: _Optional[str] = ..., allow_platforms: _Optional[bool] = ...) -> None: ...

class AddPeerResponse(_message.Message):
    __slots__ = ("code",)
    CODE_FIELD_NUMBER: _ClassVar[int]
    code: str
    def __init__(self, code: _Optional[str] = ...) -> None: ...

class TestStep(_message.Message):
    __slots__ = ("step", "good", "text", "hint")
    STEP_FIELD_NUMBER: _ClassVar[int]
    GOOD_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    HINT_FIELD_NUMBER: _ClassVar[int]
    step: str
    good: bool
    text: str
    hint: str
    def __init__(self, step: _Optional[str] = ..., good: _Optional[bool] = ..., text: _Optional[str] = ..., hint: _Optional[str] = ...) -> None: ...

class TestPeerRequest(_message.Message):
    __slots__ = ("code",)
    CODE_FIELD_NUMBER: _ClassVar[int]
    code: str
    def __init__(self, code: _Optional[str] = ...) -> None: ...

class TestPeerResponse(_message.Message):
    __slots__ = ("steps",)
    STEPS_FIELD_NUMBER: _ClassVar[int]
    steps: _containers.RepeatedCompositeFieldContainer[TestStep]
    def __init__(self, steps: _Optional[_Iterable[_Union[TestStep, _Mapping]]] = ...) -> None: ...

class PausePeerRequest(_message.Message):
    __slots__ = ("code",)
    CODE_FIELD_NUMBER: _ClassVar[int]
    code: str
    def __init__(self, code: _Optional[str] = ...) -> None: ...

class PausePeerResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ResumePeerRequest(_message.Message):
    __slots__ = ("code",)
    CODE_FIELD_NUMBER: _ClassVar[int]
    code: str
    def __init__(self, code: _Optional[str] = ...) -> None: ...

class ResumePeerResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class RemovePeerRequest(_message.Message):
    __slots__ = ("code",)
    CODE_FIELD_NUMBER: _ClassVar[int]
    code: str
    def __init__(self, code: _Optional[str] = ...) -> None: ...

class RemovePeerResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...
