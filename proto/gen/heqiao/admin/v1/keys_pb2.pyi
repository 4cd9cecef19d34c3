import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Backup(_message.Message):
    __slots__ = ("at", "fingerprint", "recipients", "shares_needed", "shares_made", "holders", "file", "asked_by", "approved_by", "keys")
    AT_FIELD_NUMBER: _ClassVar[int]
    FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
    RECIPIENTS_FIELD_NUMBER: _ClassVar[int]
    SHARES_NEEDED_FIELD_NUMBER: _ClassVar[int]
    SHARES_MADE_FIELD_NUMBER: _ClassVar[int]
    HOLDERS_FIELD_NUMBER: _ClassVar[int]
    FILE_FIELD_NUMBER: _ClassVar[int]
    ASKED_BY_FIELD_NUMBER: _ClassVar[int]
    APPROVED_BY_FIELD_NUMBER: _ClassVar[int]
    KEYS_FIELD_NUMBER: _ClassVar[int]
    at: _timestamp_pb2.Timestamp
    fingerprint: str
    recipients: int
    shares_needed: int
    shares_made: int
    holders: _containers.RepeatedScalarFieldContainer[str]
    file: str
    asked_by: str
    approved_by: str
    keys: int
    def __init__(self, at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., fingerprint: _Optional[str] = ..., recipients: _Optional[int] = ..., shares_needed: _Optional[int] = ..., shares_made: _Optional[int] = ..., holders: _Optional[_Iterable[str]] = ..., file: _Optional[str] = ..., asked_by: _Optional[str] = ..., approved_by: _Optional[str] = ..., keys: _Optional[int] = ...) -> None: ...

class ShareHolder(_message.Message):
    __slots__ = ("name", "fingerprint")
    NAME_FIELD_NUMBER: _ClassVar[int]
    FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
    name: str
    fingerprint: str
    def __init__(self, name: _Optional[str] = ..., fingerprint: _Optional[str] = ...) -> None: ...

class ListBackupsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListBackupsResponse(_message.Message):
    __slots__ = ("backups", "unsaved", "holders", "shares_needed", "dual_control", "problem", "has_room", "code")
    BACKUPS_FIELD_NUMBER: _ClassVar[int]
    UNSAVED_FIELD_NUMBER: _ClassVar[int]
    HOLDERS_FIELD_NUMBER: _ClassVar[int]
    SHARES_NEEDED_FIELD_NUMBER: _ClassVar[int]
    DUAL_CONTROL_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    HAS_ROOM_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    backups: _containers.RepeatedCompositeFieldContainer[Backup]
    unsaved: _containers.RepeatedScalarFieldContainer[str]
    holders: _containers.RepeatedCompositeFieldContainer[ShareHolder]
    shares_needed: int
    dual_control: bool
    problem: str
    has_room: bool
    code: str
    def __init__(self, backups: _Optional[_Iterable[_Union[Backup, _Mapping]]] = ..., unsaved: _Optional[_Iterable[str]] = ..., holders: _Optional[_Iterable[_Union[ShareHolder, _Mapping]]] = ..., shares_needed: _Optional[int] = ..., dual_control: _Optional[bool] = ..., problem: _Optional[str] = ..., has_room: _Optional[bool] = ..., code: _Optional[str] = ...) -> None: ...

class MakeBackupRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class MakeBackupResponse(_message.Message):
    __slots__ = ("file", "fingerprint")
    FILE_FIELD_NUMBER: _ClassVar[int]
    FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
    file: str
    fingerprint: str
    def __init__(self, file: _Optional[str] = ..., fingerprint: _Optional[str] = ...) -> None: ...

class MissingItem(_message.Message):
    __slots__ = ("item", "partitions", "sums")
    ITEM_FIELD_NUMBER: _ClassVar[int]
    PARTITIONS_FIELD_NUMBER: _ClassVar[int]
    SUMS_FIELD_NUMBER: _ClassVar[int]
    item: str
    partitions: int
    sums: bool
    def __init__(self, item: _Optional[str] = ..., partitions: _Optional[int] = ..., sums: _Optional[bool] = ...) -> None: ...

class OldSalt(_message.Message):
    __slots__ = ("version", "state", "grace_until")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    GRACE_UNTIL_FIELD_NUMBER: _ClassVar[int]
    version: int
    state: str
    grace_until: _timestamp_pb2.Timestamp
    def __init__(self, version: _Optional[int] = ..., state: _Optional[str] = ..., grace_until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class SaltOfPeer(_message.Message):
    __slots__ = ("peer", "offers", "at", "behind")
    PEER_FIELD_NUMBER: _ClassVar[int]
    OFFERS_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    BEHIND_FIELD_NUMBER: _ClassVar[int]
    peer: str
    offers: int
    at: _timestamp_pb2.Timestamp
    behind: bool
    def __init__(self, peer: _Optional[str] = ..., offers: _Optional[int] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., behind: _Optional[bool] = ...) -> None: ...

class GetKeyChangesRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetKeyChangesResponse(_message.Message):
    __slots__ = ("certificate_until", "tls_epoch", "tls_pending", "request_fingerprint", "salt_version", "next_salt", "salt_state", "missing", "old_salts", "peers", "salt_grace_days", "dual_control", "code")
    CERTIFICATE_UNTIL_FIELD_NUMBER: _ClassVar[int]
    TLS_EPOCH_FIELD_NUMBER: _ClassVar[int]
    TLS_PENDING_FIELD_NUMBER: _ClassVar[int]
    REQUEST_FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
    SALT_VERSION_FIELD_NUMBER: _ClassVar[int]
    NEXT_SALT_FIELD_NUMBER: _ClassVar[int]
    SALT_STATE_FIELD_NUMBER: _ClassVar[int]
    MISSING_FIELD_NUMBER: _ClassVar[int]
    OLD_SALTS_FIELD_NUMBER: _ClassVar[int]
    PEERS_FIELD_NUMBER: _ClassVar[int]
    SALT_GRACE_DAYS_FIELD_NUMBER: _ClassVar[int]
    DUAL_CONTROL_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    certificate_until: _timestamp_pb2.Timestamp
    tls_epoch: int
    tls_pending: int
    request_fingerprint: str
    salt_version: int
    next_salt: int
    salt_state: str
    missing: _containers.RepeatedCompositeFieldContainer[MissingItem]
    old_salts: _containers.RepeatedCompositeFieldContainer[OldSalt]
    peers: _containers.RepeatedCompositeFieldContainer[SaltOfPeer]
    salt_grace_days: int
    dual_control: bool
    code: str
    def __init__(self, certificate_until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., tls_epoch: _Optional[int] = ..., tls_pending: _Optional[int] = ..., request_fingerprint: _Optional[str] = ..., salt_version: _Optional[int] = ..., next_salt: _Optional[int] = ..., salt_state: _Optional[str] = ..., missing: _Optional[_Iterable[_Union[MissingItem, _Mapping]]] = ..., old_salts: _Optional[_Iterable[_Union[OldSalt, _Mapping]]] = ..., peers: _Optional[_Iterable[_Union[SaltOfPeer, _Mapping]]] = ..., salt_grace_days: _Optional[int] = ..., dual_control: _Optional[bool] = ..., code: _Optional[str] = ...) -> None: ...

class RequestCertificateRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class RequestCertificateResponse(_message.Message):
    __slots__ = ("fingerprint",)
    FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
    fingerprint: str
    def __init__(self, fingerprint: _Optional[str] = ...) -> None: ...

class GetCertificateRequestRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetCertificateRequestResponse(_message.Message):
    __slots__ = ("content", "fingerprint")
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
    content: bytes
    fingerprint: str
    def __init__(self, content: _Optional[bytes] = ..., fingerprint: _Optional[str] = ...) -> None: ...

class TakeBundleRequest(_message.Message):
    __slots__ = ("content",)
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    content: bytes
    def __init__(self, content: _Optional[bytes] = ...) -> None: ...

class TakeBundleResponse(_message.Message):
    __slots__ = ("certificate_until", "salt_version")
    CERTIFICATE_UNTIL_FIELD_NUMBER: _ClassVar[int]
    SALT_VERSION_FIELD_NUMBER: _ClassVar[int]
    certificate_until: _timestamp_pb2.Timestamp
    salt_version: int
    def __init__(self, certificate_until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., salt_version: _Optional[int] = ...) -> None: ...

class ChangeSaltRequest(_message.Message):
    __slots__ = ("step",)
    STEP_FIELD_NUMBER: _ClassVar[int]
    step: str
    def __init__(self, step: _Optional[str] = ...) -> None: ...

class ChangeSaltResponse(_message.Message):
    __slots__ = ("work_id",)
    WORK_ID_FIELD_NUMBER: _ClassVar[int]
    work_id: str
    def __init__(self, work_id: _Optional[str] = ...) -> None: ...

class RetireKeysRequest(_message.Message):
    __slots__ = ("purpose", "early")
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    EARLY_FIELD_NUMBER: _ClassVar[int]
    purpose: str
    early: bool
    def __init__(self, purpose: _Optional[str] = ..., early: _Optional[bool] = ...) -> None: ...

class RetireKeysResponse(_message.Message):
    __slots__ = ("work_id",)
    WORK_ID_FIELD_NUMBER: _ClassVar[int]
    work_id: str
    def __init__(self, work_id: _Optional[str] = ...) -> None: ...

class DestroyKeysRequest(_message.Message):
    __slots__ = ("purpose", "epoch")
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    purpose: str
    epoch: int
    def __init__(self, purpose: _Optional[str] = ..., epoch: _Optional[int] = ...) -> None: ...

class DestroyKeysResponse(_message.Message):
    __slots__ = ("destroyed",)
    DESTROYED_FIELD_NUMBER: _ClassVar[int]
    destroyed: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, destroyed: _Optional[_Iterable[str]] = ...) -> None: ...
